// What certificates that a stranger sends cost the event loop: in x5c at registration, and in a proxy's header. The
// hostile ones take OpenSSL a quarter of a second each, where it decodes them. Build first.
//
//   node bench/certificates.mjs [--dist path]
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { generate } from 'selfsigned'
import { chainOf, explicitCurve } from './hostile-certificates.mjs'

const { values } = parseArgs({
  options: { dist: { type: 'string', default: new URL('../dist', import.meta.url).pathname } }
})
const library = await import(pathToFileURL(`${values.dist}/lib/index.js`))
const { createClientAuthenticator, createProxyCertificates, validateClientMetadata } = library
const issuer = 'https://as.example.com'

const derOf = (pem) => new Uint8Array(Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ''), 'base64'))
const base64 = (octets) => Buffer.from(octets).toString('base64')
// The authority above the leaf: its key has a curve of its own
const hostile = base64(derOf(chainOf(explicitCurve(), 1, []).cert.split('-----END CERTIFICATE-----')[1]))
const made = await generate([{ name: 'commonName', value: 'bank' }], { keyType: 'ec', algorithm: 'sha256' })
const honest = base64(derOf(made.cert))
const honestKey = new X509Certificate(made.cert).publicKey.export({ format: 'jwk' })
const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })

const register = (jwk, x5c, count) => () => {
  const keys = Array.from({ length: count }, (_, i) => ({ ...jwk, kid: `${i}`, x5c: [x5c] }))
  validateClientMetadata({ token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys } }, options)
}

const secret = 'a secret of at least thirty-two octets'
const certificates = createProxyCertificates({
  header: 'x-cert',
  secret: { header: 'x-proxy', value: secret }
})
const options = {
  issuer,
  methods: ['client_secret_basic', 'self_signed_tls_client_auth'],
  clientCertificates: certificates
}
const thumbprint = createHash('sha256').update(derOf(made.cert)).digest('base64url')
const records = {
  basic: { client_id: 'basic', client_secret: secret },
  tls: {
    client_id: 'tls',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ ...honestKey, x5c: [honest], 'x5t#S256': thumbprint }] }
  }
}
const authenticate = createClientAuthenticator({ ...options, getClient: (id) => records[id] })
const show = (certificate, more, body) => () =>
  authenticate({ headers: { 'x-cert': certificate, 'x-proxy': secret, ...more }, body })
const authorization = `Basic ${Buffer.from(`basic:${secret.replaceAll(' ', '+')}`).toString('base64')}`

const ms = (value) => `${value.toFixed(2)} ms`.padStart(12)
const outcome = (error) => (error === undefined ? 'accepted' : (error.reason ?? error.message.slice(0, 60)))
async function row(name, work) {
  const times = []
  let error
  for (let i = 0; i < 51; i++) {
    const started = performance.now()
    error = await Promise.resolve()
      .then(work)
      .then(
        () => undefined,
        (cause) => cause
      )
    times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  console.log(`${name.padEnd(44)}${ms(times[25])}${ms(times[0])}${ms(times[50])}   ${outcome(error)}`)
}

console.log(`Node ${process.version}; one registration or request: median, shortest, longest of 51`)
await row('OpenSSL, the hostile certificate', () => new X509Certificate(Buffer.from(hostile, 'base64')).publicKey)
await row('registration, one key, honest x5c', register(honestKey, honest, 1))
await row('registration, one key, hostile x5c', register(otherKey, hostile, 1))
await row('registration, 100 keys, honest x5c', register(honestKey, honest, 100))
await row('registration, 100 keys, hostile x5c', register(otherKey, hostile, 100))
const form = { client_id: 'tls' }
await row('header, honest, beside Basic', show(honest, { authorization }, {}))
await row('header, hostile, beside Basic', show(hostile, { authorization }, {}))
await row('header, honest, self_signed_tls_client_auth', show(honest, {}, form))
await row('header, hostile, self_signed_tls_client_auth', show(hostile, {}, form))
