import { inspectDocument } from '../guarded-fetch/inspect'
import type { FetchStep } from '../guarded-fetch/steps'
import { isObject } from '../basics/is-object'
import { admit } from './allow'
import { clientUrl, urlRules } from './client-url'
import { type ClientDocumentError, toDocumentError } from './document-error'
import { acceptedBy, documentKind } from './document-kind'
import { documentRules, subjectOf } from './document-rules'
import { type ClientDocumentsOptions, resolveDocumentOptions } from './options'
import type { ClientDocument } from './record'

/** One rule about a URL or a document, and whether it is kept. */
export interface DocumentCheck {
  readonly of: 'url' | 'document'
  readonly check: string
  readonly isKept: boolean
  /** What the rule demands, in a sentence. */
  readonly demand: string
}

/** What one fetch of a client document showed. */
export interface DocumentInspection {
  readonly steps: readonly FetchStep[]
  /** Every rule that could be judged, those after the first fault too. */
  readonly checks: readonly DocumentCheck[]
  readonly freshSeconds?: number
  readonly record?: ClientDocument
  readonly error?: ClientDocumentError
}

const noKeys = { get: () => Promise.reject(new Error('the keys of an inspected document are not fetched')) }

/**
 * Fetches a client document once, as `createClientDocuments(options)` would, and judges it by every rule. Nothing is
 * cached, and no event is published. Rejects for impossible options alone.
 */
export async function inspectClientDocument(id: string, options: ClientDocumentsOptions): Promise<DocumentInspection> {
  const settings = resolveDocumentOptions(options)
  const ofUrl = urlRules.map(({ check, must, holds }): DocumentCheck => ({
    of: 'url',
    check,
    isKept: holds(id),
    demand: `The client_id URL ${must}.`
  }))
  try {
    await admit(settings.allow, clientUrl(id))
  } catch (cause) {
    return { steps: [], checks: ofUrl, error: toDocumentError(cause) }
  }
  const kind = documentKind(settings, { keySets: noKeys, methods: settings.methods })
  const inspection = await inspectDocument(id, kind, { ...settings, side: 'strangers' })
  const { steps, json } = inspection
  const subject = isObject(json) ? subjectOf(id, json, acceptedBy(settings)) : undefined
  const ofDocument = documentRules.map(({ check, must, holds }): DocumentCheck => ({
    of: 'document',
    check,
    isKept: subject !== undefined && holds(subject),
    demand: `The client metadata document ${must}.`
  }))
  const checks = subject === undefined ? ofUrl : [...ofUrl, ...ofDocument]
  if (inspection.error !== undefined) return { steps, checks, error: inspection.error }
  return { steps, checks, record: inspection.value, freshSeconds: inspection.freshSeconds }
}
