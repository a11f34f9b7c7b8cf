import { FetchError } from '../basics/fetch-error'
import { warnOnce } from '../basics/warn-once'
import { addressAnswered, addressRests, hostRests } from './address-rest'
import { measureByClock } from './bounded-socket'
import { createChild, NoChild } from './child'
import type { Deadline } from './deadline'
import type { Answer, Exchange } from './exchange'
import type { Side } from './fetching-events'
import { runExchange } from './run-exchange'
import type { Observe } from './steps'

/** Where a fetcher's fetches run. */
export interface Place {
  readonly side: Side
  /** In this process, where what a stranger's server sends can hold up every request. */
  readonly inProcess?: boolean | undefined
}

interface Running {
  readonly deadline: Deadline
  readonly observe: Observe
}

const children = {
  registered: createChild('registered'),
  named: createChild('named'),
  strangers: createChild('strangers')
}
const fetchers = { registered: 0, named: 0, strangers: 0 }

/** Counts a fetcher. The function that it returns counts it out: the last one ends the process of its side. */
export function joinSide({ side }: Place): () => void {
  let isIn = true
  fetchers[side]++
  return () => {
    if (isIn && --fetchers[side] === 0) children[side].end()
    isIn = false
  }
}

/** Why there is no process that fetches, once that is decided. */
let none: NoChild | undefined

function decide(noChild: NoChild): void {
  none = noChild
  warnOnce({
    type: 'SecurityWarning',
    code: 'OAUTH_CLIENT_AUTH_FETCHES_IN_PROCESS',
    message:
      `oauth-client-auth: key sets are fetched in this process, because one of its own is not possible: ${noChild.message}. ` +
      'The server of a key set can then hold up all requests for seconds.',
    detail:
      'Leave oauth-client-auth out of the bundle ("external"), and allow child processes (--allow-child-process --allow-worker). ' +
      'If nobody but you registers a jwks_uri, createJwksFetcher({ inProcess: true }) says that this is meant ' +
      '(docs/key-sets.md).'
  })
}

const runHere = (exchange: Exchange, { deadline, observe }: Running): Promise<Answer> =>
  runExchange(exchange, { signal: deadline.signal, observe, measure: measureByClock })

async function runInChild(exchange: Exchange, side: Side, running: Running): Promise<Answer> {
  if (none === undefined) {
    try {
      return await children[side].run(exchange, running.deadline, running.observe)
    } catch (error) {
      if (!(error instanceof NoChild)) throw error
      decide(error)
    }
  }
  if (side === 'registered') return runHere(exchange, running)
  throw new FetchError(
    'connection',
    `${exchange.host} was not asked: documents of strangers are not fetched in this process (option "inProcess")`
  )
}

/** The exchange without addresses that rest; throws where the host rests, or no address is left. */
function awake(exchange: Exchange): Exchange {
  const { host, addresses } = exchange
  if (hostRests(host)) throw new FetchError('busy', `${host} was not asked: it has held up other fetches`)
  if (addresses.length === 0) return exchange // a proxy finds them
  const left = addresses.filter((address) => !addressRests(address))
  if (left.length === 0) throw new FetchError('busy', `${host} was not asked: its address has held up other fetches`)
  return { ...exchange, addresses: left }
}

/** Runs one exchange in the process of its side, or here. */
export async function runApart(exchange: Exchange, { side, inProcess }: Place, running: Running): Promise<Answer> {
  const judged = awake(exchange)
  let reached: string | undefined
  const observed: Running = {
    deadline: running.deadline,
    observe: (step) => {
      if (step.step === 'connected') reached = step.address
      running.observe(step)
    }
  }
  const answer = await (inProcess ? runHere(judged, observed) : runInChild(judged, side, observed))
  if (reached !== undefined && judged.addresses.includes(reached)) addressAnswered(reached)
  return answer
}
