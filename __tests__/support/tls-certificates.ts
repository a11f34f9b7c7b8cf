import { generate } from 'selfsigned'

export interface Certificate {
  key: string
  cert: string
}

const day = 86_400_000

/** An authority of our own, made when the tests run. */
export async function makeAuthority(keyType: 'ec' | 'rsa' = 'ec', name = 'Test authority'): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType,
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - day),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true }
    ]
  })
  return { key: made.private, cert: made.cert }
}

export interface Subject {
  names?: string[]
  addresses?: string[]
  /** Ended yesterday. */
  expired?: boolean
  /** Ends in so many days. Default 1. */
  days?: number
  /** That of its authority too. Default `ec`. */
  keyType?: 'ec' | 'rsa'
}

export async function makeCertificate(
  ca: Certificate | undefined,
  { names = [], addresses = [], expired, days = 1, keyType = 'ec' }: Subject
): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: 'server' }], {
    keyType,
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 2 * day),
    notAfterDate: new Date(Date.now() + (expired === true ? -day : days * day)),
    ...(ca === undefined ? {} : { ca }),
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          ...addresses.map((ip) => ({ type: 7 as const, ip }))
        ]
      }
    ]
  })
  return { key: made.private, cert: made.cert }
}
