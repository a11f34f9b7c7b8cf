import { readFile } from 'node:fs/promises'
import {
  attempt,
  inspectFetch,
  type Inspection,
  type JwksFetcherOptions,
  type KeySetError
} from '../../lib/explain/for-cli'
import { UsageError } from '../usage'
import { isOurs, keySetAdvice } from './advice'
import { fetchReport, line, type StepLine } from './fetch-report'
import { keyTable, type KeyTable } from './key-table'
import { shapeAdvice, type Warnings, warningsOf } from './warnings'

/** What is known of a key set: how it was had, its keys, and what is to be done. */
export interface JwksReport {
  readonly lines: readonly StepLine[]
  readonly table?: KeyTable | undefined
  readonly advice?: string | undefined
  /** What is about to break. */
  readonly warnings: Warnings
  /** Why the set was refused or not to be had: stable. */
  readonly why?: KeySetError['why'] | undefined
  /** When the certificate of the server ends. */
  readonly validTo?: string | undefined
  /** Whether it failed on our side. */
  readonly isOurs?: boolean
}

/** The last line: what the keys are good for. */
function keysLine({ rows, usable, fault }: KeyTable): StepLine {
  if (fault !== undefined) return line('Key set', fault, false)
  return line('Key set', `${rows.length} ${rows.length === 1 ? 'key' : 'keys'}, usable: ${usable}`, usable > 0)
}

/** What was done to read a set, and the judgement of its keys. */
function judged(lines: readonly StepLine[], value: unknown, warnings: Warnings): JwksReport {
  const table = keyTable(value)
  return { lines: [...lines, keysLine(table)], table, advice: shapeAdvice(value) ?? table.advice, warnings }
}

/** What one fetch showed. */
export function reportOfFetch(inspection: Inspection, warnDays = 0): JwksReport {
  const { steps, json, error } = inspection
  const { lines, failed, advice } = fetchReport(inspection)
  const warnings = warningsOf(json, steps, warnDays)
  const validTo = steps.find((step) => step.step === 'certificate')?.validTo
  if (failed === undefined) return { ...judged(lines, json, warnings), validTo }
  return {
    lines: [...lines, failed],
    // The keys of a refused set are shown as well, since they are why it is refused
    table: json === undefined ? undefined : keyTable(json),
    advice: shapeAdvice(json) ?? advice,
    ...{ warnings, validTo, why: error?.why, isOurs: error !== undefined && isOurs(error) }
  }
}

/** What a set in a record, or in a file, is good for. */
export const reportOfSet = (value: unknown, warnDays = 0): JwksReport =>
  judged([], value, warningsOf(value, [], warnDays))

/**
 * Fetches a key set once, through the guard of the server.
 *
 * @throws UsageError for hosts that the guard does not take
 */
export async function reportOfUrl(url: string, options: JwksFetcherOptions, warnDays: number): Promise<JwksReport> {
  const inspection = await inspectFetch(url, options).catch((error: unknown) => {
    throw error instanceof TypeError ? new UsageError(error.message.replace('createJwksFetcher', '--host')) : error
  })
  return reportOfFetch(inspection, warnDays)
}

/**
 * Reads a key set from a file.
 *
 * @throws UsageError where the file cannot be read
 */
export async function reportOfFile(path: string, warnDays: number): Promise<JwksReport> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`${path} cannot be read (${String(code)}): name a file, or a URL that starts with https://`)
  })
  const why = text.includes('PRIVATE KEY-----') ? 'private_key' : 'json'
  const lines = [line('Key set', 'the file is not JSON', false)]
  const notJson = { lines, advice: keySetAdvice({ why, message: '' }), warnings: [] }
  return attempt(() => reportOfSet(JSON.parse(text), warnDays)) ?? notJson
}
