// Drives one example: four right clients, what a wrong one of each kind gets, and a table of both.
import { once } from 'node:events'
import { subscribe } from 'node:diagnostics_channel'
import { bankKey, clientOf as tokenOwner, clients, issuer, newKey, newSecret } from './clients.mjs'
import { postForm, postJson, postWithTwoHeaders, requestToken, sendTwice } from './requests.mjs'

/** The reason of the last refusal: only the server's side hears it. */
let lastReason
subscribe('oauth-client-auth:rejected', ({ reason }) => (lastReason = reason))

/** Pads the cells of rows into columns. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => String(cell ?? '').padEnd(widths[column]))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

/**
 * A row of the report: what was sent and what came back. It is ok if that is what `must` says: the status,
 * the OAuth error, the reason, and, for a token, the client it belongs to as `clientOf` tells.
 */
export async function row(method, what, must, send) {
  lastReason = undefined
  // What is no OAuth answer at all shows in the table as well.
  const unexpected = (error) => ({ status: `${error.cause?.status ?? ''} ${error.message}` })
  const { challenge, token, ...got } = await send().catch(unexpected)
  const { status = 200, error, reason, client, clientOf = tokenOwner } = must
  const ok =
    got.status === status &&
    got.error === error &&
    lastReason === reason &&
    (status !== 401 || Boolean(challenge)) && // RFC 9110 §15.5.2
    (client === undefined || client === clientOf(token))
  return { method, what, status: got.status, error: got.error, description: got.description, reason: lastReason, ok }
}

/** The rows that every host must pass. */
async function hostRows(server, { hidesSecondHeader = false, ...options }) {
  const secretOf = (clientId) => clients.get(clientId).client_secret
  const thief = await newKey('bank-1')
  const right = [
    ['web-shop', 'client_secret_basic', secretOf('web-shop')],
    ['old-script', 'client_secret_post', secretOf('old-script')],
    ['signing-app', 'client_secret_jwt', secretOf('signing-app')],
    ['partner-bank', 'private_key_jwt', bankKey]
  ]
  const wrong = [
    ['wrong secret', 'secret_mismatch', 'web-shop', 'client_secret_basic', newSecret()],
    ['wrong secret', 'secret_mismatch', 'old-script', 'client_secret_post', newSecret()],
    ['wrong secret', 'signature_mismatch', 'signing-app', 'client_secret_jwt', newSecret()],
    ['wrong key', 'signature_mismatch', 'partner-bank', 'private_key_jwt', thief],
    ['sent twice', 'assertion_replayed', 'partner-bank', 'private_key_jwt', bankKey, { fetch: sendTwice }],
    ['a secret instead', 'method_not_registered', 'partner-bank', 'client_secret_post', newSecret()]
  ]
  const rows = []
  for (const request of right) {
    const [client, method] = request
    rows.push(await row(method, 'right', { client, ...options }, () => requestToken(server, ...request)))
  }
  for (const [what, reason, ...request] of wrong) {
    const refused = { status: 401, error: 'invalid_client', reason }
    rows.push(await row(request[1], what, refused, () => requestToken(server, ...request)))
  }
  const conflict = { status: 400, error: 'invalid_request', reason: 'client_id_conflict' }
  const parameters = { client_id: 'partner-bank' }
  const ask = () => requestToken(server, ...right[0], { parameters })
  const repeated = { status: 400, error: 'invalid_request', reason: 'parameter_repeated' }
  const authorizations = hidesSecondHeader
    ? { status: 401, error: 'invalid_client', reason: 'secret_mismatch' } // the first one is judged
    : { status: 400, error: 'invalid_request', reason: 'authorization_repeated' }
  const { client_id, client_secret } = clients.get('old-script')
  const twice = [
    ...Object.entries({ client_id, client_secret, grant_type: 'client_credentials' }),
    ['client_id', client_id]
  ]
  return [
    ...rows,
    await row('client_secret_basic', 'names another client', conflict, ask),
    await row('client_secret_post', 'a parameter twice', repeated, () => postForm(server.token_endpoint, twice)),
    await row('client_secret_basic', 'the header twice', authorizations, () =>
      postWithTwoHeaders(server.token_endpoint)
    )
  ]
}

