import type { Page } from 'playwright-core'
import { issuer, keyAssertion, keyFor, now, tokenEndpoint } from '../support/assertions'
import {
  acceptedAssertion,
  asHttp,
  card,
  complaintsOf,
  describeInChromium,
  explain,
  fill,
  record,
  refusedAssertion,
  verdict
} from '../support/page-in-chromium'

/** Without a time, an assertion is judged as of when it was made, since it is always pasted later. */
const asOfNow = (page: Page) => page.getByRole('textbox', { name: 'Time' }).fill(new Date().toISOString())

describeInChromium(({ open }) => {
  describe('what is pasted is explained', () => {
    test('a good assertion is accepted, and nothing is to be changed', async () => {
      const page = await open()
      const complaints = complaintsOf(page)
      await explain(page, acceptedAssertion())
      expect(await verdict(page).textContent()).toBe('Accepted: every check is passed.')
      expect(await card(page, 'What to change').count()).toBe(0)
      expect(complaints).toEqual([])
    })

    test('an assertion that ended minutes ago is amber: good when it was made, refused now', async () => {
      const page = await open()
      await explain(page, acceptedAssertion({ iat: now() - 363, nbf: now() - 363, exp: now() - 303 }))
      await page.locator('#verdict.open').waitFor()
      expect(await verdict(page).locator('.headline').textContent()).toMatch(
        /^Good when it was made; now it is 5 min \d+ s too old: the server refuses it as expired\.$/
      )
      expect(await page.locator('#partner').inputValue()).toContain('the server refuses it as expired')
    })

    test('a recorded refusal is told in its own words, with what its number is', async () => {
      const page = await open()
      const facts = { check: 'two ids', detail: { length: 39 }, advice: 'Send one id.', forSender: 'Send one id.' }
      const findings = [{ reason: 'client_id_conflict', ...facts }]
      await explain(page, JSON.stringify({ reason: 'client_id_conflict', method: 'client_secret_post', findings }))
      expect(await verdict(page).locator('.headline').textContent()).toBe('Send one id.')
      const failure = await card(page, 'What to change').getByRole('listitem').innerText()
      expect(failure).toMatch(/^two ids\s+length\s+39\s+client_id_conflict · from the log$/)
    })

    test('a whole request is refused: all four faults with expected, received and advice', async () => {
      const page = await open()
      await asOfNow(page)
      await explain(page, asHttp(refusedAssertion()))
      expect(await verdict(page).textContent()).toMatch(
        /^Make and sign an assertion.*Refused: assertion_typ\. 4 of \d+ checks failed\.$/
      )
      const failures = card(page, 'What to change').getByRole('listitem')
      expect(await failures.locator('.reason').allTextContents()).toEqual([
        'assertion_typ',
        'assertion_expired',
        'assertion_jti',
        'assertion_audience'
      ])
      const audience = await failures.last().innerText()
      for (const text of [issuer, tokenEndpoint, 'Set aud to the issuer']) expect(audience).toContain(text)
    })

    test('each check stands in the list, with its result in words', async () => {
      const page = await open()
      await asOfNow(page)
      await explain(page, refusedAssertion())
      await card(page, 'All checks')
        .getByText(/\d+ passed/)
        .click()
      const checks = await card(page, 'All checks').getByRole('listitem').allTextContents()
      expect(checks.length).toBeGreaterThan(30)
      expect(checks.filter((text) => text.includes('failed: '))).toHaveLength(4)
      expect(checks.at(-1)).toContain('not checked: used once')
    })

    test('header and claims are decoded, the signature is not shown', async () => {
      const page = await open()
      const assertion = acceptedAssertion()
      await explain(page, assertion)
      expect(await card(page, 'Decoded').innerText()).toContain('"kid": "ES256-key"')
      expect(await card(page, 'Decoded').innerText()).toContain(`"aud": "${issuer}"`)
      expect(await page.locator('#report').innerText()).not.toContain(assertion.split('.')[2]!)
    })

    test('the keys of the record are judged', async () => {
      const page = await open()
      await explain(page, acceptedAssertion())
      const rows = await card(page, 'Keys').getByRole('row').allInnerTexts()
      expect(rows.slice(1).map((row) => row.split(/\s*\t\s*/))).toEqual([
        ['ES256-key', 'EC', 'P-256', 'ES256', 'sig', '✓ usable'],
        ['old', 'RSA', '2048 bits', 'RS256', 'enc', '✗ is not for signatures (use)']
      ])
    })

    test('an assertion of yesterday is accepted as of yesterday', async () => {
      const page = await open()
      const then = now() - 86_400
      await fill(page, keyAssertion(keyFor('ES256'), { clientId: 'bank', claims: { exp: then + 60 } }))
      await page.getByRole('textbox', { name: 'Time' }).fill(new Date(then * 1000).toISOString())
      await page.getByRole('button', { name: 'Explain' }).click()
      await page.locator('#verdict.accepted').waitFor()
    })

    test('a jwks_uri is not fetched unasked, and through the guard when asked', async () => {
      const page = await open()
      const client = { ...record, jwks: undefined, jwks_uri: 'https://localhost/jwks' }
      await explain(page, acceptedAssertion(), client)
      expect(await verdict(page).textContent()).toContain('Not refused, but not everything could be checked.')
      await page.getByRole('checkbox', { name: /Fetch/ }).check()
      await explain(page, acceptedAssertion(), client)
      expect(await verdict(page).textContent()).toContain('Refused: jwks_unavailable.')
      expect(await card(page, 'Keys').innerText()).toContain('URL: the host localhost has no dot')
    })

    test.each([
      ['a text that is no request', 'input', { input: 'hello' }],
      ['a record that is no JSON', 'record', { record: '{' }],
      ['an issuer that is no https URL', 'issuer', { issuer: 'as.example.com' }],
      ['a time that is none', 'at', { at: 'yesterday' }]
    ])('%s is told at its field, which gets the focus', async (_, field, wrong) => {
      const page = await open()
      await fill(page, acceptedAssertion())
      for (const [id, text] of Object.entries(wrong)) await page.locator(`#${id}`).fill(text)
      await page.getByRole('button', { name: 'Explain' }).click()
      await page.locator(`#${field}[aria-invalid=true]`).waitFor()
      const problem = await page.locator(`#${field}-problem`).textContent()
      expect(problem).not.toBe('')
      expect(await verdict(page).textContent()).toBe(problem)
      expect(await page.locator(':focus').getAttribute('id')).toBe(field)
    })
  })

  describe('the drawing of the times', () => {
    test('each time is a point at its place: before its end or after it, by the line of now', async () => {
      const page = await open()
      await asOfNow(page)
      await explain(page, refusedAssertion())
      const drawing = card(page, 'Times').getByRole('img')
      expect(await drawing.getAttribute('aria-label')).toMatch(/exp .* UTC, expired 4 h 12 min before now; now/)
      expect(await drawing.locator('text').allTextContents()).toEqual(
        expect.arrayContaining(['iat', 'exp', 'now', 'expired 4 h 12 min before now'])
      )
      const places = await page.evaluate<number[]>(
        `Array.from(document.querySelectorAll('#times circle'), (one) => Number(one.getAttribute('cx')))`
      )
      expect([...places].sort((a, b) => a - b)).toEqual(places)
      expect(new Set(places).size).toBe(3)
      const span = (await drawing.locator('rect.span').boundingBox())!
      const line = (await drawing.locator('line.now').boundingBox())!
      expect(line.x).toBeGreaterThan(span.x + span.width)
    })

    test('now lies within the span of an assertion that is valid', async () => {
      const page = await open()
      await explain(page, acceptedAssertion())
      const drawing = card(page, 'Times').getByRole('img')
      const [span, leeway, line] = await Promise.all(
        ['rect.span', 'rect.leeway', 'line.now'].map(async (name) => (await drawing.locator(name).boundingBox())!)
      )
      expect(line!.x).toBeGreaterThan(span!.x)
      expect(line!.x).toBeLessThan(span!.x + span!.width)
      expect(leeway!.width).toBeGreaterThan(span!.width)
    })
  })

  describe('by keyboard alone', () => {
    test('paste, explain, go on to the text for the partner and copy it', async () => {
      const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] })
      const focused = () => page.locator(':focus')
      await page.keyboard.press('Tab')
      expect(await focused().innerText()).toBe('Skip to the results')
      for (const text of [refusedAssertion(), JSON.stringify(record), issuer]) {
        await page.keyboard.press('Tab')
        await page.keyboard.insertText(text)
      }
      await page.keyboard.press('Control+Enter')
      await page.locator('#verdict.refused').waitFor()
      for (let step = 0; step < 20 && (await focused().getAttribute('id')) !== 'copy'; step++)
        await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.getByText('Copied.').waitFor()
      const copied = await page.evaluate<string>('navigator.clipboard.readText()')
      expect(copied).toContain(`A request to ${issuer} (client bank, private_key_jwt), judged as of `)
      expect(copied).toContain(`Received: ${tokenEndpoint}`)
      expect(copied).toContain('What to change: Set aud to the issuer')
    })

    test('whatever has the focus shows it', async () => {
      const page = await open()
      await explain(page, refusedAssertion())
      await page.locator('body').click({ position: { x: 1, y: 1 } })
      const widths: string[] = []
      for (let step = 0; step < 10; step++) {
        await page.keyboard.press('Tab')
        widths.push(await page.evaluate<string>('getComputedStyle(document.activeElement).outlineWidth'))
      }
      expect(new Set(widths)).toEqual(new Set(['3px']))
    })

    test('the button Clear takes everything back', async () => {
      const page = await open()
      await explain(page, refusedAssertion())
      await page.getByRole('button', { name: 'Clear' }).press('Enter')
      expect(await page.locator('#input').inputValue()).toBe('')
      expect(await page.locator('#report').isHidden()).toBe(true)
      expect(await page.locator('#report').innerHTML()).toBe('')
    })
  })
})
