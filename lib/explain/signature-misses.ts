import { constants, type JsonWebKey, verify } from 'node:crypto'
import { attempt } from '../basics/attempt'
import { printable } from '../basics/printable'
import { type Algorithm, algorithms } from '../jwt/algorithms'
import { algorithmsOf, keyFault } from '../jwt/jwk'
import { candidates } from '../jwt/key-ring'
import { type Jws, verifyMac } from '../jwt/jws'
import { keySourceOf } from '../methods/client-record'
import { liveSecrets } from '../methods/stored-secrets'
import type { Claimed } from '../methods/method'
import type { Jwk } from '../types'
import type { Scene } from './scene'
import { timesInWords } from './steps'

/** No more keys than this are tried: each costs a verification. */
const maxTries = 12

interface Parameters {
  readonly padding?: number
  readonly saltLength?: number
  readonly oldHash?: 'sha1'
}

/** Whether a key verifies a signature, also by other parameters than its `alg` has. */
function verifies(jwk: Jwk, { hash }: Algorithm, { signingInput, signature }: Jws, other: Parameters = {}): boolean {
  const { oldHash = hash, ...padding } = other
  const made = { key: jwk as JsonWebKey, format: 'jwk', dsaEncoding: 'ieee-p1363', ...padding } as const
  return attempt(() => verify(oldHash, Buffer.from(signingInput), made, signature)) === true
}

const fits = (jwk: Jwk, { alg }: Algorithm): boolean =>
  keyFault(jwk) === undefined && algorithmsOf(jwk).some((one) => one.alg === alg)
const kidOf = ({ kid }: Jwk): string => (typeof kid === 'string' ? `with kid ${printable(kid)}` : 'without kid')

/** A length that no signature of this type of key has. */
const isCut = ({ kty, octets }: Algorithm, { signature: { length, [0]: first } }: Jws): boolean => {
  if (kty === 'EC') return ![64, 96, 132].includes(length) && first !== 0x30
  return kty === 'RSA' ? length % 32 !== 0 : length !== octets
}

/** Signatures of another form: DER, or of another length. */
function spotForm({ alg, kty, octets }: Algorithm, { signature }: Jws, keys: readonly Jwk[]): string | undefined {
  const { length } = signature
  if (kty === 'EC' && length !== octets)
    return signature[0] === 0x30
      ? `The signature is ${length} octets of DER; ${alg} in a JWT needs ${octets} raw octets, r and s. Java: SHA${alg.slice(2)}withECDSAinP1363Format; AWS KMS and openssl make DER, so convert it.`
      : `The signature has ${length} octets, and ${alg} needs ${octets}: sign with a key of the right curve.`
  const lengths = keys.map(({ n }) => (typeof n === 'string' ? Buffer.from(n, 'base64url').length : length))
  return kty === 'RSA' && lengths.length > 0 && !lengths.includes(length)
    ? `The signature is that of a key of ${length * 8} bits, and the published key has ${Number(lengths[0]) * 8}: sign with the key that is published.`
    : undefined
}

/** PSS with a salt of another length, and PSS and PKCS #1 taken for each other. */
function spotPadding(algorithm: Algorithm, jws: Jws, keys: readonly Jwk[]): string | undefined {
  if (algorithm.kty !== 'RSA') return undefined
  const { RSA_PKCS1_PSS_PADDING: pss, RSA_PKCS1_PADDING: pkcs1, RSA_PSS_SALTLEN_AUTO: auto } = constants
  const made = (padding: Parameters) => keys.some((key) => verifies(key, algorithm, jws, padding))
  const { alg, saltLength } = algorithm
  const other = `${saltLength === undefined ? 'PS' : 'RS'}${alg.slice(2)}`
  if (made(saltLength === undefined ? { padding: pss, saltLength: auto } : { padding: pkcs1 }))
    return `The signature is one of ${other}, but alg says ${alg}: write the alg that the key signs with.`
  return saltLength !== undefined && !made({ padding: pss, saltLength }) && made({ padding: pss, saltLength: auto })
    ? `The key is right, but the salt of the signature has another length: ${alg} needs ${saltLength} octets, as many as the hash.`
    : undefined
}

/** The right key, over another text or with an old hash. */
function spotInput(algorithm: Algorithm, jws: Jws, keys: readonly Jwk[]): string | undefined {
  const { alg } = algorithm
  const made = (end: string, other: Parameters = {}) => {
    const changed = { ...jws, signingInput: jws.signingInput + end }
    return keys.some((key) => verifies(key, algorithm, changed, { ...paddingOf(algorithm), ...other }))
  }
  if (made('\n'))
    return 'A line break behind the text is signed with it (echo needs -n): sign header, dot and claims alone.'
  return made('', { oldHash: 'sha1' })
    ? `The signature is made with SHA-1: ${alg} needs SHA-${alg.slice(2)}.`
    : undefined
}

