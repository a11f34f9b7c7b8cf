import { isUtf8 } from 'node:buffer'
import { attempt } from '../basics/attempt'
import { canonicalBase64 } from '../basics/canonical-base64'
import { clientIdFault, secretFault } from './syntax'

/** What stands in a Basic header, decoded. */
export interface Basic {
  /** Why it cannot be read. */
  readonly fault: string | undefined
  readonly clientId: string
  readonly secret: string
  readonly undecoded: string
}

/** RFC 6749 Appendix B, strict: undefined for a malformed %XX or UTF-8. */
export const formDecode = (text: string): string | undefined =>
  /[%+]/.test(text) ? attempt(() => decodeURIComponent(text.replaceAll('+', ' '))) : text

const unreadable = (fault: string): Basic => ({ fault, clientId: '', secret: '', undecoded: '' })

/** RFC 7617 §2 and RFC 6749 §2.3.1: id and secret, each form-encoded, joined by the first colon. */
export function decodeBasic(token: string): Basic {
  const octets = token === '' ? Buffer.of() : canonicalBase64(token)
  if (octets === undefined || !isUtf8(octets)) return unreadable('The Basic credentials are not base64 of UTF-8 text.')
  const pair = octets.toString()
  const colon = pair.indexOf(':')
  if (colon < 0) return unreadable('The Basic credentials hold no colon.')
  const undecoded = pair.slice(colon + 1)
  const clientId = formDecode(pair.slice(0, colon))
  const secret = formDecode(undecoded)
  if (clientId === undefined || secret === undefined) {
    return unreadable('The client_id and secret in Basic credentials must each be form-urlencoded.')
  }
  const faults = { client_id: clientIdFault(clientId), secret: secretFault(secret) }
  const [part, why] = Object.entries(faults).find(([, fault]) => fault !== undefined) ?? []
  const fault = why === undefined ? undefined : `The Basic credentials are malformed: ${String(part)} ${why}.`
  return { fault, clientId, secret, undecoded }
}
