import { looksLikeJwt } from './scene'
import type { Scene } from './scene'

const sendAsAssertion =
  'send it as client_assertion, with client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer.'

const clientParameters = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type']

/** A text that has the look of a mistake, and the sentence for it. The first row that fits counts. */
type Looks = readonly (readonly [look: RegExp, sentence: string])[]

const sentenceFor = (text: string, looks: Looks): string | undefined => looks.find(([look]) => look.test(text))?.[1]

/** Of a body that is still text as well. */
function namesIn({ request: { body } }: Scene): readonly string[] {
  const form = typeof body === 'string' ? new URLSearchParams(body) : body
  return form instanceof URLSearchParams ? [...form.keys()] : Object.keys(Object(form) as object)
}

/** `clientID`, `Client-Id` and the like: the letters are right and the spelling is not. */
export function spotNearName(scene: Scene): string | undefined {
  const right = [...clientParameters, 'grant_type']
  const letters = (name: string) => name.toLowerCase().replace(/[^a-z]/g, '')
  const renamed = namesIn(scene).flatMap((name) => {
    const meant = right.find((one) => one !== name && letters(one) === letters(name))
    // Beside letters the name may hold a value, such as a secret
    const shown = /^[a-z_. -]{1,40}$/i.test(name) ? name : `one that is like ${String(meant)}`
    return meant === undefined ? [] : [`${shown} must be called ${meant}`]
  })
  return renamed.length === 0 ? undefined : `Names of parameters count to the letter: ${renamed.join(', ')}.`
}