/** The MAC, by what clients make of a secret. */
function spotMac(algorithm: Algorithm, jws: Jws, { claimed }: Scene): string | undefined {
  if (claimed === undefined || claimed.policy.verifySecret !== undefined) return undefined
  const stored = liveSecrets(claimed.client, claimed.nowSeconds)
  const made = (secrets: readonly (string | Buffer)[]) => secrets.some((secret) => verifyMac(jws, algorithm, secret))
  if (
    made(
      stored.flatMap((one) => [Buffer.from(one, 'base64'), Buffer.from(one, 'hex')].filter(({ length }) => length > 0))
    )
  )
    return 'The key of the MAC is the decoded secret: take the octets of the text as it was issued, without decoding base64 or hex (OIDC Core §10.1).'
  if (made(stored.map((one) => `${one}\n`))) return 'The secret that signs ends with a line break: remove it.'
  if (made(stored.map((one) => one.trim()).filter((one) => one !== '')))
    return 'The stored secret ends with a line break or white space, and the sender signs without it: the operator has to store it without.'
  return made(liveSecrets(claimed.client, -Infinity))
    ? 'This MAC was made with an earlier secret, which has expired: sign with the one that was issued last.'
    : undefined
}

/** What was signed, where it can be verified. */
function signedIn({ received: { jws }, claimed }: Scene) {
  const algorithm = algorithms.get(jws?.alg)
  if (jws === undefined || claimed === undefined || algorithm === undefined) return undefined
  const isBy = (key: Jwk): boolean => verifies(key, algorithm, jws, paddingOf(algorithm))
  return { jws, claimed, algorithm, isBy }
}

/** The registered keys as far as they are in hand. */
async function keysOf({ client, policy }: Claimed, kid?: unknown, refresh = false): Promise<readonly Jwk[]> {
  const { jwks, uri = '' } = keySourceOf(client)
  const set = jwks ?? (await policy.keySetsOf(client).get(uri, { refresh }))
  return candidates(set, kid, Infinity).slice(0, maxTries)
}

export async function spotSignature(scene: Scene): Promise<string | undefined> {
  const signed = signedIn(scene)
  if (signed === undefined) return undefined
  const { jws, claimed, algorithm, isBy } = signed
  if (isCut(algorithm, jws))
    return `The signature has ${jws.signature.length} octets, as none of ${algorithm.alg} has: the JWT was cut, or changed on its way.`
  if (algorithm.kty === 'oct') return spotMac(algorithm, jws, scene)
  const all = await keysOf(claimed)
  const asked = all.filter((key) => (jws.kid === undefined || key.kid === jws.kid) && fits(key, algorithm))
  const seen =
    (asked.length > 0 ? spotForm(algorithm, jws, asked) : undefined) ??
    spotPadding(algorithm, jws, asked) ??
    spotInput(algorithm, jws, asked)
  if (seen !== undefined) return seen
  const signer = all.find((key) => fits(key, algorithm) && isBy(key))
  if (signer === undefined) return undefined
  if (signer.alg !== undefined && signer.alg !== jws.alg)
    return `The published key ${kidOf(signer)} is for ${signer.alg} alone, and alg says ${algorithm.alg}: sign with ${signer.alg}, or publish the key without alg.`
  if (signer.kid === jws.kid) return undefined // its own fault has been told
  if (signer.kid === undefined)
    return 'The key that signs is published, but has no kid: publish it with the kid of the assertion, or leave kid out of the header.'
  return `The key that signs is published ${kidOf(signer)}: name that kid in the header, or publish the key under the kid that the assertion names.`
}

const paddingOf = ({ saltLength }: Algorithm): Parameters =>
  saltLength === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }

/** The key is not in the set that the server uses, but in the one that the client publishes by now. */
export async function spotNewKey(scene: Scene): Promise<string | undefined> {
  const signed = signedIn(scene)
  const uri = signed && keySourceOf(signed.claimed.client).uri
  if (signed === undefined || uri === undefined) return undefined
  const { jws, claimed, isBy } = signed
  const times = timesInWords(claimed.policy.keySetsOf(claimed.client).cached?.(uri))
  return (await keysOf(claimed, jws.kid, true)).some(isBy)
    ? `The key set at the jwks_uri has another key under this kid than the set in the cache of the server${times}: publish a new key under a new kid.`
    : undefined
}

/** For the operator: whose key it is. */
export function spotOtherClient(scene: Scene): string | undefined {
  const { claimed, isBy } = signedIn(scene) ?? {}
  const owner = scene.others
    .filter(({ client_id: id }) => id !== claimed?.client.client_id)
    .slice(0, maxTries)
    .find(({ jwks }) => isBy !== undefined && (jwks?.keys ?? []).slice(0, maxTries).some(isBy))
  return (
    owner &&
    `The signature is that of a key of client ${printable(owner.client_id)}: the two are mixed up in one configuration.`
  )
}
