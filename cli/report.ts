import {
  explainerFor,
  decodeJws,
  type Explanation,
  type Finding,
  findingOfLog,
  isSeconds,
  maxAssertion,
  storedSecrets,
  withoutSecrets,
  type OAuthClient,
  type ReplayStore
} from '../lib/explain/for-cli'
import { certificateOf, type Connection } from './connection'
import type { Server } from './files'
import type { Input, LogLine } from './pasted-request'
import { date, duration, type Times, timesOf } from './times'
import { UsageError } from './usage'

type Members = Readonly<Record<string, unknown>>

/** An explanation, and what a reader needs beside it. */
export interface Report {
  readonly explanation: Explanation
  /** The record that was looked up, where there is one. */
  readonly client?: OAuthClient | undefined
  /** Whether the client was looked up; else only what the request alone decides is judged. */
  readonly isClientKnown: boolean
  /** As of when the request is judged, in seconds since the epoch. */
  readonly now: number
  /** What the reader must know of how it was judged. */
  readonly notes: readonly string[]
  /** The decoded assertion, if the request holds one. Its signature is left out: whoever reads this could use it. */
  readonly assertion?: { readonly header: Members; readonly claims: Members; readonly times: Times } | undefined
}

/** Nobody was asked for the client, so it is not known whether there is one. */
function withoutRecord(explanation: Explanation): Explanation {
  const findings = explanation.findings.map((finding): Finding => {
    const { check, spec, reason } = finding
    return reason === 'unknown_client' ? { check, spec, result: 'not_checked' } : finding
  })
  const { clientId, method } = explanation
  const reason = findings.find(({ result }) => result === 'failed')?.reason
  return {
    accepted: false,
    ...(reason && { reason }),
    ...(clientId && { clientId }),
    ...(method && { method }),
    findings
  }
}

function assertionOf({ body }: Input) {
  const token = body instanceof URLSearchParams ? body.get('client_assertion') : null
  return token === null || token.length > maxAssertion ? undefined : decodeJws(token)
}

/** How a request is judged. */
export interface ReportOptions extends Connection {
  readonly at?: Date | undefined
  readonly fetch?: boolean | undefined
}

/** A store of this process knows of no use, so it cannot say that there was none. */
const noStore: ReplayStore = { consume: () => false }

/**
 * A request is pasted minutes after it was sent, and an assertion lives for a minute: it is judged as of when it was made,
 * where it has ended since.
 */
function guessedTime(claims: Members = {}): { at?: Date; note?: string } {
  const { exp, iat, nbf } = claims
  const made = isSeconds(iat) ? iat : nbf
  const now = Date.now() / 1000
  if (!isSeconds(exp) || !isSeconds(made) || exp > now || made >= exp) return {}
  const late = `now it is ${duration(now - exp)} too old`
  return {
    at: new Date(made * 1000),
    note: `Judged as of ${date(made)}, when it was made; ${late}. --at TIME judges as of another time.`
  }
}

const lateNote =
  'If the server refused it, it had ended when it came, or came a second time: make a new assertion for each request.'
const fetchNote =
  'The key set was fetched just now. A running server may use an older one for a while: a new key needs a new kid.'

/** What the line of a log tells, without the request. */
function reportOnLog({ reason, detail, clientId }: LogLine): Report {
  const finding = findingOfLog(reason, detail)
  if (finding === undefined)
    throw new UsageError('INPUT looks like a line of a log, but holds no reason of this package.')
  return {
    explanation: { accepted: false, reason: finding.reason, ...(clientId && { clientId }), findings: [finding] },
    isClientKnown: true,
    now: Math.floor(Date.now() / 1000),
    notes: ['From a line of the log alone: with the request itself every check is made.']
  }
}

/**
 * Explains a request as a server with these options judges it.
 *
 * @throws TypeError for options that cannot be meant; what `getClient` and the like throw
 */
export async function reportOn(
  input: Input,
  { options, knowsClients, records }: Server,
  how: ReportOptions
): Promise<Report> {
  if (input.log !== undefined) return reportOnLog(input.log)
  const jws = assertionOf(input)
  const guessed = how.at === undefined ? guessedTime(jws?.payload) : {}
  const { certificate, note } = certificateOf(options.clientCertificates, input, how)
  let client: OAuthClient | undefined
  const getClient = async (...asked: Parameters<typeof options.getClient>) =>
    (client = (await options.getClient(...asked)) ?? undefined)
  const explain = explainerFor(
    { ...options, getClient, replayStore: options.replayStore ?? noStore },
    { certificate, ...(records && { others: records }) }
  )
  const { headers, url, body, text } = input
  const at = how.at ?? guessed.at
  const explanation = await explain({ headers, url, body: text ?? body }, { at, fetch: how.fetch })
  const now = Math.floor((at?.getTime() ?? Date.now()) / 1000)
  const isFetched = how.fetch === true && client?.jwks_uri !== undefined
  const later = explanation.accepted ? [guessed.note && lateNote, isFetched ? fetchNote : undefined] : []
  // Of every client that is at hand: a server knows those of one alone
  const secrets = [...(records ?? []), ...(client === undefined ? [] : [client])].flatMap(storedSecrets)
  const hide = <T>(value: T): T => withoutSecrets(value, secrets)
  return {
    explanation: hide(knowsClients ? explanation : withoutRecord(explanation)),
    client: client?.client_id === explanation.clientId ? client : undefined,
    isClientKnown: knowsClients,
    now,
    notes: [guessed.note, ...later, note].filter((one) => one !== undefined),
    assertion: jws && {
      header: hide(jws.header),
      claims: hide(jws.payload),
      times: timesOf(jws.payload, now, options.clockTolerance ?? 30)
    }
  }
}
