import { type FetchStep, type Inspection, printable } from '../../lib/explain/for-cli'
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

const certificateText = ({ names, subject, issuer, validTo }: FetchStep & { step: 'certificate' }): string =>
  `for ${names || subject}, by ${issuer || 'nobody'}, valid until ${whenEnds(validTo)}`

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
      return [line('Certificate', certificateText(step), isAccepted)]
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

/** The faults that belong to a line; any other belongs to the answer. */
const places: readonly (readonly [name: string, faults: readonly string[]])[] = [
  ['URL', ['url', 'host']],
  ['DNS', ['dns', 'address']],
  ['Connection', ['connection']],
  ['TLS', ['tls']],
  ['Time', ['timeout', 'busy']],
  ['Size', ['too_large']],
  ['Key set', ['json', 'keys', 'private_key']]
]

function freshness({ steps, freshSeconds }: Inspection & { error?: never }): StepLine {
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
export function fetchReport(inspection: Inspection) {
  const lines = fetchLines(inspection.steps)
  if (inspection.error === undefined) return { lines: [...lines, freshness(inspection)] }
  const { error } = inspection
  const [place] = places.find(([, faults]) => faults.includes(error.why)) ?? ['Answer']
  const failed = line(place, `${error.message}${hintIn(inspection.steps)}`, false)
  // The failure says more than the facts of its step. The addresses stand, since each has its own judgement.
  const kept = lines.filter(({ name }) => name === 'DNS' || name !== failed.name)
  return { lines: kept, failed, advice: keySetAdvice(error) }
}
