/** What one option must be: the words finish the sentence "option x must be …". */
export interface OptionRule {
  readonly test: (value: unknown) => boolean
  readonly must: string
  /** For a list: what each item must be, so that the wrong one is named. */
  readonly item?: (value: unknown) => boolean
  /** What else helps against a wrong string. */
  readonly hint?: string
  /** Whether a wrong string may be quoted: no secret is ever meant for this option. */
  readonly quotable?: boolean
}

export const optionRule = (must: string, test: (value: unknown) => boolean): OptionRule => ({ must, test })

/** A rule for a string that may be quoted. */
export const isWord = (must: string, test: (value: unknown) => boolean): OptionRule => ({ must, test, quotable: true })

export const isFunction = optionRule('a function', (value) => typeof value === 'function')
export const isBoolean = optionRule('true or false', (value) => typeof value === 'boolean')
export const isText = optionRule('a non-empty string', (value) => typeof value === 'string' && value !== '')

export const isNumber = (unit: string, min: number, max: number): OptionRule =>
  optionRule(`${unit} from ${min} to ${max}`, (value) => typeof value === 'number' && value >= min && value <= max)

export const isInteger = (unit: string, min: number, max: number): OptionRule =>
  optionRule(
    `${unit}, whole, from ${min} to ${max}`,
    (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max
  )

export const isList = (item: (value: unknown) => boolean, what: string, least = 0): OptionRule => ({
  must: `${least > 0 ? 'a non-empty array' : 'an array'} of ${what}`,
  test: (value) => Array.isArray(value) && value.length >= least && value.every(item),
  item
})

export const hasMethod = (method: string, example: string): OptionRule =>
  optionRule(`an object with a method ${method}, such as ${example}`, (value) => {
    return (
      typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[method] === 'function'
    )
  })

/** Levenshtein distance, for "did you mean". */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of Array.from(a).entries()) {
    let [left, diagonal] = [i, Infinity]
    row = row.map((above, j) => {
      left = Math.min(left + 1, above + 1, diagonal + (letter === b[j - 1] ? 0 : 1))
      diagonal = above
      return left
    })
  }
  return Number(row.at(-1))
}

function suggestion(name: string, known: readonly string[]): string {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z]/g, '')
  const scored = known.map((candidate) => ({ candidate, score: distance(plain(name), plain(candidate)) }))
  const best = scored.sort((a, b) => a.score - b.score)[0]
  return best !== undefined && best.score <= 3
    ? `; did you mean "${best.candidate}"?`
    : `; known are ${known.join(', ')}`
}

/** What was given, without its content: an option may hold a secret. */
function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return `a value of type ${typeof value}`
}

function given(value: unknown, { item, quotable }: OptionRule): string {
  const quoted = (text: unknown) => (typeof text === 'string' ? `"${text}"` : kindOf(text))
  if (quotable) return quoted(value)
  if (item === undefined || !Array.isArray(value)) return kindOf(value)
  return value.length === 0 ? 'an empty one' : `one with ${quoted(value.find((one) => !item(one)))}`
}

/** Every name under which reading an option would find something: an object of a class has them on its prototypes. */
function namesOf(options: object): Set<string> {
  const names = new Set<string>()
  let from: object | null = options
  do {
    for (const name of Object.getOwnPropertyNames(from)) if (name !== 'constructor' || from === options) names.add(name)
    from = Object.getPrototypeOf(from) as object | null
  } while (from !== null && !Object.hasOwn(from, 'hasOwnProperty'))
  return names
}

/**
 * Throws a `TypeError` that names the option and the fix, unless `options` is an object with known
 * names and fitting values. `undefined` means absent.
 */
export function checkOptions(caller: string, options: unknown, rules: Readonly<Record<string, OptionRule>>): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${caller}: options must be an object, not ${kindOf(options)}`)
  }
  for (const name of namesOf(options)) {
    const value = (options as Record<string, unknown>)[name]
    const found = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (found === undefined)
      throw new TypeError(`${caller}: unknown option "${name}"${suggestion(name, Object.keys(rules))}`)
    if (value !== undefined && !found.test(value)) {
      const hint = found.hint !== undefined && typeof value === 'string' ? ` (${found.hint})` : ''
      throw new TypeError(`${caller}: option "${name}" must be ${found.must}, not ${given(value, found)}${hint}`)
    }
  }
}
