import { stripVTControlCharacters } from 'node:util'

/** Text from outside as a terminal may show it: no control character, and nothing that reverses the writing. */
export const safe = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** A message of our own that quotes an argument: no control character, and nothing that reverses the writing. */
export const safeMessage = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, safe)

/** A value as one line of JSON that a terminal may show; a string without its quotes. */
export const inline = (value: unknown): string =>
  safe(typeof value === 'string' ? value : value === undefined ? 'nothing' : JSON.stringify(value))

/** Lines of at most 80 columns, as far as the words allow; what hangs over begins at `indent`. */
export function wrapped(text: string, indent: number): string[] {
  const lines: string[] = []
  for (const word of text.trimStart().split(/ (?! )/)) {
    const last = lines.at(-1)
    const longer = `${last} ${word}`
    // Colours take no room
    if (last !== undefined && stripVTControlCharacters(longer).length <= 80) lines[lines.length - 1] = longer
    else lines.push(`${' '.repeat(last === undefined ? text.length - text.trimStart().length : indent)}${word}`)
  }
  return lines.map((line) => line.trimEnd())
}
