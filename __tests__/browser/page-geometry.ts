// What is seen after the click, measured: on a desk, on a phone, at 200 % zoom, in both colour schemes.
import type { Page } from 'playwright-core'
import { makeKey, now, keyAssertion } from '../support/assertions'
import {
  acceptedAssertion,
  asHttp,
  card,
  describeInChromium,
  explain,
  fill,
  key,
  record,
  refusedAssertion,
  shot,
  verdict
} from '../support/page-in-chromium'

const sizes = {
  desk: { width: 1280, height: 800 },
  phone: { width: 375, height: 667 },
  'desk at 200 %': { width: 640, height: 400 },
  'phone at 200 %': { width: 188, height: 334 }
}
const schemes = ['light', 'dark'] as const
const otherUri = { ...record, jwks: undefined, jwks_uri: 'https://keys.example.com/jwks' }
const requests = {
  accepted: [acceptedAssertion, record],
  refused: [() => asHttp(refusedAssertion()), record],
  open: [acceptedAssertion, otherUri]
} as const
const looks = Object.entries(sizes).flatMap(([size, viewport]) =>
  schemes.flatMap((colorScheme) =>
    Object.entries(requests).map(([state, [request, client]]) => ({
      size,
      viewport,
      colorScheme,
      state,
      request,
      client
    }))
  )
)

/** The numbers in a style that the page computes: of a colour red, green and blue. */
const numbersOf = async (page: Page, selector: string, property: string): Promise<number[]> => {
  const text = await page.evaluate<string>(
    `getComputedStyle(document.querySelector(${JSON.stringify(selector)}))[${JSON.stringify(property)}]`
  )
  return (text.match(/[\d.]+/g) ?? []).map(Number)
}

interface Box {
  text: string
  left: number
  right: number
  top: number
  bottom: number
}
const boxesOf = (page: Page, selector: string) =>
  page.evaluate<Box[]>(
    `Array.from(document.querySelectorAll(${JSON.stringify(selector)}), (one) => {
      const { left, right, top, bottom } = one.getBoundingClientRect()
      return { text: one.textContent, left, right, top, bottom }
    })`
  )
const overlap = (a: Box, b: Box): boolean =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1

