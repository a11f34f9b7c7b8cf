import type { Explanation } from '../lib/explain/for-cli'

/** A request as text, read for `explain`. */
export interface Input {
  readonly headers: NodeJS.Dict<string[]>
  /** The form; the text itself where its `Content-Type` says that it is none; `undefined` where there is no body. */
  readonly body: URLSearchParams | string | undefined
  /** The text of the body below headers, as it was sent: explain judges by them whether it is a form. */
  readonly text?: string
  /** The target of the request. */
  readonly url?: string
  /** What a line of a log tells, in place of a request. */
  readonly log?: Explanation
}

const formType = 'application/x-www-form-urlencoded'

/** A request of headers and a body, whatever text they came from. `text` is the body as it was sent. */
export function requestOf(
  headers: readonly (readonly [name: string, value: string])[],
  text: string,
  url?: string
): Input {
  const values = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    values.set(key, [...(values.get(key) ?? []), value.trim()])
  }
  const read = { headers: Object.fromEntries(values), ...(url === undefined ? {} : { url }) }
  // Without a body explain judges whether the headers announce one.
  if (text === '') return { ...read, body: undefined }
  const [type = formType] = values.get('content-type') ?? []
  const isForm = /^application\/x-www-form-urlencoded *(;|$)/i.test(type)
  return { ...read, body: isForm ? new URLSearchParams(text) : text, text }
}
