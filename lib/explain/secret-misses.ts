import { nobody } from '../methods/client-record'
import { liveSecrets } from '../methods/stored-secrets'
import type { Scene } from './scene'

/** Form-decoded once more. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
const unquoted = (text: string): string => text.replace(/^(["'])(.*)\1$/s, '$2')

/** What a client may have made of the right secret: each undone, and what it is. */
const forms: readonly (readonly [undo: (sent: string) => string, seen: string])[] = [
  [(sent) => sent.trim(), 'The secret is right, but white space stands around it: remove it.'],
  [unquoted, 'The secret is right, but quotation marks stand around it: remove them.'],
  [decoded, 'The secret is encoded twice: form-encode it once.'],
  [(sent) => Buffer.from(sent, 'latin1').toString(), 'The UTF-8 of the secret was taken for Latin-1: encode it once.'],
  [(sent) => Buffer.from(sent, 'base64').toString(), 'The base64 of the secret is sent: send it as it was issued.'],
  [(sent) => Buffer.from(sent).toString('base64'), 'The secret is sent base64-decoded: send the text that was issued.'],
  [(sent) => sent.slice(sent.indexOf(':') + 1), 'The id and a colon stand before the secret: send the secret alone.']
]

/** Whether the stored secrets can be compared with: a hash cannot, and each try would call the operator's function. */
const isPlain = ({ claimed }: Scene): boolean => claimed?.policy.verifySecret === undefined

const storedFor = ({ claimed }: Scene): readonly string[] =>
  claimed === undefined || claimed.client === nobody ? [] : liveSecrets(claimed.client, claimed.nowSeconds)

export function spotSecret(scene: Scene): string | undefined {
  if (!isPlain(scene)) return undefined
  const { secret: sent, claimed } = scene
  const stored = storedFor(scene)
  const found = forms.find(([undo]) => undo(sent) !== sent && stored.includes(undo(sent)))
  if (found !== undefined) return found[1]
  if (stored.some((one) => new URLSearchParams(`secret=${one}`).get('secret') === sent))
    return 'The secret is sent as it is, but in a form + means a space, and % and & are marks: form-encode it (+ is %2B).'
  if (stored.some((one) => one.toLowerCase() === sent.toLowerCase()))
    return 'The secret differs from the right one in upper and lower case alone.'
  if (claimed !== undefined && liveSecrets(claimed.client, -Infinity).includes(sent))
    return 'This is an earlier secret, which has expired: configure the one that was issued last.'
  const isPart = sent.length > 7 && stored.some((one) => one.startsWith(sent) || sent.startsWith(one))
  return isPart ? `The secret is cut or has something behind it: ${sent.length} characters came.` : undefined
}

/** What the operator alone can mend, or has to know. */
export function spotStored(scene: Scene): string | undefined {
  if (!isPlain(scene)) return 'Configure the secret that was issued last. Not tried: the secret is stored as a hash.'
  return storedFor(scene).some((one) => one.trim() === scene.secret)
    ? 'The stored secret has white space or a line break around it, which no request can present: store it without.'
    : undefined
}

export async function spotOtherId({ received: { basic, form, jws }, secret, lookUp }: Scene) {
  const sub = typeof jws?.sub === 'string' ? jws.sub : ''
  const id = basic?.clientId ?? form.client_id ?? sub
  const owner = secret === '' ? undefined : await lookUp(secret)
  if (owner !== undefined && liveSecrets(owner, -Infinity).includes(id))
    return 'client_id and client_secret are swapped: send each in the place of the other.'
  const meant = new Set(
    [id.trim(), unquoted(id), decoded(id), id.toLowerCase()].filter((one) => ![id, ''].includes(one))
  )
  for (const one of meant) {
    if ((await lookUp(one)) !== undefined)
      return 'client_id is not written to the letter: case, spaces, quotation marks and encoding count.'
  }
  return undefined
}
