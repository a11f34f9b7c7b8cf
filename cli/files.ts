import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { attempt, type ClientAuthOptions, type OAuthClient } from '../lib/explain/for-cli'
import { type Io, UsageError } from './usage'

const isFile = (name: string): boolean => existsSync(name) && statSync(name).isFile()

/** Text of a file: UTF-8, or UTF-16 as PowerShell writes it. A byte order mark is no part of it. */
function decode(octets: Buffer): string {
  const [first, second] = octets
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(octets)
  const isUtf16 = (first === 0xff && second === 0xfe) || (octets.length > 3 && second === 0 && octets[3] === 0)
  return new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8').decode(octets)
}

/** The text of the file that an option names. */
export function readFile(option: string, name: string): string {
  if (!isFile(name)) throw new UsageError(`${option} ${name}: there is no such file.`)
  return decode(readFileSync(name))
}

/** The text that INPUT means: standard input where it is `-` or left out, a file of that name, or the argument itself. */
export async function readSource(input: string | undefined, { stdin }: Io): Promise<string> {
  if (input === undefined && stdin.isTTY === true)
    throw new UsageError('Give INPUT: a file, a JWT, a form body or a whole HTTP request; or pipe it in.')
  if (input === undefined || input === '-') return decode(await buffer(stdin))
  return isFile(input) ? decode(readFileSync(input)) : input
}

/** The records in a text of JSON: one record, or a list. `source` is named where it holds none. */
export function parseClients(json: string, source: string): readonly OAuthClient[] {
  const value = attempt(() => JSON.parse(json) as unknown)
  if (value === undefined)
    throw new UsageError(`${source} is not JSON: it must hold one client record, or a list of them.`)
  const records: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (records.every((record) => typeof (Object(record) as Partial<OAuthClient>).client_id === 'string'))
    return records as readonly OAuthClient[]
  throw new UsageError(`${source} must hold one client record with a client_id, or a list of such records.`)
}

const defaultOf = (module: unknown): unknown =>
  typeof module === 'object' && module !== null && 'default' in module ? module.default : module

/** What a module exports: `export default`, `module.exports`, or what a compiler made of the first for `require`. */
const exportedBy = (namespace: unknown): unknown => defaultOf(defaultOf(namespace))

/** The options that the module of `--config` exports. */
export async function loadModule(file: string): Promise<object> {
  if (!isFile(file)) throw new UsageError(`--config ${file}: there is no such file.`)
  const exported = exportedBy(await import(pathToFileURL(path.resolve(file)).href))
  if (typeof exported === 'object' && exported !== null) return exported
  throw new UsageError(
    `--config ${file} must export the options of clientAuth: export default { issuer, getClient }; for jwks, those of createJwksFetcher.`
  )
}

/** How the server is told to the command. */
interface ServerArguments {
  readonly issuer?: string | undefined
  readonly client?: string | undefined
  readonly config?: string | undefined
}

/** The server's options, and whether they can look clients up. */
export interface Server {
  readonly options: ClientAuthOptions
  readonly knowsClients: boolean
  /** The records of `--client`. */
  readonly records?: readonly OAuthClient[]
}

/** The options of a server that has these clients, and nothing else that is not a default. */
export function serverOf(issuer: string, records: readonly OAuthClient[]): Server {
  const getClient = (clientId: string) => records.find(({ client_id: id }) => id === clientId)
  return { options: { issuer, getClient }, knowsClients: records.length > 0, records }
}

/** The server that `--config`, or `--issuer` and `--client`, describe. */
export async function loadServer({ issuer, client, config }: ServerArguments): Promise<Server> {
  if (config !== undefined && client !== undefined)
    throw new UsageError('Give --client or --config, not both: --config looks clients up itself.')
  if (config !== undefined) {
    const options = (await loadModule(config)) as ClientAuthOptions
    if (!('issuer' in options || 'getClient' in options))
      throw new UsageError(`--config ${config} has no export default { issuer, getClient, … }.`)
    return { options: issuer === undefined ? options : { ...options, issuer }, knowsClients: true }
  }
  if (issuer === undefined || issuer === '')
    throw new UsageError('Give --issuer URL, the issuer identifier of the server, or --config FILE with its options.')
  return serverOf(issuer, client === undefined ? [] : parseClients(readFile('--client', client), `--client ${client}`))
}
