import type { IncomingMessage } from 'node:http'
import { equalTexts } from '../../lib/explain/for-cli'

/** By what the page knows its own requests. */
export interface Gate {
  /** `127.0.0.1:PORT`, as the browser names it. */
  readonly host: string
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string
  /** The secret first segment of each path. */
  readonly token: string
}

/**
 * The path behind the token, such as `page.js`, or the HTTP status by which the request is refused. Only this machine
 * can connect, but any web page that is open on it can make a browser connect, and any user of it can.
 */
export function admit({ method, url, headers }: IncomingMessage, { host, origin, token }: Gate): string | number {
  // DNS rebinding: the name of another site may lead to this address, but the browser still names that site
  if (headers.host !== host) return 403
  // Sent by every browser of today; `none` is the address bar
  if (!['none', 'same-origin', undefined].includes(headers['sec-fetch-site'])) return 403
  const [, given = '', path] = /^\/([^/?#]*)\/([^?#]*)$/.exec(String(url)) ?? []
  if (path === undefined || !equalTexts(given, token)) return 404
  if (method === 'GET') return path
  if (method !== 'POST') return 405
  return headers.origin === origin && headers['content-type'] === 'application/json' ? path : 403
}
