import * as tls from 'node:tls'

/** `tls.getCACertificates`, which Node has from 22.15 on. */
interface WithCACertificates {
  readonly getCACertificates?: (type: 'default') => readonly string[]
}

/**
 * The authorities that this server trusts, those of `tls.setDefaultCACertificates` included; the same array while they
 * are unchanged. `undefined` where Node does not tell: the process that fetches then reads NODE_EXTRA_CA_CERTS itself.
 */
export function defaultAuthorities(): readonly string[] | undefined {
  const list = (tls as WithCACertificates).getCACertificates?.('default') ?? []
  return list.length > 0 ? list : undefined
}

const kept =
  /^--(?:use-(?:openssl|bundled|system)-ca|openssl-(?:shared-config|legacy-provider|config=.*)|(?:enable|force)-fips)$/

/** Of the flags of this process, those that decide on trust. Others are not passed on: some start inspectors, loaders or hooks. */
export const trustFlags = (): string[] =>
  [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)].filter((flag) => kept.test(flag))

const names = new Set(
  'NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR OPENSSL_CONF OPENSSL_MODULES SystemRoot'.split(' ')
)

/** The environment of the process that fetches: what TLS needs. */
export const trustEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => names.has(name)))
