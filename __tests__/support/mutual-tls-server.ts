import { once } from 'node:events'
import express from 'express'
import { createServer as createHttpServer, request as httpRequest, type Server } from 'node:http'
import { createServer as createHttpsServer, request as httpsRequest, type Server as HttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { clientAuth, type ClientAuthOptions, type ExplainOptions } from '../../lib'
import { issuer } from './assertions'
import { certificate } from './client-certificates'
import type { Profile } from './mutual-tls-cases'

/** Own key and certificate of every TLS server here. */
export const serverCertificate = () => ({ key: certificate('server').key, cert: certificate('server').pem })

/** An app that says who was let in and how; refusals are the package's own, with the reason beside them in a header. */
export function tokenApp(
  { methods, source }: Profile,
  options: Partial<ClientAuthOptions>,
  how: ExplainOptions = {}
): express.Express {
  const app = express()
  const authenticate = clientAuth({
    issuer,
    getClient: () => undefined,
    methods,
    clientCertificates: source,
    onError: (error, _req, res) => {
      res.setHeader('X-Reason', error.reason)
      res.statusCode = error.status
      res.setHeader('Content-Type', 'application/json')
      res.end(JSON.stringify(error))
    },
    ...options
  })
  app.post(
    '/token',
    express.urlencoded({ extended: false }),
    (req, res, next) => {
      authenticate.explain(req, how).then((explanation) => {
        res.setHeader(
          'X-Explained',
          explanation.accepted ? `accepted ${String(explanation.method)}` : (explanation.reason ?? 'unknown')
        )
        next()
      }, next)
    },
    authenticate,
    (req, res) => {
      const { method, certificate: shown, cnf } = req.oauthClientAuth!
      res.json({
        method,
        certificate: shown?.['x5t#S256'] ?? null,
        subject: shown?.subject,
        verified: shown?.verified,
        cnf: cnf?.['x5t#S256'] ?? null
      })
    }
  )
  app.use((error: Error, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
    res.status(500).json({ passed_on: error.message })
  })
  return app
}

export interface Listening<S> {
  server: S
  port: number
  close(): Promise<void>
}

async function listen<S extends Server | HttpsServer>(server: S, host: string): Promise<Listening<S>> {
  server.listen(0, host)
  await once(server, 'listening')
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

/** RSA keys of 1024 bits, which newer OpenSSL shows and takes only so: what is told of them is ours. */
const anyKey = { ciphers: 'DEFAULT@SECLEVEL=0' }

export const listenHttp = (app: express.Express, host = '127.0.0.1') => listen(createHttpServer(app), host)

/** A TLS server of a profile; of one behind a proxy, a TLS server that asks for certificates and is not watched. */
export async function listenTls(app: express.Express, { tls }: Profile, isWatched = true) {
  const unwatched = { requestCert: true, rejectUnauthorized: false, ca: certificate('ca').pem }
  const server = createHttpsServer({ ...anyKey, ...serverCertificate(), ...(tls?.serverOptions ?? unwatched) }, app)
  if (isWatched) tls?.watch(server)
  return listen(server, '127.0.0.1')
}

export interface Answer {
  status: number
  body: Record<string, unknown>
  reason: string | undefined
  explained: string | undefined
  challenge: string | undefined
}

export interface Sending {
  port: number
  path?: string
  form: Record<string, string>
  headers?: [string, string][]
  localAddress?: string
  tls?: {
    cert?: string | undefined
    key?: string | undefined
    servername?: string
    session?: Buffer | undefined
    minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
    maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
  }
  onSession?: (session: Buffer) => void
}

/** Posts a form on a connection of its own. */
export async function send({
  port,
  path = '/token',
  form,
  headers = [],
  localAddress,
  tls,
  onSession
}: Sending): Promise<Answer> {
  const body = new URLSearchParams(form).toString()
  const rawHeaders = [
    ...['Host', 'localhost', 'Content-Type', 'application/x-www-form-urlencoded'],
    ...['Content-Length', String(Buffer.byteLength(body)), 'Connection', 'close'],
    ...headers.flat()
  ]
  const common = { host: '127.0.0.1', port, path, method: 'POST', agent: false, localAddress }
  const request =
    tls === undefined
      ? httpRequest({ ...common, headers: rawHeaders })
      : httpsRequest({
          ...common,
          headers: rawHeaders,
          ca: certificate('server').pem,
          servername: 'localhost',
          checkServerIdentity: () => undefined,
          ...anyKey,
          ...tls
        })
  request.on('socket', (socket: Socket) => {
    socket.on('session', (session: Buffer) => onSession?.(session))
  })
  request.end(body)
  const [response] = (await once(request, 'response')) as [
    NodeJS.ReadableStream & { statusCode: number; headers: Record<string, string> }
  ]
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
  return {
    status: response.statusCode,
    body: JSON.parse(text) as Record<string, unknown>,
    reason: response.headers['x-reason'],
    explained: response.headers['x-explained'],
    challenge: response.headers['www-authenticate']
  }
}
