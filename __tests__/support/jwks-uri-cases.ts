import { createHook } from 'node:async_hooks'
import type { JwksFetcherOptions } from '../../lib/key-sets/options'
import corpus from '../fixtures/jwks-uri.json'

type Answers = unknown[] | 'HANG' | 'SERVFAIL'

/** One `jwks_uri` of the test vectors: what DNS says, what the server does, and whether a key set may come of it. */
export interface UriCase {
  id: string
  group: string
  url: string
  dns?: Record<string, Answers>
  dnsSequence?: Record<string, Answers[]>
  connect?: Record<string, string>
  response?: { status: number; headers: Record<string, string>; body?: string }
  tls?: string
  options?: { denyCidrs?: string[]; allowHosts?: Record<string, string[]> }
  stage?: 'url' | 'dns' | 'response' | 'tls'
  mustConnectOnlyTo?: string[]
  fetches?: ('blocked' | 'allowed')[]
  expect: 'blocked' | 'allowed'
  level: 'must' | 'policy'
  why: string
}

export const uriCases = corpus.urls as unknown as UriCase[]

export const nameOf = ({ id, why, level }: { id: string; why: string; level: string }): string =>
  `${id} ${why}${level === 'policy' ? ' (policy)' : ''}`

/** Answers as the case says, the n-th resolution with the n-th answer of a sequence; A and AAAA by their form. */
export function resolverOf({ dns = {}, dnsSequence = {} }: UriCase): NonNullable<JwksFetcherOptions['resolver']> {
  let round = 0
  return () => {
    const answersFor = (host: string): Answers => dnsSequence[host]?.[round] ?? dns[host] ?? []
    const resolve = async (host: string, isWanted: (answer: unknown) => boolean): Promise<string[]> => {
      const answers = answersFor(host)
      if (answers === 'HANG') return new Promise(() => undefined)
      if (answers === 'SERVFAIL') throw Object.assign(new Error('queryA ESERVFAIL'), { code: 'ESERVFAIL' })
      return answers.filter(isWanted) as string[]
    }
    const isV6 = (answer: unknown) => String(answer).includes(':')
    return {
      resolve4: (host) => resolve(host, (answer) => !isV6(answer)),
      resolve6: (host) => resolve(host, isV6),
      cancel: () => {
        round++
      }
    }
  }
}

export function optionsOf(uriCase: UriCase): JwksFetcherOptions {
  const { denyCidrs = [], allowHosts = {} } = uriCase.options ?? {}
  return {
    resolver: resolverOf(uriCase),
    denyAddresses: denyCidrs,
    hosts: Object.fromEntries(Object.entries(allowHosts).map(([host, addresses]) => [host, { addresses }]))
  }
}

/**
 * Counts what the process really does: each attempt to connect, each question to DNS and each process that is started
 * to fetch shows as a resource.
 */
export function watchNetwork() {
  const seen = { connects: 0, lookups: 0, processes: 0 }
  const hook = createHook({
    init(_id, type) {
      if (type === 'TCPCONNECTWRAP' || type === 'PIPECONNECTWRAP') seen.connects++
      if (type === 'PROCESSWRAP') seen.processes++
      if (type === 'GETADDRINFOREQWRAP' || type === 'QUERYWRAP') seen.lookups++
    }
  }).enable()
  return { seen, stop: () => hook.disable() }
}
