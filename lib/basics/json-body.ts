const maxDepth = 16

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The JSON in the body of an answer: UTF-8 (RFC 8259 §8.1), at most 16 levels deep; or why there is none. */
export function jsonOf(body: Uint8Array): { readonly value: unknown } | { readonly fault: string } {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    // The error of JSON.parse is dropped: it quotes the body
    return { fault: 'the body is not JSON in UTF-8' }
  }
  let level = [value].filter(isContainer)
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) return { fault: 'the JSON is nested too deeply' }
    level = level.flatMap((container): unknown[] => Object.values(container)).filter(isContainer)
  }
  return { value }
}
