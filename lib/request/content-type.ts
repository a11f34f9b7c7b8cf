import { printable } from '../basics/printable'
import type { Rule } from '../refusals/rules'
import type { ClientAuthRequest } from '../types'
import { headerValues } from './headers'

/** A body before it is parsed: its headers, and whether it has any octets. */
export interface UnparsedBody {
  readonly headers: ClientAuthRequest['headers']
  readonly isEmpty: boolean
}

type Headed = Pick<UnparsedBody, 'headers'>

const valueOf = ({ headers }: Headed, name: string): string => headerValues(headers, name).map(String).join(', ')
const encodingOf = (body: UnparsedBody): string => valueOf(body, 'content-encoding').toLowerCase()

const form = 'application/x-www-form-urlencoded'

/** The type of a body, and the one that it must have. */
export const contentTypeFacts = (body: Headed) => ({
  expected: form,
  received: printable(valueOf(body, 'content-type') || 'no Content-Type')
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
  detail: (body) => ({ expected: 'no Content-Encoding', received: printable(encodingOf(body)) })
}

/** In the order in which `clientAuth` judges them. */
export const unparsedRules: readonly Rule<UnparsedBody>[] = [encodingRule, contentTypeRule]