/** Rows for a host that parses JSON too: right credentials as JSON, and by Basic without a body. */
export async function rowsBesideForms(url, asJson, withoutBody) {
  const [token, secretOf] = [`${url}/token`, (clientId) => clients.get(clientId).client_secret]
  const parameters = {
    client_id: 'old-script',
    client_secret: secretOf('old-script'),
    grant_type: 'client_credentials'
  }
  const headers = { authorization: `Basic ${btoa(`web-shop:${secretOf('web-shop')}`)}` }
  return [
    await row('client_secret_post', 'as JSON', asJson, () => postJson(token, parameters)),
    await row('client_secret_basic', 'no body', withoutBody, () => postForm(token, undefined, headers))
  ]
}

/** The same for a handler that takes forms alone and reads them itself, up to 64 kB. */
export async function rowsOfFormsAlone(url) {
  const refused = { status: 400, error: 'invalid_request' }
  const large = { client_id: 'a'.repeat(70_000) }
  return [
    ...(await rowsBesideForms(url, refused, refused)),
    await row('', 'over 64 kB', refused, () => postForm(`${url}/token`, large))
  ]
}

/** A row for a server that never answers: what the page warns of is still true. */
export async function hangs(what, server) {
  const { url, close } = await listening(server)
  const { client_id, client_secret } = clients.get('old-script')
  const form = { client_id, client_secret, grant_type: 'client_credentials' }
  const deadline = AbortSignal.timeout(2000)
  const found = await row('', what, { status: 'no answer' }, () =>
    postForm(`${url}/token`, form, {}, deadline).catch(() => ({ status: deadline.aborted ? 'no answer' : 'broken' }))
  )
  close()
  return found
}

/** Prints the rows (as JSON for the program that runs all examples) and sets the exit status. */
export function report(name, rows) {
  if (process.argv.includes('--json')) console.log(JSON.stringify({ name, rows }))
  else {
    const cells = rows.map((r) => [r.ok ? 'ok' : 'WRONG', r.method, r.what, r.status, r.error, r.reason])
    console.log(`${name}\n${table([['', 'method', 'sent', 'status', 'error', 'reason (logged only)'], ...cells])}\n`)
  }
  if (rows.length === 0 || !rows.every(({ ok }) => ok)) process.exitCode = 1
}

/** The address of a server that listens, or soon will. */
export async function addressOf(server) {
  if (!server.listening) await once(server, 'listening')
  return `http://127.0.0.1:${server.address().port}`
}

/** Listens on loopback at `port`, or at a free one if that is taken, and returns the address. */
export async function listen(server, port) {
  try {
    server.listen(port, '127.0.0.1')
    return await addressOf(server)
  } catch (error) {
    if (error.code !== 'EADDRINUSE' || port === 0) throw error
    return listen(server, 0)
  }
}

/** A listening server: its address, and how to end it with all connections. */
export async function listening(server) {
  const url = await addressOf(server)
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url, close }
}

/**
 * Runs the rows against the token endpoint `/token` of a `node:http` server that listens or soon will, or of
 * anything with `url` and `close()`, then those that `more(url)` adds, and reports. `clientOf` tells which client a
 * token was issued to. `hidesSecondHeader`: the host shows a handler only the first of two `Authorization` headers.
 *
 * @param {string} name
 * @param {any} server
 * @param {{ more?: (url: string) => unknown, clientOf?: Function, hidesSecondHeader?: boolean }} options
 */
export async function demonstrate(name, server, { more = () => [], ...options } = {}) {
  const { url, close } = 'url' in server ? server : await listening(server)
  const rows = await hostRows({ issuer, token_endpoint: `${url}/token` }, options)
  report(name, [...rows, ...(await more(url))])
  close()
}
