import { explainerFor, inspectFetch, type Inspection, type KeySets, keySourceOf } from '../../lib/explain/for-cli'
import { parseTime } from '../explain'
import { parseClients, serverOf, type Server } from '../files'
import { readInput } from '../input'
import { reportOfFetch, reportOfSet, type JwksReport } from '../jwks/report'
import { reportOn } from '../report'
import { UsageError } from '../usage'
import { viewOf, type PageView } from './view'

/** What is wrong with a field, in one sentence. */
interface Problem {
  readonly field: 'input' | 'record' | 'issuer' | 'at'
  readonly message: string
}

/** The fields of the form. Whatever is no text counts as empty. */
function fieldsOf(pasted: unknown) {
  const given = Object(pasted) as Record<string, unknown>
  const field = (name: string): string => (typeof given[name] === 'string' ? given[name].trim() : '')
  const [input, record, issuer, at] = [field('input'), field('record'), field('issuer'), field('at')]
  return { input, record, issuer, at, fetch: given.fetch === true }
}

class FieldError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message)
  }
}

/** What `read` returns; a problem of the field where it cannot be read. */
function readField<T>(field: Problem['field'], read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof TypeError)) throw error
    // The sentences are those of the command line
    const message = error.message
      .replace(/^(INPUT|--at)/, 'This')
      .replace('neither a file nor a request', 'no request')
      .replace(/ \(--cert .*?\)/, '')
      .replace(/^clientAuth: option "issuer"/, 'The issuer')
    throw new FieldError({ field, message })
  }
}

/** Fetches each URI once, through the guard, and remembers what was seen. */
function inspectingKeySets() {
  const inspections = new Map<string, Promise<Inspection>>()
  const get: KeySets['get'] = async (uri) => {
    const inspection = inspections.get(uri) ?? inspectFetch(uri)
    inspections.set(uri, inspection)
    const seen = await inspection
    if (seen.error !== undefined) throw seen.error
    return seen.value
  }
  return { keySets: { get }, inspections }
}

/** The keys of the client: those in its record, or those that were fetched. */
async function reportedKeys(
  { jwks, uri = '' }: ReturnType<typeof keySourceOf>,
  { keySets }: Server['options'],
  inspections: ReadonlyMap<string, Promise<Inspection>>
): Promise<JwksReport | undefined> {
  if (jwks !== undefined) return reportOfSet(jwks)
  const inspection = await inspections.get(uri)
  if (inspection !== undefined) return reportOfFetch(inspection)
  const cached = keySets?.cached?.(uri)
  return cached === undefined ? undefined : reportOfSet(cached)
}

type Fields = ReturnType<typeof fieldsOf>

/** The server that the fields describe, or the one of `--config`. */
function serverFor({ issuer, record }: Fields, configured: Server | undefined): Server {
  if (configured !== undefined) return configured
  const records = readField('record', () => (record === '' ? [] : parseClients(record, 'The client record')))
  const server = serverOf(issuer, records)
  if (issuer === '') throw new FieldError({ field: 'issuer', message: 'Give the issuer.' })
  readField('issuer', () => explainerFor(server.options))
  return server
}

async function view(fields: Fields, configured: Server | undefined): Promise<PageView> {
  if (fields.input === '') throw new FieldError({ field: 'input', message: 'Paste a request or a JWT here.' })
  const input = readField('input', () => readInput(fields.input))
  const at = readField('at', () => (fields.at === '' ? undefined : parseTime(fields.at)))
  const described = serverFor(fields, configured)
  const { options } = described
  const { keySets, inspections } = inspectingKeySets()
  const server = { ...described, options: { keySets, ...options } }
  const report = await reportOn(input, server, { at, fetch: fields.fetch })
  const { client } = report
  const keys = client && (await reportedKeys(keySourceOf(client), server.options, inspections))
  return viewOf(report, options.issuer, keys)
}

/**
 * Explains what was pasted into the page, by the options of `--config` where there are some.
 *
 * @returns what the page shows, or the field that cannot be read
 * @throws what a function of `--config` throws
 */
export async function explainPasted(
  pasted: unknown,
  configured: Server | undefined
): Promise<PageView | { readonly problem: Problem }> {
  try {
    return await view(fieldsOf(pasted), configured)
  } catch (error) {
    if (error instanceof FieldError) return { problem: error.problem }
    throw error
  }
}
