import type { ClientCertificates } from './certificate-source'

/** The methods of RFC 8705 §2. PKI comes first for a client that is registered for both. */
export const certificateMethods = ['tls_client_auth', 'self_signed_tls_client_auth'] as const

/** Throws a `TypeError` for a method that would let in nobody, or anybody, with this source. */
export function checkCertificates(
  caller: string,
  methods: readonly string[],
  source: ClientCertificates | undefined
): void {
  const fail = (method: string, words: string): never => {
    throw new TypeError(`${caller}: option "methods" has ${method}, but option "clientCertificates" ${words}`)
  }
  const method = certificateMethods.find((name) => methods.includes(name))
  if (method !== undefined && source === undefined)
    fail(method, 'is missing: give createTlsCertificates({ ca }) or createProxyCertificates({ header, … })')
  if (methods.includes('tls_client_auth') && source?.verifies === 'never')
    fail('tls_client_auth', 'never verifies a certificate: give createTlsCertificates "ca", or the proxy "verified"')
  if (methods.includes('self_signed_tls_client_auth') && source?.verifies === 'always')
    fail(
      'self_signed_tls_client_auth',
      'has verified: true, and a proxy that forwards such certificates cannot have verified them: give { header, value }'
    )
}
