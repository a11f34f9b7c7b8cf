// Whether a request deserves to be let in, judged a second time and in another way: with nothing of lib/.
import { createHmac, createPublicKey, verify, constants, type JsonWebKey } from 'node:crypto'
import type { OAuthClient } from '../../../lib'
import { issuer } from '../assertions'
import { must, type Outcome, type Presented } from './world'

const seconds = (): number => Date.now() / 1000

function storedSecrets({ client_secret: stored, client_secret_expires_at: end }: OAuthClient): unknown[] {
  // RFC 7591 §3.2.1: 0 is never. A database returns a BIGINT as a text, and an empty member counts as absent.
  const live = (until: unknown) =>
    [undefined, null, '', 0, 0n, '0'].includes(until as string | undefined) || Number(until) > seconds() - 5
  const entries: unknown[] = [stored].flat()
  return entries
    .map((entry) => (typeof entry === 'object' && entry !== null ? entry : { value: entry }) as Record<string, unknown>)
    .filter(({ expires_at }) => live(expires_at ?? end))
    .map(({ value }) => value)
    .filter((value) => typeof value === 'string' && value !== '')
}

const allows = ({ token_endpoint_auth_method: registered }: OAuthClient, method: string): boolean => {
  const isAbsent = registered === undefined || registered === null || registered === ''
  return [isAbsent ? 'client_secret_basic' : registered].flat().includes(method)
}

/** The halves of a Basic header by the URL standard's own form decoder. */
function basicHalves(authorization: unknown): (string | null)[] {
  const pair = Buffer.from(/^basic +(.*)$/is.exec(String(authorization))?.[1] ?? '', 'base64').toString()
  const colon = pair.indexOf(':')
  const decode = (half: string) => new URLSearchParams(`half=${half.replaceAll('&', '%26')}`).get('half')
  return [decode(pair.slice(0, colon)), decode(pair.slice(colon + 1))]
}

function field(body: unknown, name: string): unknown {
  if (body instanceof URLSearchParams) return body.get(name)
  return (body as Record<string, unknown>)[name]
}

type Json = Record<string, unknown>
const part = (token: string, index: number): Json =>
  // RFC 8259 §8.1: a parser may ignore a byte order mark
  JSON.parse(
    Buffer.from(token.split('.')[index] ?? '', 'base64url')
      .toString()
      .replace(/^\ufeff/, '')
  ) as Json

function verifies(jwk: unknown, alg: string, input: Buffer, signature: Buffer): boolean {
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    const kind = { R: 'rsa', P: 'rsa', E: alg.startsWith('ES') ? 'ec' : 'ed25519' }[alg.charAt(0)]
    if (key.asymmetricKeyType !== kind) return false
    if (kind === 'ed25519') return verify(null, input, key, signature)
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    const how = alg.startsWith('PS') ? pss : { dsaEncoding: 'ieee-p1363' as const }
    return verify(`sha${alg.slice(-3)}`, input, { key, ...how }, signature)
  } catch {
    return false
  }
}

/** Whether some secret or key of the client's own signed exactly these octets. */
export function isSignedBy(client: OAuthClient, token: string): boolean {
  const end = token.lastIndexOf('.')
  const [input, signature] = [Buffer.from(token.slice(0, end)), Buffer.from(token.slice(end + 1), 'base64url')]
  const alg = String(part(token, 0).alg)
  if (alg.startsWith('HS')) {
    const mac = (secret: unknown) =>
      createHmac(`sha${alg.slice(2)}`, String(secret))
        .update(input)
        .digest()
    return storedSecrets(client).some((secret) => mac(secret).equals(signature))
  }
  const set = (client.jwks as { keys?: unknown } | undefined)?.keys
  return Array.isArray(set) && set.some((jwk) => verifies(jwk, alg, input, signature))
}

function mayClaim(clientId: string, { iss, sub, aud, exp, nbf, iat }: Json): boolean {
  const soon = (time: unknown) => time === undefined || (Number.isFinite(time) && Number(time) <= seconds() + 32)
  const lasts = Number.isFinite(exp) && Number(exp) > seconds() - 60 && Number(exp) < seconds() + 3600 + 32
  const [only, ...others] = [aud].flat()
  return (
    iss === clientId && sub === clientId && only === issuer && others.length === 0 && lasts && soon(nbf) && soon(iat)
  )
}

const allowedTypes = [undefined, 'jwt', 'application/jwt', 'client-authentication+jwt', 'oauth-client-auth+jwt']

function assertionDeserves(client: OAuthClient, method: string, token: string): boolean {
  const [header, claims] = [part(token, 0), part(token, 1)]
  const family = String(header.alg).startsWith('HS') ? 'client_secret_jwt' : 'private_key_jwt'
  const typ =
    typeof header.typ === 'string' ? header.typ.toLowerCase().replace(/^application\/(?=client|oauth)/, '') : header.typ
  // RFC 9864: two names of one algorithm
  const nameOf = (alg: unknown) => (alg === 'EdDSA' ? 'Ed25519' : alg)
  const registered = [undefined, null, ''].includes(client.token_endpoint_auth_signing_alg)
    ? header.alg
    : client.token_endpoint_auth_signing_alg
  return (
    method === family &&
    nameOf(registered) === nameOf(header.alg) &&
    allowedTypes.includes(typ as string) &&
    header.crit === undefined &&
    header.b64 === undefined &&
    mayClaim(client.client_id, claims) &&
    isSignedBy(client, token)
  )
}

function deserves(client: OAuthClient, method: string, { authorization, body }: Presented): boolean {
  if (!allows(client, method)) return false
  if (method === 'client_secret_basic') {
    const [id, secret] = basicHalves(Array.isArray(authorization) ? authorization[0] : authorization)
    return id === client.client_id && storedSecrets(client).includes(secret)
  }
  if (method === 'client_secret_post') {
    return field(body, 'client_id') === client.client_id && storedSecrets(client).includes(field(body, 'client_secret'))
  }
  const token = field(body, 'client_assertion')
  return typeof token === 'string' && assertionDeserves(client, method, token)
}

/** Never authenticated without the right secret or signature. */
export function mustDeserve(outcome: Outcome, presented: Presented, record?: OAuthClient): void {
  must(!('thrown' in outcome), 'passed on as a server error', outcome)
  if ('refused' in outcome) return
  const { client, clientId, method } = outcome.result
  must(record === undefined || client === record, 'another record than the one that was looked up', client)
  must(client.client_id === clientId, 'another id than the record has', clientId)
  must(deserves(client, method, presented), 'let in without the right secret or signature', outcome, presented)
}
