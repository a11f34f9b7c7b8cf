import type { ClientAuthRequest } from '../types'

type HeaderSource = ClientAuthRequest['headers']

/**
 * Every value of a header, the name in any case: API gateways hand on names as the client spelt them. Only the
 * request's own headers count: a polluted prototype must not supply credentials.
 */
export function headerValues(headers: HeaderSource, name: string): unknown[] {
  if (typeof headers.get === 'function') {
    const value = (headers as Headers).get(name)
    return value === null ? [] : [value]
  }
  const values: unknown[] = []
  for (const key in headers) {
    if (key.length !== name.length || (key !== name && key.toLowerCase() !== name)) continue
    if (!Object.hasOwn(headers, key)) continue
    const value = (headers as NodeJS.Dict<string | string[]>)[key]
    if (Array.isArray(value)) values.push(...(value as unknown[]))
    else if (value !== undefined) values.push(value)
  }
  return values
}

/** How often a header stands in Node's raw list, which keeps what `headers` drops. */
export const countRaw = (rawHeaders: readonly string[], name: string): number =>
  rawHeaders.filter((key, at) => at % 2 === 0 && key.length === name.length && key.toLowerCase() === name).length
