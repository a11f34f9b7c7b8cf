// Hosts and handlers that misbehave while a request is answered: each request ends, and nothing ends the process. An
// unhandled rejection or an uncaught exception fails the test in which it happens: Jest listens for both.
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import formbody from '@fastify/formbody'
import connect from 'connect'
import express from 'express'
import express4 from 'express4'
import Fastify from 'fastify'
import { clientAuth } from '../../lib'
import { issuer } from '../support/assertions'
import { behave, continuations, records, sentFor } from '../support/fuzz/objects'

type Step = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => unknown) => void
const getClient = (id: string) => records.find(({ client_id }) => client_id === id)

const use = (app: { use: (handler: never) => unknown }, ...steps: unknown[]) => {
  for (const step of steps) app.use(step as never)
  return app as unknown as RequestListener
}

/** What a test has opened: closed also where it fails, since an open server keeps Jest from its end. */
const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})
async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  opened.push(() => (server.closeAllConnections(), server.close()))
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

// Threat 23: a request that is not of node:http
test.each(['good Basic', 'bad Basic', 'good post', 'bad post'])(
  'Fastify, %s: refused at once with a sentence that names the right way, whoever asks',
  async (credentials) => {
    const app = Fastify()
    opened.push(() => (app.server.closeAllConnections(), app.close()))
    await app.register(formbody)
    const middleware = clientAuth({ issuer, getClient })
    app.post('/token', { preHandler: middleware as never, handler: () => 'let in' })
    const { authorization = '', form } = sentFor(credentials)
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const body = new URLSearchParams(form)
    const answer = await fetch(`${url}/token`, { method: 'POST', headers: { authorization }, body })
    expect([answer.status, ((await answer.json()) as { message: string }).message]).toEqual([
      500,
      expect.stringContaining('use createClientAuthenticator({ … })')
    ])
  }
)

test('a host that passes no next, such as Koa, is told at once', () => {
  const middleware = clientAuth({ issuer, getClient }) as unknown as (...given: unknown[]) => void
  expect(() => {
    middleware({ headers: {} }, () => Promise.resolve())
  }).toThrow('use createClientAuthenticator({ … })')
})

test('a request that cannot be resumed, as tests imitate one, gets its refusal all the same', async () => {
  const headers = { authorization: sentFor('bad Basic').authorization }
  const answered = new Promise((resolve, reject) => {
    const end = (body?: string) => {
      resolve([res.statusCode, body])
    }
    const res = { statusCode: 200, setHeader: () => undefined, end }
    clientAuth({ issuer, getClient })(
      { headers } as unknown as IncomingMessage,
      res as unknown as ServerResponse,
      reject
    )
  })
  expect(await answered).toEqual([401, expect.stringContaining('invalid_client')])
})

/** A response whose every answer throws, as an `on-headers` hook of another middleware can make it. */
const withHook: Step = (_req, res, next) => {
  res.writeHead = () => {
    throw new Error('hook')
  }
  next()
}

// Threat 23: a hook of other middleware that throws at every answer
test.each<[string, RequestListener]>([
  ['Express 5', use(express(), withHook, clientAuth({ issuer, getClient }))],
  ['Express 4', use(express4(), withHook, clientAuth({ issuer, getClient }))],
  ['connect', use(connect(), withHook, clientAuth({ issuer, getClient }))]
])(
  '%s: a hook that throws at every answer leaves no request waiting, not even one that is still being sent',
  async (_name, listener) => {
    jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const port = await listen(listener)
    for (const length of [0, 1024 ** 3]) {
      const headers = { 'content-length': length, 'content-type': 'application/x-www-form-urlencoded' }
      const sent = request({ port, host: '127.0.0.1', method: 'POST', headers }).on('error', () => undefined)
      if (length > 0) sent.write('client_id=')
      else sent.end()
      await expect(once(sent, 'response')).rejects.toMatchObject({
        code: 'ECONNRESET'
      })
    }
  }
)

// Threat 23: a `next` that throws or rejects
test.each(continuations)('bare node:http: a next that %s ends its request', async (way) => {
  jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  const middleware = clientAuth({ issuer, getClient })
  const port = await listen((req, res) => {
    middleware(req, res, () => {
      if (way === 'returns') res.end()
      return behave(way)
    })
  })
  const { authorization } = sentFor('good Basic')
  const sent = request({ port, host: '127.0.0.1', method: 'POST', headers: { authorization } })
  sent.on('error', () => undefined).end() // where nothing answers, the end of the test cuts it off
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  expect(answer.resume().statusCode).toBe(way === 'returns' ? 200 : 500)
})
