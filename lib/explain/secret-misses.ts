import { printableId } from '../basics/printable'
import { nobody } from '../methods/client-record'
import { liveSecrets } from '../methods/stored-secrets'
import { formDecode } from '../request/basic'
import type { Scene } from './scene'

/** Form-decoded once more. */
const decoded = (text: string): string => formDecode(text) ?? text
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

/** The whole secret, in another form: whoever sent it has it. */
export function spotSecret(scene: Scene): string | undefined {
  if (!isPlain(scene)) return undefined
  const { secret: sent } = scene
  const stored = storedFor(scene)
  const found = forms.find(([undo]) => undo(sent) !== sent && stored.includes(undo(sent)))
  if (found !== undefined) return found[1]
  return stored.some((one) => new URLSearchParams(`secret=${one}`).get('secret') === sent)
    ? 'The secret is sent as it is, but in a form + means a space, and % and & are marks: form-encode it (+ is %2B).'
    : undefined
}

/** Another text than the secret, which a guess may be. */
export function spotNearSecret(scene: Scene): string | undefined {
  if (!isPlain(scene)) return undefined
  const { secret: sent, claimed } = scene
  const stored = storedFor(scene)
  if (stored.some((one) => one.toLowerCase() === sent.toLowerCase()))
    return 'The secret differs from the right one in upper and lower case alone.'
  if (claimed !== undefined && liveSecrets(claimed.client, -Infinity).includes(sent))
    return 'This is an earlier secret, which has expired: configure the one that was issued last.'
  const isPart = sent.length > 7 && stored.some((one) => one.startsWith(sent) || sent.startsWith(one))
  return isPart ? `The secret is cut or has something behind it: ${sent.length} characters came.` : undefined
}

/** What the operator alone can mend, or has to know. */
export function spotStored(scene: Scene): string | undefined {
  if (!isPlain(scene))
    return 'Look for spaces around the secret and for form-encoding, or configure the one that was issued last: which it is was not tried, since the secret is stored as a hash.'
  return storedFor(scene).some((one) => one.trim() === scene.secret)
    ? 'The stored secret has white space or a line break around it, which no request can present: store it without.'
    : undefined
}

function sentId({ received: { basic, form, jws } }: Scene): string {
  const sub = typeof jws?.sub === 'string' ? jws.sub : ''
  return basic?.clientId ?? form.client_id ?? sub
}

export async function spotSwapped(scene: Scene): Promise<string | undefined> {
  const owner = scene.secret === '' ? undefined : await scene.lookUp(scene.secret)
  return owner !== undefined && liveSecrets(owner, -Infinity).includes(sentId(scene))
    ? 'client_id and client_secret are swapped: send each in the place of the other.'
    : undefined
}

/** That there is such a client, and how its id is written. */
export async function spotOtherSpelling(scene: Scene): Promise<string | undefined> {
  const id = sentId(scene)
  const meant = new Set(
    [id.trim(), unquoted(id), decoded(id), id.toLowerCase()].filter((one) => ![id, ''].includes(one))
  )
  for (const one of meant) {
    if ((await scene.lookUp(one)) !== undefined)
      return `client_id is not written to the letter, which is ${printableId(one)}: case, spaces, quotation marks and encoding count.`
  }
  return undefined
}
