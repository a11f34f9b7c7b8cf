import { warnOnce } from '../basics/warn-once'
import type { ClientAuthMethod, KeySets, OAuthClient } from '../types'
import { documentMethods } from './registered-methods'

/** Who made a record that is not the application's own: `createClientDocuments`. */
export interface RecordOwner {
  /** Where its `jwks_uri` is resolved: apart from the keys of registered clients, since anybody can cause the fetch. */
  readonly keySets: KeySets
  /** The methods that its records register. */
  readonly methods: readonly ClientAuthMethod[]
}

/** A member and no WeakMap: `{ ...record, tenant }` is still the owner's. No record of a database can hold it. */
const owner = Symbol('oauth-client-auth: owner of this record')

interface Owned {
  readonly [owner]?: RecordOwner
}

/** A record that has an owner. */
export const owned = <R extends OAuthClient>(record: R, by: RecordOwner): Readonly<R> =>
  Object.freeze({ ...record, [owner]: by })

export const ownerOf = (client: OAuthClient): RecordOwner | undefined => (client as Owned)[owner]

/** The host that published a client's document. Anybody can make such clients, so those of one host share one limit. */
export const groupOf = (client: OAuthClient): string | undefined =>
  ownerOf(client) === undefined ? undefined : new URL(client.client_id).hostname

/**
 * Warns where a server and the owner of a record differ in methods: a client that publishes a key would be taken for a
 * public one, or be refused.
 */
export function compareMethods(client: OAuthClient, accepted: ReadonlySet<string>): void {
  const by = ownerOf(client)
  if (by === undefined) return
  const own = documentMethods.filter((method) => accepted.has(method))
  if (own.length === by.methods.length && own.every((method) => by.methods.includes(method))) return
  warnOnce({
    code: 'OAUTH_CLIENT_AUTH_DOCUMENT_METHODS',
    message: `createClientDocuments has the methods ${by.methods.join(', ')}, and the server that asks it accepts ${own.join(', ') || 'none of its kinds'}: give both the same option "methods"`
  })
}
