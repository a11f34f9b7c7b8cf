import { createHash, generateKeyPairSync, sign, X509Certificate, type JsonWebKey, type KeyObject } from 'node:crypto'
import {
  recipes,
  revocationLists,
  type AltName,
  type Attribute,
  type KeyKind,
  type Rdn,
  type Recipe
} from './certificate-recipes'
import * as der from './der'
import { rsaPair } from './rsa-keys'

/** A certificate made when the tests run, and its private key. */
export interface MadeCertificate {
  der: Buffer
  pem: string
  privateKey: KeyObject
  /** The private key in PEM. */
  key: string
  thumbprint: string
}

const types: Record<string, string> = {
  CN: '2.5.4.3',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  businessCategory: '2.5.4.15',
  organizationIdentifier: '2.5.4.97',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1',
  jurisdictionC: '1.3.6.1.4.1.311.60.2.1.3'
}
const usualStringType: Record<string, Attribute[2]> = {
  C: 'printable',
  serialNumber: 'printable',
  DC: 'ia5',
  emailAddress: 'ia5'
}

const utf32 = (text: string): Buffer =>
  Buffer.concat(
    Array.from(text, (char) => Buffer.from((char.codePointAt(0) ?? 0).toString(16).padStart(8, '0'), 'hex'))
  )

const strings: Record<NonNullable<Attribute[2]>, [tag: number, encode: (text: string) => Buffer]> = {
  utf8: [0x0c, (text) => Buffer.from(text)],
  printable: [0x13, (text) => Buffer.from(text, 'latin1')],
  ia5: [0x16, (text) => Buffer.from(text, 'latin1')],
  t61: [0x14, (text) => Buffer.from(text, 'latin1')],
  bmp: [0x1e, (text) => Buffer.from(text, 'utf16le').swap16()],
  universal: [0x1c, utf32],
  octets: [0x04, (text) => Buffer.from(text)]
}

const attribute = ([type, text, as = usualStringType[type] ?? 'utf8']: Attribute): Buffer => {
  const [tag, encode] = strings[as]
  const content = typeof text === 'string' ? encode(text) : text
  return der.sequence(der.objectIdentifier(types[type] ?? type), der.value(tag, content))
}
const isSeveral = (rdn: Rdn): rdn is Attribute[] => Array.isArray(rdn[0])
const name = (rdns: Rdn[]): Buffer =>
  der.sequence(...rdns.map((rdn) => der.set(...(isSeveral(rdn) ? rdn : [rdn]).map(attribute))))

const ipOctets = (text: string): Buffer =>
  text.includes(':')
    ? Buffer.from(
        text
          .split(':')
          .map((group) => group.padStart(4, '0'))
          .join(''),
        'hex'
      )
    : Buffer.from(text.split('.').map(Number))

const altName = ([kind, text]: AltName): Buffer => {
  if (kind === 'directory') return der.explicit(4, name(text))
  if (kind === 'ip') return der.value(0x87, ipOctets(text))
  return der.value({ email: 0x81, dns: 0x82, uri: 0x86 }[kind], Buffer.from(text, 'latin1'))
}

const usageBits = { digitalSignature: 0x80, keyCertSign: 0x04, cRLSign: 0x02 }
const purposeIds = { clientAuth: '1.3.6.1.5.5.7.3.2', serverAuth: '1.3.6.1.5.5.7.3.1' }

const extension = (id: string, content: Buffer, critical = false): Buffer =>
  der.sequence(der.objectIdentifier(id), ...(critical ? [der.boolean(true)] : []), der.octetString(content))

function usageExtension(usages: NonNullable<Recipe['usages']>): Buffer {
  const bits = usages.reduce((sum, usage) => sum | usageBits[usage], 0)
  return extension('2.5.29.15', der.bitString(Buffer.of(bits), 31 - Math.clz32(bits & -bits)), true)
}

function urlExtensions(url: string): Buffer[] {
  const uri = der.value(0x86, Buffer.from(url))
  const description = der.sequence(der.objectIdentifier('1.3.6.1.5.5.7.48.2'), uri)
  const point = der.sequence(der.explicit(0, der.explicit(0, uri)))
  return [extension('1.3.6.1.5.5.7.1.1', der.sequence(description)), extension('2.5.29.31', der.sequence(point))]
}

function extensionsOf({
  ca,
  pathLength,
  usages,
  purposes,
  altNames,
  altNamesCritical,
  permittedDns,
  namesUrl
}: Recipe) {
  const extensions: Buffer[] = []
  if (ca !== undefined) {
    const constraints = [
      ...(ca ? [der.boolean(true)] : []),
      ...(pathLength === undefined ? [] : [der.integer(pathLength)])
    ]
    extensions.push(extension('2.5.29.19', der.sequence(...constraints), true))
  }
  if (usages !== undefined) extensions.push(usageExtension(usages))
  if (purposes !== undefined) {
    const ids = purposes.map((purpose) => der.objectIdentifier(purposeIds[purpose]))
    extensions.push(extension('2.5.29.37', der.sequence(...ids)))
  }
  if (altNames !== undefined)
    extensions.push(extension('2.5.29.17', der.sequence(...altNames.map(altName)), altNamesCritical))
  if (permittedDns !== undefined) {
    const subtree = der.sequence(der.value(0x82, Buffer.from(permittedDns)))
    extensions.push(extension('2.5.29.30', der.sequence(der.explicit(0, subtree)), true))
  }
  return namesUrl === undefined ? extensions : [...extensions, ...urlExtensions(namesUrl)]
}

