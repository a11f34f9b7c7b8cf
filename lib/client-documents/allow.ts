import { isHostName } from '../guarded-fetch/guard'
import { urlRules } from './client-url'
import { ClientDocumentError } from './document-error'

/**
 * Who may come: see {@link ClientDocumentsOptions.allow}.
 */
export type AllowedDocuments = 'anyone' | readonly string[] | ((url: URL) => boolean | Promise<boolean>)

/**
 * How a client was let in. `named`: its host or URL stands in the list. `open`: by a pattern, a function or `anyone`, so
 * strangers may choose ids that are let in. The two share nothing that one could fill for the other.
 */
export type Admission = 'named' | 'open'

/** A host name as it stands in a URL, whole labels alone. */
const isName = (text: string): boolean => isHostName(text) && text.split('.').every((label) => label !== '')
const isPattern = (text: string): boolean => text.startsWith('*.') && text.includes('.', 2) && isName(text.slice(2))
const isUrl = (text: string): boolean =>
  text.startsWith('https://') &&
  urlRules.every(({ holds }) => holds(text)) &&
  isName(new URL(text).hostname) &&
  new URL(text).port === ''

/** Whether an entry of the list can be meant. */
export const isAllowEntry = (entry: unknown): entry is string =>
  typeof entry === 'string' && (isName(entry) || isPattern(entry) || isUrl(entry))

/** The URLs that the list names whole. Under a host or a prefix anybody can make up others. */
export const namedUrls = (allow: AllowedDocuments): ReadonlySet<string> =>
  new Set(typeof allow === 'function' ? [] : [allow].flat().filter((entry) => /^https:.*[^/]$/.test(entry)))

function admits(entry: string, { href, hostname }: URL): Admission | undefined {
  if (entry === 'anyone') return 'open'
  if (entry.startsWith('*.')) return hostname.endsWith(entry.slice(1)) ? 'open' : undefined
  const isNamed = entry.endsWith('/') ? href.startsWith(entry) : href === entry || hostname === entry
  return isNamed ? 'named' : undefined
}

async function admissionOf(allow: AllowedDocuments, url: URL): Promise<Admission | undefined> {
  // `true` itself: what a forgotten return or a database row makes of it lets nobody in
  if (typeof allow === 'function') return ((await allow(url)) as unknown) === true ? 'open' : undefined
  const found = [allow].flat().map((entry) => admits(entry, url))
  return found.find((admission) => admission === 'named') ?? found.find((admission) => admission !== undefined)
}

/** Lets a client in, or throws. What the operator's own function throws is thrown. */
export async function admit(allow: AllowedDocuments, url: URL): Promise<Admission> {
  const admission = await admissionOf(allow, url)
  if (admission !== undefined) return admission
  throw new ClientDocumentError('policy', 'This server does not accept clients from this host or URL.')
}
