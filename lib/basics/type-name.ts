import { types } from 'node:util'

/** What kind of value something is, without its content: for people who stored or returned the wrong one. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return 'a text'
  if (typeof value !== 'object') return `a ${typeof value}`
  if (Array.isArray(value)) return 'an array'
  if (types.isDate(value)) return 'a Date'
  if (types.isPromise(value)) return 'a Promise'
  return ArrayBuffer.isView(value) ? 'a Buffer' : 'an object'
}
