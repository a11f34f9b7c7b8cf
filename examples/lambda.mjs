// AWS Lambda behind API Gateway: REST APIs send events of version 1.0, HTTP APIs and function URLs of version 2.0.
//   node examples/lambda.mjs --event=1.0 | --event=2.0
import { ClientAuthError, createClientAuthenticator } from 'oauth-client-auth'
import { clients, findClient, issuer, issueToken } from './support/clients.mjs'
import { demonstrate, row, rowsBesideForms } from './support/demonstrate.mjs'
import { gateway } from './support/api-gateway.mjs'
import { postForm } from './support/requests.mjs'

// --- glue
const authenticate = createClientAuthenticator({ issuer, getClient: findClient })

/** The form of an event of either version: HTTP APIs encode every form as base64. */
function formOf({ body, isBase64Encoded }) {
  return new URLSearchParams(isBase64Encoded ? Buffer.from(body, 'base64').toString() : (body ?? ''))
}

const isForm = ([name, value]) => /^content-type$/i.test(name) && /^application\/x-www-form-urlencoded/i.test(value)

export async function handler(event) {
  if (!Object.entries(event.headers ?? {}).some(isForm)) return answer(400, { error: 'invalid_request' })
  try {
    // Version 1.0: `headers` holds the last of several values, `multiValueHeaders` all of them.
    const headers = event.multiValueHeaders ?? event.headers
    const { client } = await authenticate({ headers, body: formOf(event) })
    return answer(200, issueToken(client), { 'Cache-Control': 'no-store' })
  } catch (error) {
    if (!(error instanceof ClientAuthError)) throw error // getClient failed: the gateway answers 502
    return answer(error.status, error, error.headers)
  }
}

function answer(statusCode, body, headers) {
  return { statusCode, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) }
}
// --- end

const version = process.argv.find((argument) => argument.startsWith('--event='))?.slice('--event='.length) ?? '2.0'
const server = gateway(version, handler)

/** Version 1.0 keeps the names of headers as the client wrote them. */
async function namesInAnyCase(url) {
  const { client_id, client_secret } = clients.get('web-shop')
  const headers = { Authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` }
  const spellings = { titled: 'Authorization', lower: 'authorization', upper: 'AUTHORIZATION' }
  const rows = []
  for (const [spelling, name] of Object.entries(spellings)) {
    const send = () => postForm(`${url}/token?names=${spelling}`, { grant_type: 'client_credentials' }, headers)
    rows.push(await row('client_secret_basic', `${name}: …`, {}, send))
  }
  return rows
}

const refused = { status: 400, error: 'invalid_request' }
const more = async (url) => [
  ...(await rowsBesideForms(url, refused, refused)),
  ...(version === '1.0' ? await namesInAnyCase(url) : [])
]
await demonstrate(`AWS Lambda, event ${version}`, server.listen(0, '127.0.0.1'), { more })
