import { printable } from '../basics/printable'
import type { AddressRange } from '../basics/address-range'
import { addressFault, canonicalAddress, type HostRules, type JwksResolver } from './guard'
import { FetchError } from '../basics/fetch-error'
import type { Observe } from './steps'
import { until } from './until'

export interface ResolveOptions {
  readonly hosts: ReadonlyMap<string, HostRules>
  readonly denied: readonly AddressRange[]
  readonly resolver: () => JwksResolver
}

const maxAnswers = 32

/** Says why there is no address: that no record exists, or that DNS could not be asked. */
function noAddress(host: string, settled: readonly PromiseSettledResult<unknown>[]): FetchError {
  const causes = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  const codes = causes.map((cause) => (cause as NodeJS.ErrnoException | undefined)?.code)
  const failed = codes.findIndex((code) => code !== 'ENOTFOUND' && code !== 'ENODATA')
  if (failed < 0)
    return new FetchError('dns', `${host} has no address in DNS (only DNS is asked; the hosts file is not read)`)
  const code = /^[A-Z_]{1,32}$/.exec(codes[failed] ?? '')?.[0] ?? 'the resolver failed'
  return new FetchError('dns', `DNS gave no answer for ${host} (${code})`, undefined, causes[failed])
}

/** RFC 6761 §6.3: such names mean this machine, and DNS need not know them. They are fetched only where `hosts` names them. */
const isLocal = (host: string): boolean => /(?:^|\.)localhost$/.test(host)

/** What DNS answers, not judged. Asks for both families, and leaves no question behind. */
async function answersOf(host: string, { resolver: create }: ResolveOptions, signal: AbortSignal): Promise<unknown[]> {
  const resolver = create()
  const ask = async (family: 'resolve4' | 'resolve6'): Promise<unknown> => resolver[family](host)
  const settled = await until(signal, Promise.allSettled([ask('resolve4'), ask('resolve6')])).finally(() => {
    resolver.cancel()
  })
  const answers = settled.flatMap((result): unknown => (result.status === 'fulfilled' ? result.value : []))
  if (answers.length === 0) throw noAddress(host, settled)
  return answers
}

/**
 * The addresses of a host, every one of them allowed. Both families are asked once, and the connection goes to nothing
 * but these answers, so that a second DNS answer cannot lead it elsewhere (DNS rebinding).
 */
export async function resolveHost(
  host: string,
  options: ResolveOptions,
  signal: AbortSignal,
  observe: Observe
): Promise<string[]> {
  const allowed = options.hosts.get(host)?.addresses
  const own = ['127.0.0.1', '::1'].filter(
    (address) => isLocal(host) && addressFault(address, allowed, options.denied) === undefined
  )
  const answers = own.length > 0 ? own : await answersOf(host, options, signal)
  if (answers.length > maxAnswers) throw new FetchError('dns', `${host} has more than ${maxAnswers} addresses`)
  const judged = answers.map((answer) => ({
    address: typeof answer === 'string' ? printable(answer) : typeof answer,
    fault: addressFault(answer, allowed, options.denied)
  }))
  observe({ step: 'dns', addresses: judged })
  const refused = judged.find(({ fault }) => fault !== undefined)
  if (refused !== undefined)
    throw new FetchError('address', `${host} resolves to ${refused.address}, which ${refused.fault}`)
  return judged.map(({ address }) => canonicalAddress(address))
}
