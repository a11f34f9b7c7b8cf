/** The longest client_id and the longest secret, in characters. Public servers hand out ids of 764. */
export const maxText = 1024

/** RFC 6749 Appendix A.1: client_id is *VSCHAR. */
export const isClientId = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= maxText && /^[\x20-\x7e]+$/.test(value)

/** Why a text is no client_id, in words that follow its name. */
export function clientIdFault(text: string): string | undefined {
  const isId: boolean = isClientId(text)
  if (isId) return undefined
  const found = /[^\x20-\x7e]/.test(text) ? 'holds others' : `has ${text.length}`
  return `must be 1 to ${maxText} printable ASCII characters, and ${found}`
}

/** Why a text is no secret, in words that follow its name. RFC 6749 Appendix A.2 allows VSCHAR; UTF-8 is tolerated. */
export function secretFault(text: string): string | undefined {
  if (/[\r\n]$/.test(text)) return 'ends with a control character, a line break'
  if (/\p{Cc}/u.test(text)) return 'holds a control character, such as a line break'
  if (/\p{Cs}/u.test(text)) return 'holds half of a surrogate pair'
  return text.length > maxText ? `is too long: it has ${text.length} characters, more than ${maxText}` : undefined
}

export const isSecret = (value: string | undefined): boolean => value !== undefined && secretFault(value) === undefined
