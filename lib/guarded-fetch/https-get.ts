import { FetchError } from '../basics/fetch-error'
import type { Deadline } from './deadline'
import { resolveHost, type ResolveOptions } from './dns'
import type { Answer, Exchange, Proxy } from './exchange'
import { type Place, runApart } from './fetch-side'
import { hostFault, urlFault } from './guard'
import type { Observe } from './steps'

/** The option `proxy`, parsed. */
export interface ProxyRoute {
  readonly proxy: Proxy
  /** Who resolves and judges names. */
  readonly resolve: 'here' | 'proxy'
}

export interface GuardOptions extends ResolveOptions, Place {
  readonly maxBytes: number
  readonly proxy?: ProxyRoute | undefined
}

/** What is asked for. */
export type Asked = Pick<Exchange, 'accept' | 'noun' | 'tellsTitle'>

interface GetOptions {
  readonly deadline: Deadline
  readonly etag?: string | undefined
  readonly observe: Observe
}

/** The parsed URL. Throws a {@link FetchError} for whatever can be refused before anything is resolved. */
export function guardedUrl(uri: string, hosts: GuardOptions['hosts']): URL {
  const fault = urlFault(uri)
  if (fault !== undefined) throw new FetchError('url', `the URL ${fault}`)
  const url = new URL(uri)
  const rules = hosts.get(url.hostname)
  const nameFault = rules === undefined ? hostFault(url.hostname) : undefined
  if (nameFault !== undefined) throw new FetchError('host', `the host ${url.hostname} ${nameFault}`)
  if (!(rules?.ports ?? [443]).includes(portOf(url)))
    throw new FetchError('url', `the port ${portOf(url)} is not allowed`)
  return url
}

const portOf = (url: URL): number => Number(url.port || 443)

const adviceForDns = '. Where only the proxy can resolve names: resolve: "proxy"'

/** The vetted addresses of the host; none where the proxy resolves it. */
async function addressesOf(host: string, options: GuardOptions, proxy: ProxyRoute | undefined, get: GetOptions) {
  if (proxy?.resolve === 'proxy') return []
  try {
    return await resolveHost(host, options, get.deadline.signal, get.observe)
  } catch (error) {
    if (proxy === undefined || !(error instanceof FetchError)) throw error
    const { why, message } = error as FetchError
    throw why === 'dns' || why === 'timeout'
      ? new FetchError(why, message + adviceForDns, undefined, error.cause)
      : error
  }
}

/**
 * One GET through the guard: the URL, the name and its addresses are judged here, and the rest is done by
 * {@link runApart}. Rejects with a {@link FetchError}, or with the reason of the deadline's signal. Settles on every path,
 * and leaves no question to DNS behind.
 */
export async function httpsGet(uri: string, asked: Asked, options: GuardOptions, get: GetOptions): Promise<Answer> {
  const url = guardedUrl(uri, options.hosts)
  const host = url.hostname
  const port = portOf(url)
  const rules = options.hosts.get(host)
  get.observe({ step: 'url', host, port })
  // A host in a private network, named with its addresses, is reached without the proxy
  const proxy = rules?.addresses === undefined ? options.proxy : undefined
  const addresses = await addressesOf(host, options, proxy, get)
  const { accept, noun, tellsTitle } = asked
  const path = url.pathname + url.search
  const limits = { ca: rules?.ca, maxBytes: options.maxBytes, etag: get.etag }
  const exchange = { host, port, path, addresses, proxy: proxy?.proxy, accept, noun, tellsTitle, ...limits }
  return runApart(exchange, options, get)
}
