import { byLength, printable, printableId } from '../basics/printable'
import type { Rule } from '../refusals/rules'
import { isOfIssuer, JWT_BEARER, JWT_SPIFFE, maxAssertion, type Received } from './credentials'
import { formRules } from './form'
import { clientIdFault, isClientId, isSecret, maxText, secretFault } from './syntax'

/** The grants whose own parameter `assertion` is (RFC 7521 §4.1). */
const assertionGrants = ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:saml2-bearer']

/** Whether a `client_id` alone may authenticate here. */
const isBare = ({ form, accepted }: Received): boolean =>
  accepted.bareMethods.length > 0 && form.client_id !== undefined

/** The values of `client_assertion_type` that this server knows. */
const assertionTypes = ({ accepted }: Received): readonly string[] =>
  accepted.issuerMethods.includes('spiffe_jwt') ? [JWT_BEARER, JWT_SPIFFE] : [JWT_BEARER]

/** A type that looks like one. Anything else may be a credential in the wrong parameter. */
function shownType(type: string | undefined): string | undefined {
  if (type === undefined || /^urn(?::|%3a)/i.test(type)) return type && printable(type)
  return /urn|jwt|saml|bearer|assertion/i.test(type) ? printableId(type) : byLength('a text', type)
}

/** Whether a JWT stands in `assertion`, under a grant that has no such parameter. */
const isMisplaced = ({ form }: Received): boolean =>
  form.assertion !== undefined && !assertionGrants.includes(form.grant_type ?? '')

/** The scheme of an Authorization header. Any other first word may be a credential, so its length alone is told. */
const schemeOf = (authorization: string) => {
  const [word = ''] = authorization.split(/\s/)
  return /^(?:basic|bearer|digest|dpop|gnap|hoba|mutual|negotiate|ntlm|oauth|privatetoken|scram-[\w-]+|vapid)$/i.test(
    word
  )
    ? word
    : byLength('a word', word)
}

/** Whether the form was read whole: a parameter that stands there twice, or is no string, counts as missing. */
const isWhole = ({ isReadable, repeated, malformed }: Received): boolean =>
  isReadable && repeated === undefined && malformed === undefined

/** How many of the mechanisms of RFC 6749 §2.3 a request uses. Another Authorization scheme (DPoP, a user's token) is none. */
const countMechanisms = ({ basic, form }: Received): number =>
  Number(basic !== undefined) + Number(form.client_secret !== undefined) + Number(form.client_assertion !== undefined)

const isTypeAlone = ({ form }: Received): boolean =>
  form.client_assertion === undefined && form.client_assertion_type !== undefined

