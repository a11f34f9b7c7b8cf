import { source as axe } from 'axe-core'
import {
  acceptedAssertion,
  asHttp,
  describeInChromium,
  explain,
  fill,
  refusedAssertion,
  shot
} from '../support/page-in-chromium'

const schemes = ['light', 'dark'] as const
const requests = { accepted: acceptedAssertion, refused: () => asHttp(refusedAssertion()) }
const looks = schemes.flatMap((scheme) =>
  Object.entries(requests).map(([outcome, request]) => ({ scheme, outcome, request }))
)

describeInChromium(({ open }) => {
  test.each(looks)(
    'an $outcome request, $scheme: seen, and without a fault that axe finds',
    async ({ scheme, outcome, request }) => {
      const page = await open({ colorScheme: scheme, viewport: { width: 1280, height: 900 } })
      await explain(page, request())
      await page.screenshot({ path: shot(`${outcome}-${scheme}`), fullPage: true })
      await page.evaluate(axe)
      const faults = await page.evaluate(
        `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))`
      )
      expect(faults).toEqual([])
      const paper = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
      const [red = 0] = /\d+/.exec(paper)?.map(Number) ?? []
      expect(red < 128).toBe(scheme === 'dark')
    }
  )

  // At 200 % zoom a window of 1280 pixels is 640 wide; 320 is what WCAG 1.4.10 asks for.
  test.each([
    { zoom: 200, width: 640 },
    { zoom: 400, width: 320 }
  ])('at $zoom % zoom nothing is wider than the window, and all can be used', async ({ zoom, width }) => {
    const page = await open({ viewport: { width, height: 450 } })
    await explain(page, refusedAssertion())
    await page.screenshot({ path: shot(`refused-zoom-${zoom}`), fullPage: true })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    const drawing = (await page.getByRole('img').boundingBox())!
    expect(drawing.x + drawing.width).toBeLessThanOrEqual(width)
    await page.getByRole('button', { name: 'Copy the text' }).click()
  })

  test('a field that cannot be read: without a fault that axe finds', async () => {
    const page = await open()
    await fill(page, 'hello')
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.locator('#input[aria-invalid=true]').waitFor()
    await page.evaluate(axe)
    expect(await page.evaluate(`axe.run().then(({ violations }) => violations.map(({ id }) => id))`)).toEqual([])
  })
})
