import { attempt } from './attempt'
import { isObject } from './is-object'

const maxDepth = 16

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The JSON object in the body of an answer, judged as by {@link jsonOf}. */
export function jsonObjectOf(
  body: Uint8Array
): { readonly value: Record<string, unknown> } | { readonly fault: string } {
  const json = jsonOf(body)
  if ('fault' in json) return json
  return isObject(json.value) ? { value: json.value } : { fault: 'the body is not a JSON object' }
}

/** The JSON in the body of an answer: UTF-8 (RFC 8259 §8.1), at most 16 levels deep; or why there is none. */
export function jsonOf(body: Uint8Array): { readonly value: unknown } | { readonly fault: string } {
  // The error of JSON.parse is dropped: it quotes the body
  const value = attempt(() => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown)
  if (value === undefined) return { fault: 'the body is not JSON in UTF-8' }
  let level = [value].filter(isContainer)
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > maxDepth) return { fault: 'the JSON is nested too deeply' }
    level = level.flatMap((container): unknown[] => Object.values(container)).filter(isContainer)
  }
  return { value }
}
