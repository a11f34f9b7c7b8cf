import { jsonObjectOf } from '../basics/json-body'
import type { DocumentKind } from '../guarded-fetch/document-cache'
import { guardedUrl } from '../guarded-fetch/https-get'
import { attempt } from '../basics/attempt'
import type { RecordOwner } from '../methods/record-owner'
import { ClientDocumentError, ownersWord, toDocumentError } from './document-error'
import { type AcceptedByServer, type DocumentSubject, judgeDocument, subjectOf } from './document-rules'
import { report } from './events'
import type { DocumentSettings } from './options'
import { type ClientDocument, recordOf } from './record'

/** No unknown `kid` refreshes keys that stand in the document itself, so a removed one must not live for long. */
const withInlineKeys = { maxTtl: 600, staleIfError: 3600 }

/** What a server with these settings accepts of a document. */
export const acceptedBy = ({ methods, algorithms, hosts }: DocumentSettings): AcceptedByServer => ({
  methods,
  algorithms,
  isFetchable: (uri) => attempt(() => guardedUrl(uri, hosts)) !== undefined
})

/** Parses a body. One that is no JSON object may be the page of an outage, so it does not count as the owner's word. */
function readDocument(body: Uint8Array, url: string, accepted: AcceptedByServer): DocumentSubject {
  const json = jsonObjectOf(body)
  if ('fault' in json) throw new ClientDocumentError('json', json.fault)
  return subjectOf(url, json.value, accepted)
}

/** Client documents, as the cache fetches them. */
export function documentKind(
  settings: DocumentSettings,
  owner: RecordOwner
): DocumentKind<ClientDocument, ClientDocumentError> {
  const accepted = acceptedBy(settings)
  return {
    accept: 'application/json',
    noun: 'a client document',
    parse: (body, url) => {
      const subject = readDocument(body, url, accepted)
      judgeDocument(subject)
      const value = recordOf(subject, owner)
      // More than any text takes as a record
      return { value, octets: 2048 + 8 * body.length, ...(value.jwks === undefined ? {} : withInlineKeys) }
    },
    toError: toDocumentError,
    wordOf: ownersWord,
    goneIfExpired: false,
    report
  }
}
