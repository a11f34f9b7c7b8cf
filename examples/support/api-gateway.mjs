// What API Gateway does in front of a Lambda function: an HTTP request becomes an event, the result an answer.
// The shapes are those of AWS's pages on proxy integrations for REST APIs (1.0) and HTTP APIs (2.0).
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'

const titled = (name) => name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
const spellings = { titled, upper: (name) => name.toUpperCase(), lower: (name) => name.toLowerCase() }

const time = () => ({ requestTime: new Date().toUTCString(), requestTimeEpoch: Date.now() })
const common = { accountId: '123456789012', apiId: 'abcdef1234', stage: '$default' }

/** A REST API: names as the client wrote them, here in the case that `?names=` asks for; the body as text. */
function version1({ method, headers, rawHeaders }, url, body) {
  const spell = spellings[url.searchParams.get('names')] ?? titled
  const multiValueHeaders = {}
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = spell(rawHeaders[index])
    multiValueHeaders[name] = [...(multiValueHeaders[name] ?? []), rawHeaders[index + 1]]
  }
  const last = Object.entries(multiValueHeaders).map(([name, values]) => [name, values.at(-1)])
  return {
    version: '1.0',
    resource: '/token',
    path: url.pathname,
    httpMethod: method,
    headers: Object.fromEntries(last),
    multiValueHeaders,
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    requestContext: {
      ...common,
      ...time(),
      httpMethod: method,
      path: url.pathname,
      protocol: 'HTTP/1.1',
      requestId: randomUUID(),
      resourcePath: '/token',
      identity: { sourceIp: '127.0.0.1', userAgent: headers['user-agent'] }
    },
    body: body.length === 0 ? null : body.toString(),
    isBase64Encoded: false
  }
}

/** An HTTP API: names in lower case, several values joined by commas, a form as base64. */
function version2({ method, headersDistinct, headers }, url, body) {
  const joined = Object.entries(headersDistinct).map(([name, values]) => [name, values.join(',')])
  return {
    version: '2.0',
    routeKey: 'POST /token',
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers: Object.fromEntries(joined),
    requestContext: {
      ...common,
      domainName: 'id.execute-api.us-east-1.amazonaws.com',
      http: {
        method,
        path: url.pathname,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: headers['user-agent']
      },
      requestId: randomUUID(),
      routeKey: 'POST /token',
      time: time().requestTime,
      timeEpoch: Date.now()
    },
    ...(body.length === 0 ? {} : { body: body.toString('base64') }),
    isBase64Encoded: body.length > 0
  }
}

const versions = { '1.0': version1, '2.0': version2 }

/** A server that calls `handler` as API Gateway does. */
export function gateway(version, handler) {
  const eventOf = versions[version]
  return createServer(async (req, res) => {
    const body = await buffer(req)
    const event = eventOf(req, new URL(req.url, 'http://gateway'), body)
    try {
      // What leaves and enters Lambda is JSON.
      const result = await handler(JSON.parse(JSON.stringify(event)), { awsRequestId: randomUUID() })
      res.writeHead(result.statusCode, result.headers).end(result.body)
    } catch {
      res.writeHead(502, { 'Content-Type': 'application/json' }).end('{"message": "Internal server error"}')
    }
  })
}
