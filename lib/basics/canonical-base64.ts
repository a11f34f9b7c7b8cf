/**
 * The octets of a text in the one canonical spelling of base64 (RFC 4648 §3.5) or base64url (RFC 7515 §2), `undefined`
 * for any other value and for none. Node's decoder skips whatever it does not know, so one value could be spelt in many
 * ways.
 */
export function canonicalBase64(text: unknown, encoding: 'base64' | 'base64url' = 'base64'): Buffer | undefined {
  if (typeof text !== 'string' || text === '') return undefined
  const octets = Buffer.from(text, encoding)
  return octets.toString(encoding) === text ? octets : undefined
}
