import { attempt, isObject } from '../lib/explain/for-cli'
import { type Input, requestOf } from './pasted-request'
import { UsageError } from './usage'

type Members = Record<string, unknown>
const objectOf = (value: unknown): Members => (isObject(value) ? value : {})
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** `{ name: value }` or `[{ name, value }]`, as HAR has them. */
function pairsOf(value: unknown): [string, string][] {
  if (Array.isArray(value)) return value.map((one) => [textOf(objectOf(one).name), textOf(objectOf(one).value)])
  return Object.entries(objectOf(value)).map(([name, one]) => [name, String(one)])
}

/** The request of a HAR that has credentials, or the last one. */
function requestIn(har: Members): Members {
  const { entries } = objectOf(har.log)
  const requests = (Array.isArray(entries) ? entries : [har]).map((entry) => objectOf(objectOf(entry).request))
  const isTokenRequest = (one: Members) => /client_|grant_type|"authorization"/i.test(JSON.stringify(one))
  return requests.findLast(isTokenRequest) ?? requests.at(-1) ?? {}
}

function fromHar(har: Members): Input {
  const { headers, postData, url } = requestIn(har)
  const { text, params, mimeType } = objectOf(postData)
  const all = pairsOf(headers).filter(([name]) => !name.startsWith(':'))
  if (textOf(mimeType) !== '' && !all.some(([name]) => /^content-type$/i.test(name)))
    all.push(['Content-Type', textOf(mimeType)])
  const body =
    textOf(text) ||
    new URLSearchParams(
      pairsOf(params).map(([name, value]): [string, string] => [name, decodeURIComponent(value)])
    ).toString()
  return requestOf(all, body, textOf(url))
}

function parse(text: string, what: string): unknown {
  const value = attempt(() => JSON.parse(text) as unknown)
  if (value !== undefined) return value
  throw new UsageError(
    `INPUT looks like ${what}, and cannot be read as such: copy it whole, or give the HTTP request or the curl command.`
  )
}

/** What `fetch("url", { … })` sends, where its options are JSON, as browsers copy them. */
function fromFetch(text: string): Input {
  const [, url = '', options = '{}'] =
    /^(?:await )?fetch\(\s*["'`]([^"'`]*)["'`]\s*,?\s*(\{.*\})?\s*\)\s*;?$/s.exec(text) ?? []
  const { headers, body } = objectOf(parse(url === '' ? '' : options, 'fetch(…)'))
  return requestOf(pairsOf(headers), textOf(body), url)
}

/** Reads `fetch(…)`, HAR, a request as an object, or parameters as JSON, which no server takes. */
export function readJson(text: string): Input {
  if (!/^[{[]/.test(text)) return fromFetch(text)
  const value = objectOf(parse(text, 'JSON'))
  if ('log' in value || 'request' in value) return fromHar(value)
  if (isObject(value.headers)) {
    const { headers, body, url } = value
    return requestOf(
      pairsOf(headers),
      typeof body === 'string' ? body : new URLSearchParams(pairsOf(body)).toString(),
      textOf(url)
    )
  }
  if ('alg' in value || 'iss' in value || 'keys' in value)
    throw new UsageError(
      'INPUT looks like a decoded JWT or a key set: give the JWT as it was sent, three parts with dots between.'
    )
  return requestOf([['Content-Type', 'application/json']], text)
}
