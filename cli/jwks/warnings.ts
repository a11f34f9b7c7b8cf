import { type FetchStep, isObject, lookAtCertificate } from '../../lib/explain/for-cli'
import { inline } from '../text'
import { maxKeys } from './key-table'

/** What is good today and will break, or breaks for some clients: one sentence each. */
export type Warnings = readonly string[]

/** `end` in milliseconds since the epoch. */
const endsSoon = (what: string, end: number, days: number): string[] => {
  const left = Math.floor((end - Date.now()) / 86_400_000)
  if (left >= days || Number.isNaN(left)) return []
  const when = new Date(end).toUTCString()
  return [left < 0 ? `${what} has ended (${when}).` : `${what} ends in ${left} days (${when}).`]
}

/** The members that make a public key what it is. */
const valueOf = ({ kty, crv, n, e, x, y }: Record<string, unknown>) => JSON.stringify([kty, crv, n, e, x, y])

/** The certificate is a stranger's, so it is looked at and not decoded. */
function ofKey(jwk: Record<string, unknown>, days: number): string[] {
  const [first] = (Array.isArray(jwk.x5c) ? jwk.x5c : []) as unknown[]
  const seen = typeof first === 'string' ? lookAtCertificate(Buffer.from(first, 'base64')) : undefined
  if (seen === undefined) return []
  const name = `the certificate (x5c) of key ${inline(jwk.kid ?? 'without kid').slice(0, 60)}`
  const { key, validTo } = seen
  const isOther = typeof key === 'object' && valueOf({ ...key }) !== valueOf(jwk)
  return [
    ...(typeof key === 'string' ? [`the key in ${name} ${key}.`] : []),
    ...(isOther ? [`${name} belongs to another key.`] : []),
    ...endsSoon(name, validTo * 1000, days)
  ]
}

/** What to warn of in a key set, and in the certificate of the server that publishes it. */
export function warningsOf(set: unknown, steps: readonly FetchStep[], days: number): Warnings {
  const { keys } = isObject(set) ? set : {}
  const all = (Array.isArray(keys) ? keys : []).filter(isObject).slice(0, maxKeys)
  // The same kid for keys of different types is allowed (RFC 7517 §4.5): alg tells them apart.
  const names = all.filter(({ kid }) => kid !== undefined).map(({ kid, kty, crv }) => JSON.stringify([kid, kty, crv]))
  const twice = [...new Set(names.filter((name, index) => names.indexOf(name) < index))]
  return [
    ...steps.flatMap((step) =>
      step.step === 'certificate' ? endsSoon('the certificate of the server', Date.parse(step.validTo), days) : []
    ),
    ...twice.map((name) => `several keys have the kid ${inline((JSON.parse(name) as string[])[0]).slice(0, 60)}.`),
    ...all.flatMap((jwk) => ofKey(jwk, days))
  ]
}

/** What stands where a key set should, where its look tells. */
export function shapeAdvice(value: unknown): string | undefined {
  if (!isObject(value)) return undefined
  if (Array.isArray(value.keys) && value.keys.length > maxKeys)
    return `The owner has to take old keys out of the set: at most ${maxKeys} are read.`
  if ('keys' in value) return undefined
  if ('kty' in value) return 'This is one JWK: publish { "keys": [ … ] } with it inside (RFC 7517 §5).'
  if ('client_id' in value || 'jwks' in value || 'jwks_uri' in value)
    return 'This is the record of a client: the key set is its member jwks, or stands at its jwks_uri.'
  return undefined
}