export function spotQuery({ request: { url = '' } }: Scene): string | undefined {
  const names = [...new URLSearchParams(/\?([^#]*)/.exec(url)?.[1]).keys()].filter((name) => name.startsWith('client_'))
  if (names.length === 0) return undefined
  const known = clientParameters.filter((name) => names.includes(name)) // any other may hold a value
  return `Send ${known.join(', ') || 'the parameters'} in the body: the query string of the URL is never read, and ends up in logs.`
}

export const spotJsonBody = (scene: Scene): string | undefined =>
  namesIn(scene).some((name) => /^\s*[{[]/.test(name))
    ? 'The body is JSON under the type of a form: send name=value pairs joined by &, each value form-encoded.'
    : undefined

export const spotGrant = ({ received: { form } }: Scene): string | undefined =>
  form.assertion === undefined
    ? undefined
    : `The JWT in assertion is the grant, and authenticates no client: sign one for the client too, and ${sendAsAssertion}`

export const spotBearer = ({ received: { authorization = '' } }: Scene): string | undefined =>
  looksLikeJwt(authorization) ? `A JWT is sent in the Authorization header: ${sendAsAssertion}` : undefined

export function spotJwtAsSecret({ secret, received: { basic } }: Scene): string | undefined {
  const place = basic === undefined ? 'client_secret' : 'the Basic header'
  return looksLikeJwt(secret) ? `A JWT is sent as the secret, in ${place}: ${sendAsAssertion}` : undefined
}

const assertionLooks: Looks = [
  [/^Bearer\s/i, 'Leave "Bearer" out of client_assertion: it holds the JWT alone.'],
  [
    /^b["']/,
    "The bytes of Python are sent as text (b'…'): decode them before they are sent, as in assertion.decode()."
  ],
  [/^["'].*["']$/s, 'Remove the quotation marks around the JWT in client_assertion.'],
  [/^eyJ[\w.-]*%/, 'client_assertion is encoded twice: form-encode the JWT once, as any HTTP library does.'],
  [/^[^.]*$/, 'client_assertion holds no JWT, which has three parts with dots between: sign one and send it.'],
  [/^[\w-]+\.[\w-]+$/, 'The signature is missing: the JWT has two parts in place of three.'],
  [/^([\w-]*\.){4}[\w-]*$/, 'This JWT is encrypted, since it has five parts: send one that is signed, of three parts.']
]

/** Which character of `client_assertion` no JWT has, and where. */
export function spotCharacter({ received: { form } }: Scene): string | undefined {
  const token = form.client_assertion ?? ''
  const [character] = /[^\w.-]/.exec(token) ?? []
  const at = token.search(/[^\w.-]/)
  const look = sentenceFor(token, assertionLooks)
  if (look !== undefined || character === undefined) return look
  const where = `at character ${at + 1}, in part ${token.slice(0, at).split('.').length} of the JWT`
  if (/\s/.test(character)) return `Remove the white space or line break ${where}.`
  return /[=+/]/.test(character)
    ? `"${character}" stands ${where}: the parts are plain base64, and must be base64url without padding (RFC 7515 §2).`
    : `A character that no JWT has stands ${where}.`
}

const basicLooks: Looks = [
  [/:/, 'Encode id, colon and secret in base64: the header holds them in the clear.'],
  [/["'\s]/, 'Remove quotation marks and white space from the base64 of the Basic header.'],
  [/[-_]/, 'Use plain base64 (+ and /) in the Basic header: this is base64url.'],
  [/^(.{4})*.{1,3}$/s, 'The base64 of the Basic header is cut, or lacks its padding (=).']
]
const pairLooks: Looks = [
  [/(?:[\r\n]|%0[AD])$/i, 'The secret ends with a line break: leave it out before base64 (echo needs -n).'],
  [/\ufffd/, 'Encode id and secret in UTF-8 before base64: these octets are not UTF-8.'],
  [/^[^:]*$/, 'Join id and secret by a colon before base64: there is none.'],
  [/%/, 'Send a % in the id or the secret as %25: each is form-encoded before base64.']
]

export function spotBasic({ received: { authorization = '' } }: Scene): string | undefined {
  const token = authorization.replace(/^basic */i, '')
  return sentenceFor(token, basicLooks) ?? sentenceFor(Buffer.from(token, 'base64').toString(), pairLooks)
}

/** What differs between two URLs that look alike. */
function urlDifference(sent: string, wanted: string): string | undefined {
  if (sent.replace(/\/$/, '') === wanted.replace(/\/$/, '')) return 'a slash at the end'
  if (sent.toLowerCase() === wanted.toLowerCase()) return 'upper and lower case'
  if (!URL.canParse(sent) || !URL.canParse(wanted)) return undefined
  const [one, other] = [new URL(sent), new URL(wanted)]
  if (one.hostname !== other.hostname || one.pathname !== other.pathname) return undefined
  return one.protocol === other.protocol ? 'the port' : 'http in place of https, or the other way round'
}

export function spotAudience({ finding: { expected, received } }: Scene): string | undefined {
  const [sent, ...more] = [received].flat()
  if (typeof sent !== 'string' || more.length > 0 || !Array.isArray(expected)) return undefined
  const near = expected.map(String).find((wanted) => urlDifference(sent, wanted) !== undefined)
  return near && `Write aud exactly as ${near}: the two differ by ${String(urlDifference(sent, near))}.`
}

export function spotType({ received: { jws } }: Scene): string | undefined {
  const names = (['iss', 'sub'] as const).filter((name) => jws?.[name] !== undefined && typeof jws[name] !== 'string')
  return names.length === 0
    ? undefined
    : `${names.join(' and ')} must be a string: write the client_id in quotation marks.`
}

/** A clock that is wrong by as much as a zone is away from UTC. No zone is half an hour or an hour and a half away. */
export function spotTimeZone({ received: { jws }, now }: Scene): string | undefined {
  const away = Number(jws?.iat ?? jws?.nbf) - now
  const halves = Math.round(away / 1800)
  const isZone = ![0, 1, 3].includes(Math.abs(halves)) && Math.abs(halves) <= 28
  if (!isZone || Math.abs(away - halves * 1800) > 120) return undefined
  const hours = `${Math.abs(halves) / 2} h ${halves > 0 ? 'ahead' : 'behind'}`
  const other = halves > 0 ? 'its clock is wrong' : 'its clock is wrong, or it sends an old assertion again'
  return `The times are ${hours}: the sender takes its local time for UTC, or ${other}. JWT times count in UTC.`
}

/** The life of an assertion, judged apart from the clock. */
export function spotLifetime({ received: { jws }, claimed, now }: Scene): string | undefined {
  const { exp = NaN, iat = NaN } = jws ?? {}
  if (exp <= iat) return 'exp must be later than iat: this assertion ends before it was made.'
  return exp - iat <= Number(claimed?.policy.maxAssertionLifetime) && iat > now
    ? `The lifetime of ${exp - iat} s is right, but the clock of the sender is ahead: set it by NTP.`
    : undefined
}