const clientIdRule: Rule<Received> = {
  check: 'client_id',
  reason: 'parameter_malformed',
  spec: 'RFC 6749 Appendix A.1',
  holds: ({ form }) => form.client_id === undefined || isClientId(form.client_id),
  words: ({ form: { client_id: id = '' } }) => `client_id ${String(clientIdFault(id))}.`,
  detail: ({ form }) => ({
    parameter: 'client_id',
    expected: `1 to ${maxText} printable ASCII characters`,
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
    holds: ({ authorization, authorizations }) =>
      authorizations <= 1 && !/,\s*(?:basic|bearer|dpop)\s/i.test(authorization ?? '')
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
    holds: (received) => !isTypeAlone(received),
    canJudge: isWhole
  }
]

const isDecoded = ({ basic }: Received): boolean => basic?.fault === undefined

/** The rules for a request of each mechanism, in the order in which they are judged. */
export const credentialRules: Readonly<Record<Received['mechanism'], readonly Rule<Received>[]>> = {
  assertion: [
    ...commonRules,
    {
      check: 'client_assertion_type',
      reason: 'assertion_type',
      spec: 'RFC 7523 §2.2',
      holds: (received) => assertionTypes(received).includes(String(received.form.client_assertion_type)),
      canJudge: isWhole,
      detail: (received) => ({
        expected: assertionTypes(received).join(' or '),
        received: shownType(received.form.client_assertion_type)
      })
    },
    {
      check: 'length of client_assertion',
      reason: 'parameter_malformed',
      spec: 'our limit',
      holds: ({ form }) => String(form.client_assertion).length <= maxAssertion,
      words: ({ form }) =>
        `client_assertion has ${String(form.client_assertion).length} characters, more than ${maxAssertion}.`,
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
      canJudge: ({ form }) => String(form.client_assertion).length <= maxAssertion,
      detail: ({ form }) => {
        const token = String(form.client_assertion)
        return {
          expected: 'three parts of base64url, joined by dots: JSON header, JSON object of claims, signature',
          received: `${token.split('.').length} parts, ${token.length} characters`
        }
      }
    },
    {
      // (iss, sub) is no key of the client store, and one subject may speak for several clients.
      check: 'client_id beside the token of another issuer',
      reason: 'client_id_missing',
      spec: 'draft-ietf-oauth-spiffe-client-auth, our rule for federated_jwt',
      holds: (received) => !isOfIssuer(received) || received.form.client_id !== undefined,
      canJudge: (received) => isWhole(received) && received.jws !== undefined,
      words: ({ accepted }) =>
        accepted.issuerMethods.includes('federated_jwt')
          ? 'A client_assertion whose iss is not its sub needs client_id in the form.'
          : 'A client_assertion of this type needs client_id in the form.'
    }
  ],
  basic: [
    ...commonRules,
    {
      check: 'Basic credentials',
      reason: 'basic_malformed',
      spec: 'RFC 6749 §2.3.1, RFC 7617 §2',
      holds: isDecoded,
      words: ({ basic }) => String(basic?.fault),
      detail: ({ basic }) => ({ problem: basic?.fault })
    },
    clientIdRule,
    {
      // Postman's and Google's clients repeat the id in the body; another one would confuse the handler behind.
      check: 'client_id in the body',
      reason: 'client_id_conflict',
      spec: 'RFC 6749 §2.3',
      holds: ({ form, basic }) => form.client_id === undefined || form.client_id === basic?.clientId,
      canJudge: isDecoded,
      detail: ({ form, basic }) => ({
        expected: printableId(basic?.clientId ?? '', basic?.secret),
        received: printableId(form.client_id ?? '')
      })
    },
    {
      check: 'secret in the header',
      reason: 'basic_without_secret',
      spec: 'RFC 6749 §2.3.1',
      holds: ({ basic }) => basic?.secret !== '',
      canJudge: isDecoded
    }
  ],
  post: [
    ...commonRules,
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
      words: ({ form: { client_secret: secret = '' } }) => `client_secret ${String(secretFault(secret))}.`,
      detail: ({ form }) => ({
        parameter: 'client_secret',
        expected: `at most ${maxText} characters, no control characters`,
        length: form.client_secret?.length
      })
    }
  ],
  bare: [
    ...commonRules,
    clientIdRule,
    {
      check: 'JWT in client_assertion',
      reason: 'assertion_parameter',
      spec: 'RFC 7521 §4.2',
      holds: (received) => isBare(received) || !isMisplaced(received),
      detail: () => ({ expected: 'client_assertion', received: 'assertion' })
    },
    {
      check: 'Authorization scheme',
      reason: 'authorization_scheme',
      spec: 'RFC 6749 §2.3',
      holds: (received) => isBare(received) || received.authorization === undefined,
      detail: ({ authorization }) => ({
        expected: 'Basic',
        received: schemeOf(String(authorization))
      })
    },
    {
      check: 'credentials',
      reason: 'no_credentials',
      spec: 'RFC 6749 §2.3',
      holds: isBare,
      // An earlier check reports another Authorization scheme, and a JWT in another parameter.
      canJudge: (received) =>
        isBare(received) ||
        (isWhole(received) && received.authorization === undefined && !isMisplaced(received) && !isTypeAlone(received))
    }
  ]
}
