import { type AcceptedSet, type FetchStep, type Inspection, printable } from '../../lib/explain/for-cli'
import { fromNow } from '../times'
import { keySetAdvice } from './advice'

/** One line about how a key set was had. All texts are printable ASCII. */
export interface StepLine {
  readonly result: 'passed' | 'failed'
  readonly name: string
  readonly text: string
}

export const line = (name: string, text: string, isPassed = true): StepLine => ({
  result: isPassed ? 'passed' : 'failed',
  name,
  text
})

/** `Nov 25 15:00:00 2026 GMT (12 d after now)`. */
function whenEnds(validTo: string): string {
  const end = Date.parse(validTo)
  return Number.isNaN(end) ? validTo : `${validTo} (${fromNow(end / 1000, Date.now() / 1000)})`
}

/** What is told of a step. `isAccepted`: whether TLS came about. */
function linesOf(step: FetchStep, isAccepted: boolean): StepLine[] {
  switch (step.step) {
    case 'url':
      return [line('URL', `https, host ${step.host}, port ${step.port}`)]
    case 'dns':
      return step.addresses.map(({ address, fault }) =>
        line('DNS', `${address} ${fault ?? 'may be connected to'}`, fault === undefined)
      )
    case 'proxy':
      return [line('Proxy', `${step.host}, port ${step.port}`)]
    case 'connected':
      return [line('Connection', `${step.address}, port ${step.port}`)]
    case 'certificate':
      return [
        line(
          'Certificate',
          `for ${step.names || step.subject}, by ${step.issuer || 'nobody'}, valid until ${whenEnds(step.validTo)}`,
          isAccepted
        )
      ]
    case 'tls':
      return [line('TLS', `${step.version}, ${step.cipher}`)]
    case 'head':
      return [line('Answer', `${step.status}, ${printable(step.headers['content-type'] ?? 'no content type')}`)]
    case 'body':
      return [line('Size', `${step.octets} octets`)]
    case 'closed':
      return []
  }
}

/** The steps of a fetch, told in lines. */
export const fetchLines = (steps: readonly FetchStep[]): StepLine[] => {
  const isAccepted = steps.some(({ step }) => step === 'tls')
  return steps.flatMap((step) => linesOf(step, isAccepted))
}

/** The line that a fault belongs to; any other belongs to the answer. */
const places: Readonly<Record<string, string>> = {
  url: 'URL',
  host: 'URL',
  dns: 'DNS',
  address: 'DNS',
  connection: 'Connection',
  tls: 'TLS',
  timeout: 'Time',
  busy: 'Time',
  too_large: 'Size',
  json: 'Key set',
  keys: 'Key set',
  private_key: 'Key set'
}

function freshness({ steps, freshSeconds }: AcceptedSet): StepLine {
  const control = steps.find((step) => step.step === 'head')?.headers['cache-control']
  const source = control === undefined ? 'no Cache-Control' : `Cache-Control: ${printable(control)}`
  return line('Freshness', `used for ${freshSeconds} s without another fetch (${source})`)
}

/** Where a redirect leads, which is not followed, and what a page of HTML calls itself. */
function hintIn(steps: readonly FetchStep[]): string {
  const { location } = steps.find((step) => step.step === 'head')?.headers ?? {}
  const title = steps.find((step) => step.step === 'body')?.title ?? ''
  return `${location === undefined ? '' : `, Location: ${printable(location)}`}${title === '' ? '' : `: a page "${title}"`}`
}

/** A fetch, step by step, and what it failed by. */
export type FetchReport = { readonly lines: readonly StepLine[] } & (
  { readonly failed: StepLine; readonly advice: string } | { readonly failed?: never; readonly advice?: never }
)

/** Tells a fetch in lines. */
export function fetchReport(inspection: Inspection): FetchReport {
  const lines = fetchLines(inspection.steps)
  if (inspection.error === undefined) return { lines: [...lines, freshness(inspection)] }
  const { error } = inspection
  const failed = line(places[error.why] ?? 'Answer', `${error.message}${hintIn(inspection.steps)}`, false)
  // The failure says more than the facts of its step. The addresses stand, since each has its own judgement.
  const kept = lines.filter(({ name }) => name === 'DNS' || name !== failed.name)
  return { lines: kept, failed, advice: keySetAdvice(error) }
}
