import { isObject } from './is-object'
import { doubtSeconds, type Fix, fixFunction, fixObject, fixSeconds, fixWords, kindOf, nearest } from './option-fixes'
import { warnOnce } from './warn-once'

/** What one option must be: the words finish the sentence "option x must be …". */
export interface OptionRule {
  readonly test: (value: unknown) => boolean
  readonly must: string
  /** For a list: what each item must be, so that the wrong one is named. */
  readonly item?: (value: unknown) => boolean
  /** What to write instead of a wrong value. */
  readonly fix?: Fix
  /** What is likely wrong with a value that may be meant: a process warning tells it. */
  readonly doubt?: Fix
  /** Whether a wrong string may be quoted: no secret is ever meant for this option. */
  readonly quotable?: boolean
}

export const optionRule = (must: string, test: (value: unknown) => boolean): OptionRule => ({ must, test })

/** A rule for a string that may be quoted. */
export const isWord = (must: string, test: (value: unknown) => boolean): OptionRule => ({ must, test, quotable: true })

export const isFunction: OptionRule = {
  ...optionRule('a function', (value) => typeof value === 'function'),
  fix: fixFunction
}
export const isPlainObject = optionRule('an object', isObject)
export const isBoolean = optionRule('true or false', (value) => typeof value === 'boolean')
export const isText = optionRule('a non-empty string', (value) => typeof value === 'string' && value !== '')

export const isNumber = (unit: string, min: number, max: number): OptionRule => ({
  ...optionRule(`${unit} from ${min} to ${max}`, (value) => typeof value === 'number' && value >= min && value <= max),
  ...(unit.endsWith('seconds') && { fix: fixSeconds(min, max), doubt: doubtSeconds })
})

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

/** A list of some known words; the note says why one is missing. */
export const isListOf = (known: readonly string[], note = ''): OptionRule => ({
  ...isList((value) => known.includes(value as string), known.join(', ') + note, 1),
  fix: fixWords(known)
})

export const hasMethod = (method: string, example: string): OptionRule => ({
  ...optionRule(
    `an object with a method ${method}, such as ${example}`,
    (value) => typeof value === 'object' && typeof (value as Record<string, unknown> | null)?.[method] === 'function'
  ),
  fix: fixObject(example)
})

const suggestion = (name: string, known: readonly string[]): string => {
  const meant = nearest(name, known, 3)
  return meant === undefined ? `; known are ${known.join(', ')}` : `; did you mean "${meant}"?`
}

function shown(value: unknown, { item, quotable }: OptionRule): string {
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

const inBrackets = (fix: string | undefined): string => (fix === undefined ? '' : ` (${fix})`)

/**
 * Throws a `TypeError` that names the option and the fix, unless `options` is an object with known
 * names and fitting values. `undefined` means absent. `usage` is a right call.
 */
export function checkOptions(
  caller: string,
  options: unknown,
  rules: Readonly<Record<string, OptionRule>>,
  usage = `${caller}({ … })`
): void {
  const fix = fixObject(usage)(options)
  if (!isObject(options) || fix !== undefined) {
    throw new TypeError(`${caller}: options must be an object, not ${kindOf(options)}${inBrackets(fix)}`)
  }
  for (const name of namesOf(options)) {
    const value = options[name]
    const found = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (found === undefined)
      throw new TypeError(`${caller}: unknown option "${name}"${suggestion(name, Object.keys(rules))}`)
    if (value !== undefined && !found.test(value)) {
      const fix = inBrackets(found.fix?.(value))
      throw new TypeError(`${caller}: option "${name}" must be ${found.must}, not ${shown(value, found)}${fix}`)
    }
    const doubt = found.doubt?.(value)
    if (doubt !== undefined)
      warnOnce({
        code: 'OAUTH_CLIENT_AUTH_DOUBTFUL',
        message: `${caller}: option "${name}" counts seconds, and ${doubt}`
      })
  }
}

/** Throws a `TypeError` for the first of these options that is absent. */
export function requireOptions<N extends string>(
  caller: string,
  options: Readonly<Partial<Record<N, unknown>>>,
  rules: Readonly<Record<N, OptionRule>>,
  ...names: readonly N[]
): void {
  const missing = names.find((name) => options[name] === undefined)
  if (missing !== undefined)
    throw new TypeError(`${caller}: option "${missing}" is required: it must be ${rules[missing].must}`)
}
