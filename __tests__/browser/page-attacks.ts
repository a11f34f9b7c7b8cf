import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Frame, Page } from 'playwright-core'
import { keyFor } from '../support/assertions'
import { acceptedAssertion, complaintsOf, describeInChromium, explain, record } from '../support/page-in-chromium'

/** Each would run a script, load something or change the page if it became markup. */
const markup = [
  '<script>window.owned = true</script>',
  '<img src=x onerror="window.owned = true">',
  '<svg onload="window.owned = true">',
  '</textarea></pre><style>body { display: none }</style>',
  '<a id="copy" href="javascript:window.owned = true">Copy</a>'
].join('')

/** What anybody may be told. */
const refusal = 'Copy the whole address that the program printed into the address bar.\n'
const heading = (page: Page | Frame) => page.getByRole('heading', { name: 'Why was this request refused?' })

describeInChromium(({ url, open, blank }) => {
  /** The parts of the page that came from outside, as elements: none may. */
  const foreign = (page: Page) =>
    page.locator('#report :is(script, img, style, a, iframe, [onerror], [onload])').count()

  describe('hostile input stays text', () => {
    const claims = Object.fromEntries(['aud', 'jti', 'scope', markup].map((name) => [name, markup]))
    const key = keyFor('ES256')
    const hostileKey = { ...key.jwk, kid: markup, alg: markup, use: markup }

    test.each([
      // Threat 50: markup in claims, keys and headers that are pasted
      ['in every claim', acceptedAssertion({ ...claims, iat: markup, nbf: markup }), record],
      ['in iss and sub', acceptedAssertion({ iss: markup, sub: markup }), record],
      ['in kid and all else of a key', acceptedAssertion(), { ...record, jwks: { keys: [hostileKey] } }],
      ['in the method of the record', acceptedAssertion(), { ...record, token_endpoint_auth_method: markup }],
      ['in the alg of the record', acceptedAssertion(), { ...record, token_endpoint_auth_signing_alg: markup }],
      ['in the jwks_uri', acceptedAssertion(), { ...record, jwks: undefined, jwks_uri: markup }],
      [
        'in client_id and every parameter',
        new URLSearchParams({ client_id: markup, client_secret: markup, [markup]: markup }).toString(),
        record
      ],
      ['in a header of a request', `POST /token HTTP/1.1\nAuthorization: ${markup}\n\na=b`, record]
    ])('%s', async (_, pasted, client) => {
      const page = await open()
      const complaints = complaintsOf(page)
      await page.getByRole('checkbox', { name: /Fetch/ }).check()
      await explain(page, pasted, client)
      expect(await foreign(page)).toBe(0)
      expect(await page.evaluate('window.owned')).toBeUndefined()
      expect(await page.locator('#copy').count()).toBe(1)
      expect(await page.locator('body').isVisible()).toBe(true)
      expect(complaints).toEqual([])
    })

    test('what is shown of it is the very text', async () => {
      const page = await open()
      await explain(page, acceptedAssertion({ scope: markup }))
      expect(await page.locator('#decoded').innerText()).toContain(JSON.stringify(markup))
    })
  })

  describe('the policy of the page', () => {
    test.each([
      [
        'a script in the markup',
        `document.body.append(Object.assign(document.createElement('script'), { text: 'window.owned = true' }))`
      ],
      [
        'a script of another host',
        `document.body.append(Object.assign(document.createElement('script'), { src: 'https://evil.example/x.js' }))`
      ],
      ['markup made from text', `document.body.innerHTML = '<b>x</b>'`],
      ['text as code', `setTimeout(() => Function('window.owned = true')())`],
      [
        'an image of another host',
        `document.body.append(Object.assign(new Image(), { src: 'https://evil.example/x.png' }))`
      ],
      [
        'a style in the markup',
        `document.body.append(Object.assign(document.createElement('style'), { textContent: 'body{}' }))`
      ],
      [
        'a frame',
        `document.body.append(Object.assign(document.createElement('iframe'), { src: 'https://evil.example/' }))`
      ],
      ['a fetch from another host', `void fetch('https://evil.example/')`],
      [
        'a form to another host',
        `document.body.append(Object.assign(document.createElement('form'), { id: 'f', action: 'https://evil.example/' })); document.getElementById('f').submit()`
      ]
    ])('blocks %s', async (_, script) => {
      const page = await open()
      const sent: string[] = []
      await page.route('https://evil.example/**', (route) => {
        sent.push(route.request().url())
        return route.fulfill({ body: '' })
      })
      await page.evaluate(
        `void (window.blocked = new Promise((done) => { document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective)); setTimeout(done, 3000, 'nothing was blocked') }))`
      )
      await page.evaluate(`try { ${script} } catch {}`)
      expect(await page.evaluate('window.blocked')).toMatch(
        /^(script|style|img|frame|connect)-src|^form-action|^require-trusted-types-for/
      )
      expect(await page.evaluate('window.owned')).toBeUndefined()
      expect(sent).toEqual([])
    })

    test('nothing pasted is kept: after a reload every field is empty, and no storage holds anything', async () => {
      const page = await open()
      await explain(page, acceptedAssertion())
      await page.reload()
      expect(await page.locator('#input').inputValue()).toBe('')
      expect(await page.locator('#record').inputValue()).toBe('')
      const kept = await page.evaluate(
        `Promise.all([caches.keys(), indexedDB.databases()]).then((all) => [localStorage.length, sessionStorage.length, document.cookie, ...all.flat()])`
      )
      expect(kept).toEqual([0, 0, ''])
    })
  })

  describe('from elsewhere', () => {
    let stranger: Server
    let origin: string
    beforeAll(async () => {
      stranger = createServer((_, response) =>
        response.setHeader('content-type', 'text/html').end('<!doctype html><title>Stranger</title>')
      )
      await new Promise<void>((done) => stranger.listen(0, '127.0.0.1', done))
      origin = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/`
    })
    afterAll(() => {
      stranger.closeAllConnections()
      stranger.close()
    })

    const post = (mode: string, type: string) =>
      `fetch(target + 'explain', { method: 'POST', mode: '${mode}', headers: { 'content-type': '${type}' }, body: '{}' }).then((answer) => answer.text())`

    // Even a stranger who has learned the token gets nothing.
    test.each([
      ['reads the page', `fetch(target).then((answer) => answer.text())`],
      ['posts as the page does', post('cors', 'application/json')],
      ['posts without asking first', post('no-cors', 'text/plain')],
      [
        'loads the script',
        `new Promise((done) => document.head.append(Object.assign(document.createElement('script'), { type: 'module', src: target + 'page.js', onload: () => done('loaded'), onerror: () => done('') })))`
      ],
      [
        'loads the icon',
        `new Promise((done) => Object.assign(new Image(), { src: target + 'icon.svg', onload: () => done('loaded'), onerror: () => done('') }))`
      ]
    ])('a page of another origin that %s gets nothing', async (_, script) => {
      const page = await blank()
      await page.goto(origin)
      const got = await page.evaluate(
        `(async () => { const target = ${JSON.stringify(url())}; try { return await ${script} } catch { return '' } })()`
      )
      expect(got).toBe('')
    })

    test.each(['127.0.0.1', 'localhost'])('a page at %s that frames it gets an error in the frame', async (host) => {
      const page = await blank()
      await page.goto(origin.replace('127.0.0.1', host))
      await page.evaluate(
        `document.body.append(Object.assign(document.createElement('iframe'), { src: ${JSON.stringify(url())} }))`
      )
      await page.waitForTimeout(300)
      const texts = await Promise.all(
        page
          .frames()
          .slice(1)
          .map((frame) => heading(frame).count())
      )
      expect(texts).toEqual([0])
    })

    test('a page that opens it in a window gets no hold on it, and the window stays empty', async () => {
      const page = await blank()
      await page.goto(origin)
      const [opened] = await Promise.all([
        page.waitForEvent('popup'),
        page.evaluate(`void window.open(${JSON.stringify(url())})`)
      ])
      await opened.waitForLoadState()
      expect(await heading(opened).count()).toBe(0)
    })

    test('the name localhost gets nothing, for another name could lead here as well', async () => {
      const page = await blank()
      const answer = await page.goto(url().replace('127.0.0.1', 'localhost'))
      expect([answer?.status(), await answer?.text()]).toEqual([403, refusal])
    })

    test.each([
      ['without the token', ''],
      ['with another token', `${'A'.repeat(43)}/`]
    ])('%s there is nothing', async (_, path) => {
      const page = await blank()
      const answer = await page.goto(new URL(`/${path}`, url()).href)
      expect([answer?.status(), await answer?.text()]).toEqual([404, refusal])
    })

    test('the address bar gets the page', async () => {
      expect(await (await open()).title()).toBe('Why was this request refused? · oauth-client-auth')
    })
  })
})