describeInChromium(({ open }) => {
  test.each(looks)(
    '$size, $colorScheme: the verdict on an $state request is in view after the click',
    async ({ size, viewport, colorScheme, state, request, client }) => {
      const page = await open({ viewport, colorScheme })
      await explain(page, request(), client)
      await page.screenshot({ path: shot(`${state}-${size.replace(/\W+/g, '-')}-${colorScheme}`) })
      expect(await verdict(page).getAttribute('class')).toBe(state)
      const box = (await verdict(page).locator('.headline').boundingBox())!
      expect(box.y).toBeGreaterThanOrEqual(0)
      expect(box.y + box.height).toBeLessThanOrEqual(viewport.height)
      expect(box.x + box.width).toBeLessThanOrEqual(viewport.width)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(viewport.width)
    }
  )

  test('on a desk, what to change is in view as well', async () => {
    const page = await open({ viewport: sizes.desk })
    await explain(page, asHttp(refusedAssertion()))
    const first = (await card(page, 'What to change').getByRole('listitem').first().boundingBox())!
    expect(first.y + first.height).toBeLessThanOrEqual(sizes.desk.height)
  })

  test('the useful sentence is the headline, and the code is small', async () => {
    const page = await open()
    await explain(page, keyAssertion(key, { clientId: 'bank', claims: { aud: 'https://as.example.com/token' } }))
    const headline = verdict(page).locator('.headline')
    expect(await headline.innerText()).toMatch(/^Set aud to the issuer/)
    const small = verdict(page).locator('.small').first()
    expect(await small.innerText()).toMatch(/^Refused: assertion_audience\. 1 of \d+ checks failed\.$/)
    const [[large = 0], [tiny = 0]] = (await Promise.all(
      ['.headline', '.small'].map((one) => numbersOf(page, `#verdict ${one}`, 'fontSize'))
    )) as [number[], number[]]
    expect(large).toBeGreaterThan(tiny * 1.2)
  })

  test.each(schemes)('%s: not everything checked is amber, and no red banner', async (colorScheme) => {
    const page = await open({ colorScheme })
    await explain(page, acceptedAssertion(), otherUri)
    const [red = 0, green = 0, blue = 0] = await numbersOf(page, '#verdict', 'color')
    expect(await verdict(page).innerText()).toMatch(/^Not refused, but not everything could be checked\./)
    // Amber: red and green, and little blue
    expect(green).toBeGreaterThan(blue + 40)
    expect(red).toBeGreaterThan(green)
    await explain(page, refusedAssertion())
    const refused = await numbersOf(page, '#verdict', 'color')
    expect(refused[1]).toBeLessThan(green)
    expect(await page.locator('.failures').count()).toBe(1)
  })

  test('forty keys on a phone: a line each', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => ({
      ...makeKey('ES256').jwk,
      kid: `key-of-the-year-${index}-${'x'.repeat(index)}`
    }))
    const page = await open({ viewport: sizes.phone })
    await explain(page, acceptedAssertion(), { ...record, jwks: { keys: [...record.jwks.keys.slice(0, 1), ...keys] } })
    await card(page, 'Keys').scrollIntoViewIfNeeded()
    await page.screenshot({ path: shot('keys-phone') })
    const rows = await boxesOf(page, '#keys tbody tr')
    expect(rows).toHaveLength(41)
    for (const { top, bottom, left, right } of rows) {
      expect(bottom - top).toBeLessThan(36)
      expect([left >= 0, right <= sizes.phone.width]).toEqual([true, true])
    }
    for (const { right } of await boxesOf(page, '#keys td.usable')) expect(right).toBeLessThanOrEqual(sizes.phone.width)
    expect(await card(page, 'Keys').getByRole('row').count()).toBe(41)
  })

  test('a verdict on other input than the one that stands there is greyed, and says so', async () => {
    const page = await open({ viewport: sizes.desk })
    await explain(page, refusedAssertion())
    await page.getByRole('textbox', { name: 'Issuer' }).fill('https://other.example.com')
    await page.screenshot({ path: shot('stale') })
    expect(await verdict(page).innerText()).toBe('The form has changed: press Explain again.')
    expect(await verdict(page).getAttribute('class')).toBe('')
    expect((await numbersOf(page, '#report', 'opacity'))[0]).toBeLessThan(0.6)
    await explain(page, refusedAssertion())
    expect(await verdict(page).getAttribute('class')).toBe('refused')
    expect(await numbersOf(page, '#report', 'opacity')).toEqual([1])
  })

  test('nothing pasted: the field says so, and gets the focus', async () => {
    const page = await open({ viewport: sizes.phone })
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.locator('#input[aria-invalid=true]').waitFor()
    await page.screenshot({ path: shot('empty-submit') })
    expect(await page.locator('#input-problem').textContent()).toBe('Paste a request or a JWT here.')
    expect(await page.locator(':focus').getAttribute('id')).toBe('input')
    const problem = (await page.locator('#input-problem').boundingBox())!
    expect(problem.y + problem.height).toBeLessThanOrEqual(sizes.phone.height)
    expect(problem.y).toBeGreaterThanOrEqual(0)
    expect(await page.locator('#report').isHidden()).toBe(true)
  })

  test('an example can be loaded, and is explained as of when it was made', async () => {
    const page = await open({ viewport: sizes.desk })
    await page.screenshot({ path: shot('empty') })
    await page.getByRole('button', { name: 'Load an example' }).click()
    await page.locator('#verdict.refused').waitFor()
    await page.screenshot({ path: shot('example') })
    expect(await verdict(page).innerText()).toMatch(/Set aud to the issuer.*assertion_audience\. 1 of/s)
    expect(await verdict(page).innerText()).toContain('Judged as of 2026-01-01 00:00:00 UTC')
  })

  test('failed checks stand first, and the passed ones are folded', async () => {
    const page = await open()
    await explain(page, refusedAssertion())
    const all = card(page, 'All checks')
    expect(await all.getByRole('listitem').first().isVisible()).toBe(false)
    const [failures, checks] = await Promise.all(['#failures', '#checks'].map((one) => page.locator(one).boundingBox()))
    expect(failures!.y).toBeLessThan(checks!.y)
    await all.getByText(/\d+ passed, 3 failed, \d+ not checked/).press('Enter')
    expect(await all.getByRole('listitem').first().isVisible()).toBe(true)
  })

  const span = (iat: number, nbf: number, exp: number, at: number) => ({ iat, nbf, exp, at })
  test.each([
    ['all within a second', span(0, 0, 1, 0)],
    ['one minute', span(0, 0, 60, 20)],
    ['ended a day ago', span(0, 30, 60, 86_400)],
    ['valid in a year', span(31_536_000, 31_536_000, 31_536_060, 0)],
    ['now at the end', span(0, 0, 60, 60)]
  ])('the labels of the drawing never overlap: %s', async (_name, { iat, nbf, exp, at }) => {
    const start = now()
    for (const width of [320, 375, 640, 1280]) {
      const page = await open({ viewport: { width, height: 800 } })
      await fill(page, acceptedAssertion({ iat: start + iat, nbf: start + nbf, exp: start + exp }))
      await page.getByRole('textbox', { name: 'Time' }).fill(String(start + at))
      await page.getByRole('button', { name: 'Explain' }).click()
      await page.locator('#times svg text').first().waitFor({ state: 'attached' })
      if (width < 400)
        await page.locator('#times').screenshot({ path: shot(`times-${_name.replaceAll(' ', '-')}-${width}`) })
      const boxes = (await boxesOf(page, '#times svg text')).filter(({ text }) => text !== '')
      const [svg] = await boxesOf(page, '#times svg')
      for (const box of boxes) {
        expect([box.text, box.left >= svg!.left - 1, box.right <= svg!.right + 1]).toEqual([box.text, true, true])
        expect(
          boxes.filter((other) => other !== box && overlap(box, other)).map(({ text }) => [box.text, text])
        ).toEqual([])
      }
    }
  })
})
