/**
 * Where a JWT begins: `{"` in base64url, or that once more in base64, as in a Basic header. Or three parts, the last as
 * long as a signature: a header that was written with white space begins otherwise. The parts are looked for at their
 * beginnings alone, since the texts of strangers are long.
 */
const jwtLook = /(?:eyJ|ZXlK)[\w+/=-]{10}|(?<![\w-])[\w-]{10,}\.[\w-]{10,}\.[\w-]{40,}/

/** Stands in logs for a text that must not be shown. */
export const byLength = (what: string, { length }: string): string => `(${what} of ${length} characters)`

/** A text, or its length where it looks like a JWT. */
const withoutJwt = (text: string): string => (jwtLook.test(text.replace(/\s+/g, '')) ? byLength('a JWT', text) : text)

/**
 * Decides how logs, events and `explain` show a value from outside. Strings are cut to 256 printable ASCII characters,
 * lists to ten items, and of an object only the kind is told. What looks like a JWT is told by its length: it may be a
 * good assertion in the wrong place, and whoever reads the log could use it.
 */
export function printable(value: string): string
export function printable(value: unknown): unknown
export function printable(value: unknown): unknown {
  if (typeof value === 'string') {
    const text = withoutJwt(value)
    return text.slice(0, 256).replace(/[^\x20-\x7e]/g, '?')
  }
  if (Array.isArray(value))
    return value.slice(0, 10).map((item: unknown) => (Array.isArray(item) ? 'an array' : printable(item)))
  return typeof value === 'object' && value !== null ? 'an object' : value
}

/** Long, of all kinds of characters or in hex, without the dots and slashes of a name: generated, or a passphrase. */
const isLikeSecret = (text: string): boolean =>
  text.length >= 20 &&
  !/[./@]/.test(text) &&
  (/ |^[\da-f]{32,}$/i.test(text) || [/[a-z]/, /[A-Z]/, /\d/].every((kind) => kind.test(text)))

/** An id and its secret may stand there together, joined by a colon. */
const looksSecret = (text: string): boolean => text.split(':').some(isLikeSecret)

/**
 * The same for a client_id that belongs to no known client: it may be a secret in the wrong place. `secret` is what
 * the request presents as such: where the two are swapped, the id is the longer one.
 */
export function printableId(id: string, secret = ''): string {
  const isSwapped = id.length >= 16 && secret !== '' && id.length >= secret.length
  return isSwapped || looksSecret(id) ? byLength('a text', id) : printable(id)
}

/** Whether a text, which may be cut, shows a secret. A short secret may stand in a longer text by chance. */
function shows(text: string, secret: string): boolean {
  const printed = secret.slice(0, 256).replace(/[^\x20-\x7e]/g, '?')
  return text === secret || text === printed || (secret.length >= 8 && text.includes(printed))
}

/** Facts in which each text that shows one of these secrets, or looks like a JWT, is told by its length. */
export function withoutSecrets<T>(facts: T, secrets: readonly string[]): T
export function withoutSecrets(facts: unknown, secrets: readonly string[]): unknown {
  if (typeof facts === 'string')
    return secrets.some((secret) => shows(facts, secret)) ? byLength('a secret', facts) : withoutJwt(facts)
  if (Array.isArray(facts)) return facts.map((item: unknown) => withoutSecrets(item, secrets))
  if (typeof facts !== 'object' || facts === null) return facts
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, withoutSecrets(value, secrets)]))
}
