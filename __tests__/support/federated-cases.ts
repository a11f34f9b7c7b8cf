import { randomUUID } from 'node:crypto'
import type { ClientAuthMethod, JwksFetcherOptions, OAuthClient, TrustedIssuer } from '../../lib'
import { createJwksFetcher } from '../../lib'
import corpus from '../fixtures/federated.json'
import { issuer, jws, JWT_BEARER, makeKey, now, type TestKey } from './assertions'
import { makeCertificate } from './tls-certificates'
import { serveHttps } from './tls-server'

type Members = Record<string, unknown>

/** A token as a case describes it, on top of the defaults of its group. */
interface Recipe {
  header?: Members
  claims?: Members
  signedBy?: string
  unsigned?: boolean
}

/** What the hosts of a case answer: a JSON document, or a status. */
type Web = Record<string, Members | number>

interface Step {
  same?: boolean
  assertion?: Recipe
  clock?: string
  web?: Web
}

export interface Case {
  id: string
  kind: string
  what: string
  given: {
    server?: string
    client?: Members
    clients?: Record<string, Members>
    assertion?: Recipe
    request?: Record<string, string | null>
    options?: Members & { trustedIssuers?: Record<string, TrustedIssuer> }
    web?: Web
    then?: Step[]
    validate?: boolean
  }
  expect: {
    outcome: 'accept' | 'reject' | 'metadata_ok' | 'metadata_invalid' | 'type_error'
    status?: number
    error?: string
    reason?: string
    wire?: string
    method?: string
    connections?: string[]
  }
}

export const cases = corpus.cases as unknown as Case[]
const { servers, defaults } = corpus as unknown as {
  servers: Record<string, { trustedIssuers?: Record<string, Members>; web?: Web }>
  defaults: Record<'federated' | 'spiffe', { header: Members; claims: Members; signedBy: string; request: Members }>
}

export const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'
const assertionTypes: Record<string, string> = { 'jwt-bearer': JWT_BEARER, 'jwt-spiffe': JWT_SPIFFE }

