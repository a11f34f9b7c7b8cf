import express from 'express'
import request, { type Test } from 'supertest'
import { clientAuth, type ClientAuthOptions, type OAuthClient } from '../../lib'
import { issuer } from './assertions'

export type Options = Partial<ClientAuthOptions>

/** `getClient` over a few records, which remembers the ids that it was asked for. */
export function clientsOf(...records: OAuthClient[]) {
  const asked: unknown[] = []
  const getClient = (clientId: string) => {
    asked.push(clientId)
    return records.find((record) => record.client_id === clientId)
  }
  return { getClient, asked }
}

/** An Express 5 app with one token endpoint, which answers with the client and the method; 500 names its error. */
export function tokenServer(options: Options, ...records: OAuthClient[]): express.Express {
  const app = express()
  app.post('/token', clientAuth({ issuer, getClient: clientsOf(...records).getClient, ...options }), (req, res) => {
    res.json({ client_id: req.oauthClient?.client_id, ...req.oauthClientAuth, body: req.body })
  })
  app.use((error: Error, _req: express.Request, res: express.Response, next: express.NextFunction) => {
    if (res.headersSent) next(error)
    else res.status(500).json({ passed_on: error.message, name: error.name })
  })
  return app
}

type Form = Record<string, string> | string

/** Posts a form, raw or from fields, to the token endpoint. */
export function post(app: express.Express | string, form: Form = {}, headers: Record<string, string> = {}): Test {
  const body = typeof form === 'string' ? form : new URLSearchParams(form).toString()
  const test = request(app).post('/token').set('Content-Type', 'application/x-www-form-urlencoded').set(headers)
  return body === '' ? test : test.send(body)
}
