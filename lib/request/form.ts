import type { Rule } from '../refusals/rules'
import type { ClientAuthRequest } from '../types'
import { headerValues } from './headers'

/**
 * RFC 6749 §3.2: no parameter twice. These have a single meaning for every handler; others may repeat for their
 * owners (`resource`, RFC 8707; `audience`, RFC 8693).
 */
const singleParameters = [
  ...['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'],
  ...['grant_type', 'assertion', 'code', 'code_verifier', 'redirect_uri', 'refresh_token']
] as const

type SingleParameter = (typeof singleParameters)[number]
/** The parameters that matter, by name. */
export type Form = Partial<Record<SingleParameter, string>>

const emptyForm: Form = Object.fromEntries(singleParameters.map((name) => [name, undefined]))

/** A form body as it was read. */
export interface ReceivedForm {
  readonly form: Form
  /** Whether the body is a form at all: a parsed one, or none that was sent. */
  isReadable: boolean
  /** The parameter that stands there more than once. */
  repeated: string | undefined
  /** The parameter that is no string. */
  malformed: string | undefined
}

export const formRules: readonly Rule<ReceivedForm>[] = [
  {
    check: 'body',
    reason: 'body_unreadable',
    spec: 'RFC 6749 §3.2',
    holds: ({ isReadable }) => isReadable
  },
  {
    check: 'parameters, each once',
    reason: 'parameter_repeated',
    spec: 'RFC 6749 §3.2',
    holds: ({ repeated }) => repeated === undefined,
    words: ({ repeated }) => `Parameter ${String(repeated)} is repeated.`,
    detail: ({ repeated }) => ({ parameter: repeated })
  },
  {
    check: 'parameters, each a string',
    reason: 'parameter_malformed',
    spec: 'RFC 6749 Appendix A',
    holds: ({ malformed }) => malformed === undefined,
    words: ({ malformed }) => `Parameter ${String(malformed)} must be a string.`,
    detail: ({ malformed }) => ({ parameter: malformed, expected: 'a string' })
  }
]

/** A plain object of any realm, URLSearchParams or FormData: anything else (a stream, a Map) would read as empty. */
function isForm(body: unknown): body is object {
  if (typeof body !== 'object' || body === null) return false
  const prototype: unknown = Object.getPrototypeOf(body)
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return true
  return typeof (body as URLSearchParams).getAll === 'function'
}

/** Reads one parameter at a time; an array where it is repeated. */
function reader(body: object): (name: SingleParameter) => unknown {
  if (typeof (body as URLSearchParams).getAll !== 'function') {
    return (name) => (Object.hasOwn(body, name) ? (body as Form)[name] : undefined)
  }
  return (name) => {
    const values = (body as URLSearchParams).getAll(name)
    return values.length > 1 ? values : values[0]
  }
}

/**
 * Whether the headers announce a body (RFC 9112 §6.3) that is not there. It was read by somebody else, or by nobody: not
 * the same as an empty one.
 */
export const isUnread = ({ headers, body }: ClientAuthRequest): boolean =>
  (body === undefined || body === null) &&
  (headerValues(headers, 'transfer-encoding').some(Boolean) ||
    headerValues(headers, 'content-length').some((length) => Number(length) > 0))

/** Reads the parameters that matter. Judges nothing: that is {@link formRules}' part. */
export function readForm(request: ClientAuthRequest): ReceivedForm {
  // Own properties, all of them: a polluted prototype must not supply credentials.
  const form = { ...emptyForm }
  const received: ReceivedForm = { form, isReadable: true, repeated: undefined, malformed: undefined }
  const { body } = request
  if (body === undefined || body === null) {
    received.isReadable = !isUnread(request)
    return received
  }
  if (!isForm(body)) {
    received.isReadable = false
    return received
  }
  const read = reader(body)
  for (const name of singleParameters) {
    const value = read(name)
    if (Array.isArray(value)) received.repeated ??= name
    else if (value === undefined || value === null || value === '') continue // RFC 6749 §3.2: as if omitted
    else if (typeof value === 'string') form[name] = value
    else received.malformed ??= name
  }
  return received
}
