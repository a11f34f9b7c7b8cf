import {
  explainerFor,
  decodeJws,
  type Explanation,
  type Finding,
  isSeconds,
  maxAssertion,
  storedSecrets,
  withoutSecrets,
  type OAuthClient,
  type ReplayStore
} from '../lib/explain/for-cli'
import { certificateOf, type Connection } from './connection'
import type { Server } from './files'
import type { Input } from './pasted-request'
import { date, duration, type Times, timesOf } from './times'

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
  /** Of what was judged as of a time that was guessed, and failed nothing: that the server refuses it now. */
  readonly late?: string | undefined
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
  const named = { ...(clientId && { clientId }), ...(method && { method }) }
  const reason = findings.find(({ result }) => result === 'failed')?.reason
  return { accepted: false, ...(reason && { reason }), ...named, findings }
}

function assertionOf({ body }: Input) {
  const token = body instanceof URLSearchParams ? body.get('client_assertion') : null
  return token === null || token.length > maxAssertion ? undefined : decodeJws(token)
}

/** How a request is judged. */
interface ReportOptions extends Connection {
  readonly at?: Date | undefined
  readonly fetch?: boolean | undefined
}

/** A store of this process knows of no use, so it cannot say that there was none. */
const noStore: ReplayStore = { consume: () => false }

/**
 * A request is pasted minutes after it was sent, and an assertion lives for a minute: it is judged as of when it was made,
 * where it is refused as expired since.
 */
function guessedTime(claims: Members = {}, leeway: number): { at?: Date; note?: string; late?: string } {
  const { exp, iat, nbf } = claims
  const made = isSeconds(iat) ? iat : nbf
  const now = Date.now() / 1000
  if (!isSeconds(exp) || !isSeconds(made) || exp > now - leeway || made >= exp) return {}
  const late = `now it is ${duration(now - exp)} too old`
  return {
    at: new Date(made * 1000),
    note: `Judged as of ${date(made)}, when it was made; ${late}. --at TIME judges as of another time.`,
    late: `when it was made; ${late}: the server refuses it as expired`
  }
}

const lateNote =
  'If the server refused it, it came late or a second time, or the clock of its sender is behind: judge it as of its arrival. A new assertion is needed for each request.'
const bareNote = 'A token of another issuer does not name its client to this server: give --client-id ID.'
const fetchNote =
  'The key set was fetched just now. A running server may use an older one for a while: a new key needs a new kid.'

/** What the line of a log tells, without the request: as of when it was written. */
function reportOnLog(explanation: Explanation): Report {
  const { now } = explanation.findings[0]?.detail ?? {}
  const notes = ['From a line of the log alone: with the request itself every check is made.']
  return { explanation, isClientKnown: true, now: Math.floor(isSeconds(now) ? now : Date.now() / 1000), notes }
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
  const { clockTolerance: leeway = 30 } = options
  const guessed = how.at === undefined ? guessedTime(jws?.payload, leeway) : {}
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
  const isBare = explanation.reason === 'client_id_missing' && jws !== undefined
  const later = explanation.accepted
    ? [guessed.note && lateNote, isFetched ? fetchNote : undefined]
    : [isBare ? bareNote : undefined]
  // Of every client that is at hand: a server knows those of one alone
  const secrets = [...(records ?? []), ...(client === undefined ? [] : [client])].flatMap(storedSecrets)
  const hide = <T>(value: T): T => withoutSecrets(value, secrets)
  const told = hide(knowsClients ? explanation : withoutRecord(explanation))
  const late = guessed.late && `${told.accepted ? 'good' : 'not refused'} ${guessed.late}`
  return {
    explanation: told,
    late: told.reason === undefined ? late : undefined,
    client: client?.client_id === explanation.clientId ? client : undefined,
    isClientKnown: knowsClients,
    now,
    notes: [guessed.note, ...later, note].filter((one) => one !== undefined),
    assertion: jws && {
      header: hide(jws.header),
      claims: hide(jws.payload),
      times: timesOf(jws.payload, now, leeway)
    }
  }
}
