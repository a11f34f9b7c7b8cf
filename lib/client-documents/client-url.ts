import { ClientDocumentError } from './document-error'

/** One rule about an id that is a URL. */
interface UrlRule {
  readonly check: string
  readonly spec: string
  /** In words that follow "The client_id URL". */
  readonly must: string
  readonly holds: (id: string) => boolean
}

const pathOf = (id: string): string => id.replace(/^\w+:\/\/[^/]*/, '')

/**
 * Which URLs can name a client document. Nothing is ever normalised: the text that was sent is compared, fetched, logged
 * and remembered.
 */
export const urlRules: readonly UrlRule[] = [
  {
    check: 'scheme',
    spec: 'draft-ietf-oauth-client-id-metadata-document §3',
    must: 'must start with https://',
    holds: (id) => id.startsWith('https://')
  },
  {
    check: 'length',
    spec: 'our rule',
    must: 'must have at most 256 characters',
    holds: (id) => id.length <= 256
  },
  {
    // One comparison for dot segments in every spelling, :443, upper case, a missing path, backslashes, number hosts
    check: 'spelling',
    spec: 'draft-ietf-oauth-client-id-metadata-document §3',
    must: 'must be written as a URL parser prints it: lower-case host, no port 443, a path, no dot segments',
    holds: (id) => URL.canParse(id) && new URL(id).href === id
  },
  {
    check: 'parts',
    spec: 'draft-ietf-oauth-client-id-metadata-document §3',
    // A query lets a page generator on an honest host write a stranger's document
    must: 'must have no user name, no query and no fragment',
    holds: (id) => !/[?#]|^\w+:\/\/[^/]*@/.test(id)
  },
  {
    // The parser prints these unchanged, and a host that decodes them serves another user's file under a given prefix
    check: 'path',
    spec: 'our rule',
    must: 'must have no empty segment, no semicolon and no encoded slash, backslash, dot, percent sign or zero in its path',
    holds: (id) => !/\/\/|;|%(?:2f|5c|2e|25|00)/i.test(pathOf(id))
  }
]

/** The parsed URL of a client document. Throws for an id that is none. */
export function clientUrl(id: string): URL {
  const broken = urlRules.find(({ holds }) => !holds(id))
  if (broken !== undefined) throw new ClientDocumentError('url', `The client_id URL ${broken.must}.`)
  return new URL(id)
}
