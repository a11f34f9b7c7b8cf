import { printable } from '../refusals/errors'
import type { Rule } from '../refusals/rules'
import { maxAssertion, type Received } from './credentials'
import { formRules } from './form'
import { isClientId, isSecret } from './syntax'

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The grants whose own parameter `assertion` is (RFC 7521 §4.1). */
const assertionGrants = ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:saml2-bearer']

/** Whether a `client_id` alone may authenticate here. */
const isBare = ({ form, bareMethods }: Received): boolean => bareMethods.length > 0 && form.client_id !== undefined

/** Whether the form was read whole: a parameter that stands there twice, or is no string, counts as missing. */
const isWhole = ({ isReadable, repeated, malformed }: Received): boolean =>
  isReadable && repeated === undefined && malformed === undefined

/** How many of the mechanisms of RFC 6749 §2.3 a request uses. Another Authorization scheme (DPoP, a user's token) is none. */
const countMechanisms = ({ basic, form }: Received): number =>
  Number(basic !== undefined) + Number(form.client_secret !== undefined) + Number(form.client_assertion !== undefined)

const clientIdRule: Rule<Received> = {
  check: 'client_id',
  reason: 'parameter_malformed',
  spec: 'RFC 6749 Appendix A.1',
  holds: ({ form }) => form.client_id === undefined || isClientId(form.client_id),
  words: () => 'client_id must be 1 to 256 printable ASCII characters.',
  detail: ({ form }) => ({
    parameter: 'client_id',
    expected: '1 to 256 printable ASCII characters',
    length: form.client_id?.length
  })
}

const commonRules: readonly Rule<Received>[] = [
  ...formRules,
  {
    check: 'one Authorization header',
    reason: 'authorization_repeated',
    spec: 'RFC 9110 §11.6.2',
    // A Fetch Headers object joins several with a comma.
    holds: ({ authorization, authorizations }) => authorizations <= 1 && !/,\s*basic\s/i.test(authorization ?? '')
  },
  {
    check: 'one mechanism',
    reason: 'multiple_mechanisms',
    spec: 'RFC 6749 §2.3',
    holds: (received) => countMechanisms(received) <= 1,
    detail: ({ basic, form }) => ({
      expected: 'one of them',
      received: [
        ...(basic === undefined ? [] : ['Authorization: Basic']),
        ...(['client_secret', 'client_assertion'] as const).filter((name) => form[name] !== undefined)
      ]
    })
  },
  {
    check: 'client_assertion beside its type',
    reason: 'assertion_missing',
    spec: 'RFC 7521 §4.2',
    holds: ({ form }) => form.client_assertion !== undefined || form.client_assertion_type === undefined,
    canJudge: isWhole
  }
]

const mechanismRules: Readonly<Record<Received['mechanism'], readonly Rule<Received>[]>> = {
  assertion: [
    {
      check: 'client_assertion_type',
      reason: 'assertion_type',
      spec: 'RFC 7523 §2.2',
      holds: ({ form }) => form.client_assertion_type === JWT_BEARER,
      canJudge: isWhole,
      detail: ({ form }) => ({ expected: JWT_BEARER, received: printable(form.client_assertion_type) })
    },
    {
      check: 'length of client_assertion',
      reason: 'parameter_malformed',
      spec: 'our limit',
      holds: ({ form }) => String(form.client_assertion).length <= maxAssertion,
      words: () => `client_assertion is longer than ${maxAssertion} characters.`,
      detail: ({ form }) => ({
        parameter: 'client_assertion',
        expected: `at most ${maxAssertion} characters`,
        received: `${String(form.client_assertion).length} characters`
      })
    },
    clientIdRule,
    {
      check: 'compact JWS',
      reason: 'assertion_malformed',
      spec: 'RFC 7523 §2.2',
      holds: ({ jws }) => jws !== undefined,
      detail: ({ form }) => {
        const token = String(form.client_assertion)
        return {
          expected: 'three parts of base64url, joined by dots: JSON header, JSON object of claims, signature',
          received: `${token.split('.').length} parts, ${token.length} characters`
        }
      }
    }
  ],
  basic: [
    {
      check: 'Basic credentials',
      reason: 'basic_malformed',
      spec: 'RFC 6749 §2.3.1, RFC 7617 §2',
      holds: ({ basic }) => basic?.fault === undefined,
      words: ({ basic }) => String(basic?.fault)
    },
    clientIdRule,
    {
      // Postman's and Google's clients repeat the id in the body; another one would confuse the handler behind.
      check: 'client_id in the body',
      reason: 'client_id_conflict',
      spec: 'RFC 6749 §2.3',
      holds: ({ form, basic }) => form.client_id === undefined || form.client_id === basic?.clientId,
      detail: ({ form, basic }) => ({ expected: printable(basic?.clientId), received: printable(form.client_id) })
    },
    {
      check: 'secret in the header',
      reason: 'basic_without_secret',
      spec: 'RFC 6749 §2.3.1',
      holds: ({ basic }) => basic?.secret !== ''
    }
  ],
  post: [
    clientIdRule,
    {
      check: 'client_id beside client_secret',
      reason: 'client_id_missing',
      spec: 'RFC 6749 §2.3.1',
      holds: ({ form }) => form.client_id !== undefined,
      canJudge: isWhole
    },
    {
      check: 'client_secret',
      reason: 'parameter_malformed',
      spec: 'RFC 6749 Appendix A.2',
      holds: ({ form }) => isSecret(form.client_secret),
      words: () => 'client_secret is too long or holds control characters.',
      detail: () => ({ parameter: 'client_secret', expected: 'at most 1024 characters, no control characters' })
    }
  ],
  bare: [
    clientIdRule,
    {
      check: 'JWT in client_assertion',
      reason: 'assertion_parameter',
      spec: 'RFC 7521 §4.2',
      holds: (received) =>
        isBare(received) ||
        received.form.assertion === undefined ||
        assertionGrants.includes(received.form.grant_type ?? ''),
      detail: () => ({ expected: 'client_assertion', received: 'assertion' })
    },
    {
      check: 'Authorization scheme',
      reason: 'authorization_scheme',
      spec: 'RFC 6749 §2.3',
      holds: (received) => isBare(received) || received.authorization === undefined,
      detail: ({ authorization }) => ({
        expected: 'Basic',
        received: printable(/^[\w-]{1,32}(?=\s)/.exec(String(authorization))?.[0])
      })
    },
    {
      check: 'credentials',
      reason: 'no_credentials',
      spec: 'RFC 6749 §2.3',
      holds: (received) => isBare(received),
      // With another scheme in the header, the check before this one has said so.
      canJudge: (received) => isWhole(received) && received.authorization === undefined
    }
  ]
}

/** The rules for a request of this mechanism, in the order in which they are judged. */
export const credentialRules = (mechanism: Received['mechanism']): readonly Rule<Received>[] => rulesOf[mechanism]

const rulesOf = {
  assertion: [...commonRules, ...mechanismRules.assertion],
  basic: [...commonRules, ...mechanismRules.basic],
  post: [...commonRules, ...mechanismRules.post],
  bare: [...commonRules, ...mechanismRules.bare]
}
