import { request, type IncomingHttpHeaders } from 'node:http'
import { startPage } from '../../../cli/page/command'
import type { RunningPage } from '../../../cli/page/server'
import { acceptedAssertion, record } from '../../support/page-in-chromium'
import { issuer } from '../../support/assertions'

let page: RunningPage
let origin: string
let host: string
let token: string

beforeAll(async () => {
  page = await startPage([])
  const url = new URL(page.url)
  origin = url.origin
  host = url.host
  token = url.pathname.split('/')[1] ?? ''
})
afterAll(() => page.close())

interface Sent {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: string
}

/** One request, with any Host, as no browser and no fetch would send it. */
const ask = ({ method = 'GET', path = `/${token}/`, headers = {}, body }: Sent) =>
  new Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const sent = request(origin, { agent: false, method, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })

const pasted = JSON.stringify({ input: acceptedAssertion(), record: JSON.stringify(record), issuer })
const post = (headers: Record<string, string> = {}, path = `/${token}/explain`): Sent => ({
  method: 'POST',
  path,
  headers: { origin, 'content-type': 'application/json', ...headers },
  body: pasted
})

describe('the server of the page', () => {
  test('gives its own page what it asks for', async () => {
    expect(await ask({})).toMatchObject({ status: 200, text: expect.stringContaining('<h1>') as string })
    expect(JSON.parse((await ask(post())).text)).toMatchObject({ state: 'accepted' })
  })

  test.each<[string, () => Sent, number]>([
    // Threat 50: a name that leads to this machine (DNS rebinding)
    ['another Host, as after DNS rebinding', () => ({ headers: { host: 'evil.example' } }), 403],
    ['another Host with the port', () => ({ headers: { host: host.replace('127.0.0.1', 'localhost') } }), 403],
    ['a request from a page of another site', () => ({ headers: { 'sec-fetch-site': 'cross-site' } }), 403],
    ['a request from another port of this machine', () => ({ headers: { 'sec-fetch-site': 'same-site' } }), 403],
    ['no token', () => ({ path: '/' }), 404],
    ['another address of this machine', () => ({ headers: { host: host.replace('127.0.0.1', '127.0.0.2') } }), 403],
    // Threat 50: a guess at the token
    ['another token', () => ({ path: `/${'A'.repeat(43)}/` }), 404],
    ['a part of the token', () => ({ path: `/${token.slice(0, -1)}/` }), 404],
    ['the path of a file', () => ({ path: `/${token}/../gate.ts` }), 404],
    ['a file that is not its own', () => ({ path: `/${token}/package.json` }), 404],
    // Threat 50: a page of another site that reads or posts, even with the token
    ['a POST of another origin', () => post({ origin: 'https://evil.example' }), 403],
    ['a POST of the origin null', () => post({ origin: 'null' }), 403],
    ['a POST of a form', () => post({ 'content-type': 'text/plain' }), 403],
    ['a POST without the token', () => post({}, '/explain'), 404],
    ['a PUT', () => ({ ...post(), method: 'PUT' }), 405],
    ['a POST of 600 KiB', () => ({ ...post(), body: `${pasted}${' '.repeat(600 * 1024)}` }), 413]
  ])('gives nothing to %s', async (_, sent, status) => {
    const answer = await ask(sent())
    expect(answer.status).toBe(status)
    expect(answer.text).not.toMatch(/<h1>|accepted/)
    expect(answer.text).not.toContain(token)
  })

  test('answers a POST without Origin with nothing', async () => {
    expect((await ask({ ...post(), headers: { 'content-type': 'application/json' } })).status).toBe(403)
  })

  // Threat 50: a frame around it, a script or markup of another origin
  test.each(['', 'page.js', 'page.css', 'settings', 'nothing'])('sends the strict headers with "%s"', async (name) => {
    const { headers } = await ask({ path: `/${token}/${name}` })
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': expect.stringMatching(/^default-src 'none'; /) as string
    })
    expect(headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:/)
    // Each closes a way that the others leave open: see browser/page-attacks.ts
    for (const directive of [
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "form-action 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'"
    ])
      expect(String(headers['content-security-policy']).split('; ')).toContain(directive)
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })

  // Threat 50: text of the page that becomes markup
  test.each(['page.js', 'results.js', 'drawing.js'])(
    '%s puts in text as text: no way to markup is in it',
    async (name) => {
      const { text } = await ask({ path: `/${token}/${name}` })
      expect(text).toMatch(/textContent|replaceChildren/)
      expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|setHTML|document\.write|DOMParser|srcdoc|eval\(/)
    }
  )

  test('another start has another token', async () => {
    const other = await startPage([])
    await other.close()
    expect(new URL(other.url).pathname).not.toBe(new URL(page.url).pathname)
    expect(token).toMatch(/^[\w-]{43}$/)
  })

  test.each([
    ['a port that is none', ['--port', 'x'], /--port needs a number/],
    ['an argument', ['request.txt'], /page takes no argument/],
    ['a configuration that is no file', ['--config', '/nowhere'], /there is no such file/]
  ])('%s is a wrong call', async (_, args, words) => {
    await expect(startPage(args)).rejects.toThrow(words)
  })

  // Threat 50: another machine of the network
  test('listens on the loopback address alone', async () => {
    // The rest of 127.0.0.0/8 would lead to a server that listens everywhere
    const { port } = new URL(origin)
    await expect(fetch(`http://127.0.0.2:${port}/${token}/`)).rejects.toThrow()
  })

  test('a port in use is told', async () => {
    await expect(startPage(['--port', new URL(origin).port])).rejects.toThrow(/cannot be used \(EADDRINUSE\)/)
  })
})
