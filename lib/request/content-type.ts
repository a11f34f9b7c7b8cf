import { attempt } from '../basics/attempt'
import { printableId } from '../basics/printable'
import type { Rule } from '../refusals/rules'
import type { ClientAuthRequest } from '../types'
import { headerValues } from './headers'

/** A body before it is parsed: its headers, and whether it has any octets. */
interface UnparsedBody {
  readonly headers: ClientAuthRequest['headers']
  readonly isEmpty: boolean
  /** Whether all of its octets, and those behind a `%`, are UTF-8. */
  readonly isUtf8: boolean
}

type Headed = Pick<UnparsedBody, 'headers'>

const valueOf = ({ headers }: Headed, name: string): string => headerValues(headers, name).map(String).join(', ')
const encodingOf = (body: UnparsedBody): string => valueOf(body, 'content-encoding').toLowerCase()

export const form = 'application/x-www-form-urlencoded'

/** The type of a body, and the one that it must have. */
export const contentTypeFacts = (body: Headed) => ({
  expected: form,
  received: printableId(valueOf(body, 'content-type') || 'no Content-Type')
})

/** RFC 6749 §3.2: a body says that it is a form. An empty one may say anything. */
export const contentTypeRule: Rule<UnparsedBody> = {
  check: 'content type',
  reason: 'body_content_type',
  spec: 'RFC 6749 §3.2',
  holds: (body) => body.isEmpty || /^application\/x-www-form-urlencoded *(;|$)/i.test(valueOf(body, 'content-type')),
  detail: contentTypeFacts
}

/** A compressed body is never inflated: `clientAuth` refuses it. */
const encodingRule: Rule<UnparsedBody> = {
  check: 'content encoding',
  reason: 'body_unreadable',
  spec: 'our limit',
  holds: (body) => body.isEmpty || ['', 'identity'].includes(encodingOf(body)),
  detail: (body) => ({ expected: 'no Content-Encoding', received: printableId(valueOf(body, 'content-encoding')) })
}

/** Whether what stands behind the `%` of a form is UTF-8. A `%` that encodes nothing stands for itself. */
export const hasUtf8Escapes = (text: string): boolean =>
  !/%[89a-f]/i.test(text) ||
  (text.match(/(?:%[\da-f]{2})+/gi) ?? []).every((run) => attempt(() => decodeURIComponent(run)) !== undefined)

/** RFC 6749 Appendix B, WHATWG URL §5: a form is UTF-8. A charset in its type has no say. */
export const utf8Rule: Rule<UnparsedBody> = {
  check: 'UTF-8',
  reason: 'body_unreadable',
  spec: 'RFC 6749 Appendix B',
  holds: ({ isUtf8 }) => isUtf8,
  words: () => 'The body is not UTF-8: a form is UTF-8, whatever charset its Content-Type names.',
  detail: () => ({ expected: 'UTF-8', received: 'other octets, such as those of ISO-8859-1' })
}

/** In the order in which `clientAuth` judges them. */
export const unparsedRules: readonly Rule<UnparsedBody>[] = [encodingRule, contentTypeRule, utf8Rule]
