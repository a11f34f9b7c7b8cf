import {
  createProxyCertificates,
  createTlsCertificates,
  type ClientAuthMethod,
  type ClientCertificates,
  type OAuthClient,
  type ProxyCertificatesOptions,
  type TlsCertificates,
  type TlsCertificatesOptions
} from '../../lib'
import corpus from '../fixtures/mtls.json'
import type { EncodedCertificate } from './certificate-headers'
import { certificate, publicJwk, revocationList } from './client-certificates'

/** A key of a JWK Set as the cases describe it. */
interface KeyRecipe {
  of: string
  x5c?: string[]
  x5t?: boolean
  bare?: boolean
  keyOf?: string
  [member: string]: unknown
}

interface SetRecipe {
  keys: KeyRecipe[]
}

export interface Arrival {
  over: 'tls' | 'proxy'
  certificate?: string
  chain?: string[]
  none?: boolean
  resumed?: boolean
  watched?: boolean
  renewed?: boolean
  host?: string
  version?: 'TLSv1.2' | 'TLSv1.3'
  env?: Record<string, string>
  headers?: [string, string | EncodedCertificate][]
  from?: string
  listen?: string
}

export interface Case {
  id: string
  kind: string
  what: string
  given: {
    server?: string
    client?: Record<string, unknown> | null
    arrives?: Arrival
    form?: Record<string, string | null>
    query?: string
    basic?: string
    assertion?: { signedBy: string }
    keySets?: (SetRecipe | 'rejects')[]
    metadata?: 'token'
    validate?: boolean
    options?: {
      methods: ClientAuthMethod[]
      clientCertificates?: { tls?: TlsCertificatesOptions; proxy?: ProxyCertificatesOptions }
    }
  }
  expect: {
    outcome: string
    status?: number | number[]
    error?: string | string[]
    reason?: string
    wire?: string
    method?: string
    cnf?: string | null
    certificate?: string | null
    fetches?: number
    metadata?: Record<string, unknown>
  }
}

export const cases = corpus.cases as unknown as Case[]

/** A server as a case names it: where TLS ends, what it trusts, which methods it has. */
export interface Profile {
  methods: ClientAuthMethod[]
  source: ClientCertificates
  /** Where TLS ends in the process. */
  tls?: TlsCertificates
}

const all: ClientAuthMethod[] = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth'
]
const onlyTls: ClientAuthMethod[] = ['tls_client_auth', 'self_signed_tls_client_auth']
const pem = (...ids: string[]) => ids.map((id) => certificate(id).pem)

const tlsProfile = (methods: ClientAuthMethod[], options: TlsCertificatesOptions): Profile => {
  const tls = createTlsCertificates(options)
  return { methods, source: tls, tls }
}
const proxyProfile = (methods: ClientAuthMethod[], options: ProxyCertificatesOptions): Profile => ({
  methods,
  source: createProxyCertificates(options)
})

const nginx: ProxyCertificatesOptions = {
  header: 'X-SSL-Client-Cert',
  verified: { header: 'X-SSL-Client-Verify', value: 'SUCCESS' },
  addresses: ['127.0.0.1', '10.0.0.0/8']
}
const secret = { header: 'X-Proxy-Secret', value: 'proxy-secret-of-at-least-32-characters' }

/** The profiles of the cases, each made anew. */
export const profiles: Record<string, () => Profile> = {
  tls: () => tlsProfile(all, { ca: pem('ca', 'ca-other') }),
  'tls-public': () => tlsProfile([...all, 'none'], { ca: pem('ca', 'ca-other') }),
  'tls-only': () => tlsProfile(onlyTls, { ca: pem('ca', 'ca-other') }),
  'tls-spiffe': () => tlsProfile(onlyTls, { ca: pem('spiffe-ca') }),
  'tls-crl': () => tlsProfile(all, { ca: pem('ca'), crl: revocationList('ca') }),
  'tls-crl-ended': () => tlsProfile(all, { ca: pem('ca'), crl: revocationList('ca-ended') }),
  nginx: () => proxyProfile(all, nginx),
  rfc9440: () =>
    proxyProfile(all, { header: 'Client-Cert', verified: { header: 'X-Client-Cert-Verified', value: 'true' }, secret }),
  both: () => proxyProfile(all, { ...nginx, secret }),
  envoy: () =>
    proxyProfile(['client_secret_basic', 'tls_client_auth'], {
      header: 'X-Forwarded-Client-Cert',
      verified: true,
      addresses: ['127.0.0.1']
    }),
  alb: () =>
    proxyProfile(['client_secret_basic', 'tls_client_auth'], {
      header: 'X-Amzn-Mtls-Clientcert-Leaf',
      verified: true,
      addresses: ['127.0.0.1']
    }),
  azure: () =>
    proxyProfile(['client_secret_basic', 'self_signed_tls_client_auth'], {
      header: 'X-ARR-ClientCert',
      addresses: ['127.0.0.1']
    })
}

/** The JWK Set that a case describes. */
export const keySet = ({ keys }: SetRecipe) => ({
  keys: keys.map(({ of, x5c, x5t, bare: _bare, keyOf, ...more }) => ({
    ...publicJwk(keyOf ?? of),
    ...(x5c === undefined ? {} : { x5c: x5c.map((id) => certificate(id).der.toString('base64')) }),
    ...(x5t === true ? { 'x5t#S256': certificate(of).thumbprint } : {}),
    ...more
  }))
})

/** The record that a case describes. */
export function clientRecord(client: Record<string, unknown>): OAuthClient {
  const { jwks, ...fields } = client
  return { client_id: 'c', ...fields, ...(jwks === undefined ? {} : { jwks: keySet(jwks as SetRecipe) }) }
}