function generate(kind: KeyKind): { privateKey: KeyObject; publicKey: KeyObject } {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519')
  if (kind === 'rsa1024' || kind === 'rsa2048') return rsaPair(Number(kind.slice(3)))
  return generateKeyPairSync('ec', { namedCurve: { p256: 'P-256', p521: 'P-521', secp256k1: 'secp256k1' }[kind] })
}

const keys = new Map<string, { privateKey: KeyObject; publicKey: KeyObject }>()
function keysOf(id: string) {
  const { sharesKeyOf, key = 'p256' } = recipeOf(id)
  if (sharesKeyOf !== undefined) return keysOf(sharesKeyOf)
  const known = keys.get(id) ?? generate(key)
  keys.set(id, known)
  return known
}

function recipeOf(id: string): Recipe {
  const recipe = recipes[id]
  if (recipe === undefined) throw new Error(`there is no certificate ${id}`)
  return recipe
}

/** Signs as X.509 does (RFC 5280 §4.1): the content, the algorithm, the signature. `algorithm` is also in the content. */
function signed(key: KeyObject, sha1: boolean, content: (algorithm: Buffer) => Buffer): Buffer {
  const isRsa = key.asymmetricKeyType === 'rsa'
  const rsaId = sha1 ? '1.2.840.113549.1.1.5' : '1.2.840.113549.1.1.11'
  const id = isRsa ? rsaId : key.asymmetricKeyType === 'ec' ? '1.2.840.10045.4.3.2' : '1.3.101.112'
  const algorithm = der.sequence(der.objectIdentifier(id), ...(isRsa ? [der.nothing] : []))
  const toSign = content(algorithm)
  const hash = key.asymmetricKeyType === 'ed25519' ? null : sha1 ? 'sha1' : 'sha256'
  return der.sequence(toSign, algorithm, der.bitString(sign(hash, toSign, key)))
}

const serialOf = (id: string): Buffer =>
  der.integer(Buffer.concat([Buffer.of(1), createHash('sha256').update(id).digest().subarray(0, 15)]))
const validity = ([from, to]: [string, string]): Buffer[] => [der.time(new Date(from)), der.time(new Date(to))]

function makeDer(id: string): Buffer {
  const recipe = recipeOf(id)
  const { issuer = id, subject, valid = ['2024-01-01', '2049-01-01'], sha1 = false, version1 = false } = recipe
  const extensions = version1 ? [] : extensionsOf(recipe)
  return signed(keysOf(issuer).privateKey, sha1, (algorithm) =>
    der.sequence(
      ...(version1 ? [] : [der.explicit(0, der.integer(2))]),
      serialOf(id),
      algorithm,
      name(recipeOf(issuer).subject),
      der.sequence(...validity(valid)),
      name(subject),
      keysOf(id).publicKey.export({ type: 'spki', format: 'der' }),
      ...(extensions.length === 0 ? [] : [der.explicit(3, der.sequence(...extensions))])
    )
  )
}

const made = new Map<string, MadeCertificate>()

/** The certificate of a name, the same one throughout a test run. */
export function certificate(id: string): MadeCertificate {
  const known = made.get(id)
  if (known !== undefined) return known
  const octets = makeDer(id)
  const { privateKey } = keysOf(id)
  const one = {
    der: octets,
    pem: der.pem('CERTIFICATE', octets),
    privateKey,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    thumbprint: createHash('sha256').update(octets).digest('base64url')
  }
  made.set(id, one)
  return one
}

/** As Node reads it; throws for the two that OpenSSL cannot read. */
export const x509 = (id: string): X509Certificate => new X509Certificate(certificate(id).der)

/** The public key of a certificate as a JWK. */
export const publicJwk = (id: string): JsonWebKey & { kty: string } =>
  keysOf(id).publicKey.export({ format: 'jwk' }) as JsonWebKey & { kty: string }

/** A revocation list of `ca`, in PEM. */
export function revocationList(id: string): string {
  const { valid, revoked } = revocationLists[id]!
  const entries = revoked.map((one) => der.sequence(serialOf(one), der.time(new Date(valid[0]))))
  const list = signed(keysOf('ca').privateKey, false, (algorithm) =>
    der.sequence(
      der.integer(1),
      algorithm,
      name(recipeOf('ca').subject),
      ...validity(valid),
      ...(entries.length === 0 ? [] : [der.sequence(...entries)]),
      der.explicit(0, der.sequence(extension('2.5.29.20', der.integer(1))))
    )
  )
  return der.pem('X509 CRL', list)
}
