// A token endpoint behind a brake, and requests to it from addresses of the loopback network.
import { once } from 'node:events'
import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { clientAuth, createBrake, type BrakeOptions, type ClientAuthError, type OAuthClient } from '../../lib'
import { basic, issuer } from './assertions'
import { clientsOf, type Options } from './token-server'

/** Five failures a minute. */
export const memory = (points = 5) => new RateLimiterMemory({ points, duration: 60 })

interface ServerOptions {
  brake?: Partial<BrakeOptions>
  options?: Options
  trustProxy?: string[]
}

/** An app whose refusals carry their reason in a header. */
export function brakedApp({ brake, options, trustProxy }: ServerOptions, ...records: OAuthClient[]): express.Express {
  const authenticate = clientAuth({
    issuer,
    getClient: clientsOf(...records).getClient,
    onError: (error: ClientAuthError, _req, res) => {
      res.writeHead(error.status, { 'X-Reason': error.reason }).end(JSON.stringify(error))
    },
    ...options
  })
  const app = express()
  if (trustProxy !== undefined) app.set('trust proxy', trustProxy)
  app.post('/token', createBrake({ limiter: memory(), ...brake }).over(authenticate), authenticate, (req, res) => {
    res.json({ client_id: req.oauthClient?.client_id })
  })
  return app
}

export interface Answer {
  status: number
  reason: string | undefined
  headers: IncomingHttpHeaders
  body: string
}

export interface Sent {
  form?: Record<string, string>
  headers?: Record<string, string>
  /** The address that it comes from. Default 127.0.0.1. */
  from?: string
}

export interface Running {
  ask: (sent: Sent) => Promise<Answer>
  /** By Basic. */
  guess: (id: string, secret: string, from?: string) => Promise<Answer>
  close: () => void
}

/** Posts a form, each over a connection of its own. */
export async function send(port: number, { form = {}, headers = {}, from = '127.0.0.1' }: Sent): Promise<Answer> {
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const options = { port, host: '127.0.0.1', localAddress: from, path: '/token', method: 'POST', agent: new Agent() }
  const outgoing = request({ ...options, headers: { ...type, ...headers } })
  outgoing.end(new URLSearchParams(form).toString())
  const [incoming] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage]
  let body = ''
  for await (const piece of incoming.setEncoding('utf8')) body += String(piece)
  const reason = incoming.headers['x-reason'] as string | undefined
  return { status: incoming.statusCode ?? 0, reason, headers: incoming.headers, body }
}

/** Starts an app on a free port of the loopback network. */
export async function run(app: express.Express): Promise<Running> {
  const server = app.listen({ port: 0, host: '127.0.0.1', backlog: 1024 })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ask = (sent: Sent) => send(port, sent)
  return {
    ask,
    guess: (id, secret, from = '127.0.0.1') => ask({ headers: { Authorization: basic(id, secret) }, from }),
    close: () => {
      server.close()
    }
  }
}

/** How often each status came. */
export function countStatuses(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** So many acts one after the other. */
export async function inTurn<T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let index = 0; index < count; index++) results.push(await act(index))
  return results
}

/** So many acts at once. */
export const atOnce = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)))
