import { attempt } from '../basics/attempt'
import { given } from '../basics/given'
import { isObject } from '../basics/is-object'
import { isSecretKey } from '../jwt/jwk'
import { usableKeySet } from '../jwt/jwk-set'
import { documentMethods, methodsOfDocument } from '../methods/registered-methods'
import type { ClientAuthMethod } from '../types'
import { ClientDocumentError, type DocumentRuleFault } from './document-error'

/** A document, and what it is judged by. */
export interface DocumentSubject {
  /** Where it was fetched. */
  readonly url: string
  /** Its members; those that are absent, `null` or empty are left out. */
  readonly members: Readonly<Record<string, unknown>>
  /** What it registers: empty where its members contradict each other or the server accepts none of them. */
  readonly methods: readonly ClientAuthMethod[]
  readonly accepted: AcceptedByServer
}

/** What the server accepts. */
export interface AcceptedByServer {
  readonly methods: readonly ClientAuthMethod[]
  readonly algorithms: readonly string[]
  /** Whether the guard lets a URL be fetched, by its text alone. */
  readonly isFetchable: (uri: string) => boolean
}

/** One rule about a document. */
interface DocumentRule {
  readonly check: string
  readonly why: DocumentRuleFault
  readonly spec: string
  /** In words that follow "The client metadata document", safe for the wire: never a value. */
  readonly must: string
  readonly holds: (subject: DocumentSubject) => boolean
}

const draft = 'draft-ietf-oauth-client-id-metadata-document'

/** Empty counts as absent: real documents carry unused members so. */
const isGiven = ([name, value]: readonly [string, unknown]): boolean =>
  given(value) !== undefined && !(name === 'jwks' && JSON.stringify(value) === '{}')

/** What the rules judge and the record is made of. Own members alone, since every object inherits some. */
export function subjectOf(url: string, document: object, accepted: AcceptedByServer): DocumentSubject {
  const own = Object.fromEntries(Object.entries(document).filter(isGiven))
  const members = Object.assign(Object.create(null) as Record<string, unknown>, own)
  const { token_endpoint_auth_method: one, token_endpoint_auth_methods_supported: choices } = members
  return { url, members, accepted, methods: methodsOfDocument(one, choices, accepted.methods) }
}

export const textMembers = ['client_name', 'scope', 'application_type', 'software_id', 'software_version']
export const listMembers = ['grant_types', 'response_types', 'contacts']

/** Characters that would break a line of a log, or show a name as another (§8.5). */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 2048 && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(value)

const isListOf = (value: unknown, test: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(test)

/** URL schemes that a browser runs as code or reads from the user's machine. */
const unsafeSchemes = ['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:']

/** Judged as a URL parser reads it: a space in front, or a tab inside, hides nothing. */
const isRedirectUri = (uri: unknown): boolean =>
  isText(uri) && !/[\s#]/.test(uri) && URL.canParse(uri) && !unsafeSchemes.includes(new URL(uri).protocol)

/** RFC 7518 §6: anywhere in what should be a set of public keys. */
const holdsSecretKey = (value: unknown): boolean =>
  (isObject(value) && isSecretKey(value)) ||
  (typeof value === 'object' && Object.values(value ?? {}).some(holdsSecretKey))

const hasUsableKey = (jwks: unknown): boolean => attempt(() => usableKeySet(jwks).keys.length > 0) === true

/** Whether a client proves itself by keys that it publishes. */
export const needsKeys = ({ methods }: DocumentSubject): boolean => methods.some((method) => method !== 'none')

/** Every rule about a document, in the order in which it is judged. The command lists them all. */
export const documentRules: readonly DocumentRule[] = [
  {
    check: 'client_id',
    why: 'client_id',
    spec: `${draft} §4`,
    must: 'needs client_id, the URL of the document itself, character by character',
    holds: ({ url, members }) => members.client_id === url
  },
  {
    check: 'no secret',
    why: 'secret',
    spec: `${draft} §4.1`,
    must: 'must have no client_secret and no client_secret_expires_at: everybody can read it',
    holds: ({ members }) => members.client_secret === undefined && members.client_secret_expires_at === undefined
  },
  {
    check: 'no method with a secret',
    why: 'method',
    spec: `${draft} §4.1`,
    must: 'must name no method that needs a shared secret',
    holds: ({ members: { token_endpoint_auth_method: one, token_endpoint_auth_methods_supported: choices } }) =>
      ![one, choices].flat().some((method) => typeof method === 'string' && method.startsWith('client_secret_'))
  },
  {
    check: 'method',
    why: 'method',
    spec: 'OpenID RP Metadata Choices',
    must: `must name a method that this server accepts (of ${documentMethods.join(', ')}), and its token_endpoint_auth_method among its token_endpoint_auth_methods_supported where it has both`,
    holds: ({ methods }) => methods.length > 0
  },
  {
    check: 'alg',
    why: 'alg',
    spec: `${draft} §4.1`,
    must: 'must have, as token_endpoint_auth_signing_alg, an algorithm for public keys that this server accepts',
    holds: ({ members: { token_endpoint_auth_signing_alg: alg }, methods, accepted }) =>
      alg === undefined ||
      (methods.includes('private_key_jwt')
        ? accepted.algorithms.includes(alg as string)
        : typeof alg === 'string' && !/^(?:HS\d|none$)/i.test(alg))
  },
  {
    check: 'no private key',
    why: 'private_key',
    spec: `${draft} §4.1`,
    must: 'must have no private and no symmetric key in jwks: replace the key, since everybody can read it',
    holds: ({ members }) => !holdsSecretKey(members.jwks)
  },
  {
    check: 'keys',
    why: 'keys',
    spec: 'RFC 7591 §2',
    must: 'needs either jwks with a usable public key or jwks_uri, an https URL of a public host, for its method',
    holds: (subject) => {
      const { jwks, jwks_uri: uri } = subject.members
      if (!needsKeys(subject)) return true
      if (uri === undefined) return hasUsableKey(jwks)
      return jwks === undefined && typeof uri === 'string' && subject.accepted.isFetchable(uri)
    }
  },
  {
    check: 'redirect_uris',
    why: 'redirect_uris',
    spec: `${draft} §4.2`,
    must: `must have, as redirect_uris, a list of absolute URIs without fragment and without spaces, none of them ${unsafeSchemes.join(' ')}`,
    holds: ({ members: { redirect_uris: uris } }) => uris === undefined || isListOf(uris, isRedirectUri)
  },
  {
    check: 'texts',
    why: 'field',
    spec: `${draft} §8.5`,
    must: `must have texts of at most 2048 characters, without control and direction characters, as ${textMembers.join(', ')}; lists of them as ${listMembers.join(', ')}; and true or false as tls_client_certificate_bound_access_tokens`,
    holds: ({ members }) =>
      textMembers.every((name) => members[name] === undefined || isText(members[name])) &&
      listMembers.every((name) => members[name] === undefined || isListOf(members[name], isText)) &&
      ['undefined', 'boolean'].includes(typeof members.tls_client_certificate_bound_access_tokens)
  }
]

/** Throws for the first rule that a document breaks. */
export function judgeDocument(subject: DocumentSubject): void {
  const broken = documentRules.find(({ holds }) => !holds(subject))
  if (broken !== undefined) throw new ClientDocumentError(broken.why, `The client metadata document ${broken.must}.`)
}