export const methods: ClientAuthMethod[] = [
  ...(['federated_jwt', 'spiffe_jwt'] as const),
  ...(['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const)
]

const made = new Map<string, TestKey>()
/** Names stand for key pairs: of ES256 unless the name ends in another algorithm. */
export function keyOf(name: string): TestKey {
  const alg = /-((?:[RP]S|ES)\d{3}|EdDSA)$/.exec(name)?.[1] ?? 'ES256'
  const key = made.get(name) ?? makeKey(alg, name)
  made.set(name, key)
  return key
}

/** A public JWK by the name of its key, or by a recipe with further members. A bare one does not say what it is for. */
function jwkOf(recipe: string | (Members & { jwk: string })): Members {
  const { jwk: name, ...members } = typeof recipe === 'string' ? { jwk: recipe } : recipe
  const jwk: Members = { ...keyOf(name).jwk, ...members }
  if (!('use' in members)) delete jwk['use']
  return jwk
}
const setOf = (keys: readonly unknown[]) => ({ keys: keys.map((key) => jwkOf(key as string)) })

const hosts = [
  ...['idp.example', 'one.example', 'two.example', 'bundles.example', 'evil.example'],
  ...['token.actions.githubusercontent.com', 'kubernetes.default.svc.cluster.local']
]

/**
 * A real web server for the hosts of the cases, at a port of loopback. `fetched` are the URLs that were asked for, as
 * the case writes them.
 */
export async function serveCases() {
  const tls = await makeCertificate(undefined, { names: hosts })
  let web: Web = {}
  const fetched: string[] = []
  const server = await serveHttps(tls, (req, res) => {
    const url = `https://${String(req.headers.host?.replace(/:\d+$/, ''))}${String(req.url)}`
    fetched.push(url)
    const answer = web[url] ?? 404
    if (typeof answer === 'number') res.writeHead(answer, { location: 'https://evil.example/jwks' }).end()
    else res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(placed(answer)))
  })
  /** The cases write hosts without a port. */
  const placed = <T>(value: T): T => {
    const text = JSON.stringify(value, (name, member: unknown) =>
      name === 'keys' && Array.isArray(member) ? setOf(member).keys : member
    )
    const pattern = new RegExp(
      `https://(${hosts.map((host) => host.replaceAll('.', '\\.')).join('|')})(?![\\w.-])`,
      'g'
    )
    return JSON.parse(text.replaceAll(pattern, `https://$1:${server.port}`)) as T
  }
  const fetcher: JwksFetcherOptions = {
    hosts: Object.fromEntries(
      hosts.map((host) => [host, { addresses: ['127.0.0.0/8'], ports: [server.port], ca: tls.cert }])
    ),
    resolver: () => ({ resolve4: async () => ['127.0.0.1'], resolve6: async () => [], cancel: () => undefined })
  }
  return {
    placed,
    fetched,
    publish: (more: Web) => (web = { ...web, ...more }),
    keySets: () => createJwksFetcher(fetcher),
    forget: () => {
      web = {}
      fetched.length = 0
    },
    close: () => server.close()
  }
}

export type CaseServer = Awaited<ReturnType<typeof serveCases>>

/** What the server of a case trusts: sets of keys by their names. */
export function trustedIssuersOf(name: string): Record<string, TrustedIssuer> {
  const entries = Object.entries(servers[name]?.trustedIssuers ?? {})
  return Object.fromEntries(
    entries.map(([key, { jwks, ...entry }]) => [
      key,
      { ...entry, ...(jwks === undefined ? {} : { jwks: setOf(jwks as string[]) }) }
    ])
  )
}

export const webOf = (name: string): Web => servers[name]?.web ?? {}

const groupOf = ({ id }: Case) => defaults[id.startsWith('spiffe') ? 'spiffe' : 'federated']

/** The client of a case, and those beside it. */
export const clientsOf = ({ given: { client, clients = {} } }: Case): OAuthClient[] =>
  Object.entries({ ...(client === undefined ? {} : { c: client }), ...clients }).map(
    ([client_id, { jwks, ...record }]) => ({
      client_id,
      client_secret: 'a secret of more than thirty-two octets',
      ...record,
      ...(jwks === undefined ? {} : { jwks: setOf((jwks as { keys: string[] }).keys) })
    })
  )

const value = (recipe: unknown): unknown => {
  const offset = /^now([+-]\d+)?$/.exec(String(recipe))
  if (offset !== null) return now() + Number(offset[1] ?? 0)
  return recipe === '<fresh>' ? randomUUID() : recipe
}

/** Values of a recipe; `null` takes a member out. */
function members(recipe: Members): Members {
  const entries = Object.entries(recipe).filter(([, one]) => one !== null)
  return Object.fromEntries(entries.map(([name, one]) => [name, value(one)]))
}

/** The token of a case, signed now. */
export function token(one: Case, { placed }: CaseServer, recipe: Recipe = one.given.assertion ?? {}): string {
  const group = groupOf(one)
  const key = keyOf(recipe.signedBy ?? group.signedBy)
  const header = members({ ...group.header, alg: key.alg, kid: key.kid, ...recipe.header })
  if (typeof header['jwk'] === 'object') header['jwk'] = jwkOf(header['jwk'] as { jwk: string })
  const claims = members(placed({ ...group.claims, ...recipe.claims }))
  return recipe.unsigned === true ? jws(header, claims, 'none', '') : jws(header, claims, key.alg, key.privateKey)
}

/** The form of a case around a token. */
export function form(one: Case, assertion: string): Record<string, string> {
  const request = members({ ...groupOf(one).request, ...one.given.request }) as Record<string, string>
  const { client_assertion_type: type = '', ...others } = request
  return { ...others, client_assertion_type: assertionTypes[type] ?? type, client_assertion: assertion }
}

export { issuer }
