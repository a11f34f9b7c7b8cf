import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  clientAuth,
  createProxyCertificates,
  createTlsCertificates,
  validateClientMetadata,
  type ClientAuthOptions,
  type JwkSet
} from '../../lib'
import { assertionForm, basic, issuer, jws, now } from '../support/assertions'
import { encoded } from '../support/certificate-headers'
import { certificate } from '../support/client-certificates'
import {
  cases,
  clientRecord,
  keySet,
  profiles,
  type Arrival,
  type Case,
  type Profile
} from '../support/mutual-tls-cases'
import {
  listenHttp,
  listenTls,
  send,
  serverCertificate,
  tokenApp,
  type Answer,
  type Listening,
  type Sending
} from '../support/mutual-tls-server'
import { end } from '../support/own-servers'
import { copyLibrary, type CopiedLibrary } from '../support/server-processes'

jest.setTimeout(30_000) // some servers are processes of their own

type Given = Case['given']

/** The key sets of a case, one for each fetch, and how often they were asked for. */
function keySetsOf({ keySets = [] }: Given) {
  const fetches = { count: 0 }
  const sets = keySets.map((set) => (set === 'rejects' ? set : keySet(set)))
  const get = (_uri: string): Promise<JwkSet> => {
    const set = sets[Math.min(fetches.count, sets.length - 1)]
    fetches.count++
    return set === undefined || set === 'rejects' ? Promise.reject(new Error('no set')) : Promise.resolve(set)
  }
  return { fetches, get }
}

function formOf({ form = {}, assertion }: Given): Record<string, string> {
  const signed =
    assertion === undefined
      ? {}
      : assertionForm(
          jws(
            { alg: 'ES256' },
            { iss: 'c', sub: 'c', aud: issuer, exp: now() + 60, jti: `${Math.random()}` },
            'ES256',
            certificate(assertion.signedBy).privateKey
          )
        )
  const fields: Record<string, string | null> = {
    grant_type: 'client_credentials',
    client_id: 'c',
    ...signed,
    ...form
  }
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== null))
}

const identity = ({ certificate: id, chain = [] }: Arrival) =>
  id === undefined ? {} : { key: certificate(id).key, cert: [id, ...chain].map((one) => certificate(one).pem).join('') }

function sendingOf(given: Given, port: number): Sending {
  const { headers = [], from, over, host, version } = given.arrives!
  const basicHeader: [string, string][] = given.basic === undefined ? [] : [['Authorization', basic('c', given.basic)]]
  return {
    port,
    path: given.query === undefined ? '/token' : `/token?${given.query}`,
    form: formOf(given),
    headers: [
      ...basicHeader,
      ...headers.map(([name, value]): [string, string] => [name, typeof value === 'string' ? value : encoded(value)])
    ],
    ...(from === undefined ? {} : { localAddress: from }),
    ...(over === 'tls'
      ? {
          tls: {
            ...identity(given.arrives!),
            ...(host === undefined ? {} : { servername: host }),
            minVersion: version,
            maxVersion: version
          }
        }
      : {})
  }
}

/** A server that differs in the variables of its process, which is therefore one of its own. */
async function sendToProcess(given: Given, library: CopiedLibrary): Promise<Answer> {
  const { env = {} } = given.arrives!
  const directory = mkdtempSync(join(tmpdir(), 'mutual-tls-'))
  const files = Object.entries(env).map(([name, id], index) => {
    const file = join(directory, `${index}.pem`)
    writeFileSync(file, certificate(id).pem)
    return [name, file]
  })
  const setting = {
    library: join(library.directory, 'index.js'),
    own: serverCertificate(),
    ca: ['ca', 'ca-other'].map((id) => certificate(id).pem),
    client: clientRecord(given.client ?? { client_id: 'another' }),
    arrives: given.arrives
  }
  const child = fork(join(__dirname, '../support/mutual-tls-worker.mjs'), [JSON.stringify(setting)], {
    env: { ...process.env, ...Object.fromEntries(files) }
  })
  try {
    const [port] = (await once(child, 'message')) as [number]
    return await send(sendingOf(given, port))
  } finally {
    await end(child)
    rmSync(directory, { recursive: true })
  }
}

async function arriving(given: Given, { server, port }: Listening<HttpServer | HttpsServer>): Promise<Answer> {
  const { resumed, renewed, host } = given.arrives!
  const tlsServer = server as HttpsServer
  if (renewed === true) tlsServer.setSecureContext(serverCertificate())
  if (host !== undefined) tlsServer.addContext(host, serverCertificate())
  const sending = sendingOf(given, port)
  if (resumed !== true) return send(sending)
  let session: Buffer | undefined
  await send({ ...sending, onSession: (fresh) => (session = fresh) })
  return send({ ...sending, tls: { ...sending.tls, session } })
}

