import {
  explainerFor,
  decodeJws,
  type Explanation,
  type Finding,
  maxAssertion,
  type ReplayStore
} from '../lib/explain/for-cli'
import type { Server } from './files'
import type { Input } from './pasted-request'
import { type Times, timesOf } from './times'

type Members = Readonly<Record<string, unknown>>

/** An explanation, and what a reader needs beside it. */
export interface Report {
  readonly explanation: Explanation
  /** Whether the client was looked up; else only what the request alone decides is judged. */
  readonly isClientKnown: boolean
  /** As of when the request is judged, in seconds since the epoch. */
  readonly now: number
  /** The decoded assertion, if the request holds one. Its signature is left out: whoever reads this could use it. */
  readonly assertion?: { readonly header: Members; readonly claims: Members; readonly times: Times }
}

/** Nobody was asked for the client, so it is not known whether there is one. */
function withoutRecord(explanation: Explanation): Explanation {
  const { clientId, method } = explanation
  const findings = explanation.findings.map((finding): Finding => {
    const { check, spec, reason } = finding
    return reason === 'unknown_client' ? { check, spec, result: 'not_checked' } : finding
  })
  const reason = findings.find(({ result }) => result === 'failed')?.reason
  return {
    accepted: false,
    ...(reason === undefined ? {} : { reason }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(method === undefined ? {} : { method }),
    findings
  }
}

function assertionOf({ body }: Input) {
  const token = body instanceof URLSearchParams ? body.get('client_assertion') : null
  return token === null || token.length > maxAssertion ? undefined : decodeJws(token)
}

/** How a request is judged. */
export interface ReportOptions {
  readonly at?: Date | undefined
  readonly fetch?: boolean | undefined
}

/** A store of this process knows of no use, so it cannot say that there was none. */
const noStore: ReplayStore = { consume: () => false }

/**
 * Explains a request as a server with these options judges it.
 *
 * @throws TypeError for options that cannot be meant; what `getClient` and the like throw
 */
export async function reportOn(input: Input, { options, knowsClients }: Server, how: ReportOptions): Promise<Report> {
  const explain = explainerFor({ ...options, replayStore: options.replayStore ?? noStore })
  const explanation = await explain({ headers: input.headers, body: input.text ?? input.body }, how)
  const now = Math.floor((how.at?.getTime() ?? Date.now()) / 1000)
  const jws = assertionOf(input)
  return {
    explanation: knowsClients ? explanation : withoutRecord(explanation),
    isClientKnown: knowsClients,
    now,
    ...(jws === undefined
      ? {}
      : {
          assertion: {
            header: jws.header,
            claims: jws.payload,
            times: timesOf(jws.payload, now, options.clockTolerance ?? 30)
          }
        })
  }
}