async function listenFor(given: Given, profile: Profile, options: Partial<ClientAuthOptions>, fetch: boolean) {
  const { over, watched, listen } = given.arrives!
  const app = tokenApp(profile, options, { fetch })
  return over === 'tls' ? listenTls(app, profile, watched) : listenHttp(app, listen)
}

let library: CopiedLibrary
beforeAll(() => {
  library = copyLibrary()
})
afterAll(() => {
  library.remove()
})

/** Sends the request of a case to the server of a case. With `fetch`, explain asks for the key sets first. */
async function ask(given: Given, fetch = false): Promise<Answer & { fetches: number }> {
  if (given.arrives?.env !== undefined) return { ...(await sendToProcess(given, library)), fetches: 0 }
  const { fetches, get } = keySetsOf(given)
  const record = given.client ? clientRecord(given.client) : undefined
  const getClient = (id: string) => (id === 'c' ? record : undefined)
  const listening = await listenFor(given, profiles[given.server!]!(), { getClient, keySets: { get } }, fetch)
  try {
    return { ...(await arriving(given, listening)), fetches: fetches.count }
  } finally {
    await listening.close()
  }
}

const requests = cases.filter(({ given }) => given.arrives !== undefined)

test.each(requests.map((one) => [one.id, one.what, one] as const))(
  '%s: %s',
  async (_id, _what, { given, expect: expected }) => {
    const answer = await ask(given)
    if (expected.outcome === 'accept') {
      expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ method: expected.method })])
      const thumbprint = (id: string | null) => (id === null ? null : certificate(id).thumbprint)
      if (expected.cnf !== undefined) expect(answer.body['cnf']).toBe(thumbprint(expected.cnf))
      if (expected.certificate !== undefined) expect(answer.body['certificate']).toBe(thumbprint(expected.certificate))
      if (expected.fetches !== undefined) expect(answer.fetches).toBe(expected.fetches)
      const { explained } = given.keySets === undefined ? answer : await ask(given, true)
      expect(explained).toBe(`accepted ${expected.method ?? ''}`)
      return
    }
    expect(expected.outcome).toBe('reject')
    expect([expected.error].flat()).toContain(answer.body['error'])
    expect([expected.status].flat()).toContain(answer.status)
    if (expected.reason !== undefined) expect(answer.reason).toBe(expected.reason)
    const { explained } = given.keySets === undefined ? answer : await ask(given, true)
    expect(explained).toBe(answer.reason)
    if (expected.wire === 'unproven') {
      const unknown = await ask({ ...given, client: null })
      expect(unknown.reason).toBe('unknown_client')
      expect([answer.status, answer.body, answer.challenge]).toEqual([unknown.status, unknown.body, unknown.challenge])
    }
  }
)

test.each(cases.filter(({ given }) => given.validate === true).map((one) => [one.id, one.what, one] as const))(
  '%s: %s',
  (_id, _what, { given, expect: expected }) => {
    const { methods, source } = profiles[given.server!]!()
    const validate = () => {
      validateClientMetadata(clientRecord(given.client!), { methods, clientCertificates: source })
    }
    if (expected.outcome === 'metadata_ok') expect(validate).not.toThrow()
    else expect(validate).toThrow(expect.objectContaining({ code: expected.error, status: expected.status }))
  }
)

test.each(cases.filter(({ given }) => given.options !== undefined).map((one) => [one.id, one.what, one] as const))(
  '%s: %s',
  (_id, _what, { given, expect: expected }) => {
    expect(expected.outcome).toBe('type_error')
    const { methods, clientCertificates: { tls, proxy } = {} } = given.options!
    const start = () => {
      const source = tls ? createTlsCertificates(tls) : proxy && createProxyCertificates(proxy)
      clientAuth({ issuer, getClient: () => undefined, methods, clientCertificates: source })
    }
    expect(start).toThrow(TypeError)
  }
)

test.each(cases.filter(({ given }) => given.metadata !== undefined).map((one) => [one.id, one.what, one] as const))(
  '%s: %s',
  (_id, _what, { given, expect: expected }) => {
    const { methods, source } = profiles[given.server!]!()
    const middleware = clientAuth({ issuer, getClient: () => undefined, methods, clientCertificates: source })
    const metadata: Record<string, unknown> = middleware.metadata(given.metadata)
    for (const [name, value] of Object.entries(expected.metadata!)) {
      const { includes } = Object(value) as { includes?: string[] }
      expect(metadata[name]).toEqual(includes === undefined ? value : expect.arrayContaining(includes))
    }
  }
)

test('every case is run', () => {
  const others = cases.filter(({ given }) => given.validate ?? given.options ?? given.metadata)
  expect(cases).toHaveLength(125)
  expect(requests.length + others.length).toBe(125)
})
