import { tmpdir } from 'node:os'
import path from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { startPage } from '../../cli/page/command'
import type { RunningPage } from '../../cli/page/server'
import { assertionForm, issuer, keyAssertion, keyFor, now, tokenEndpoint } from './assertions'
import { describeWith, findProgram } from './own-servers'

/** The browser of this machine, without its own windows where there is such a one. None is downloaded. */
const executablePath = findProgram('chromium-headless-shell') ?? findProgram('chromium')

/** Nothing of its own goes to the network. Each start has a user-data-dir of its own, which is removed with it. */
const args = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync']
]

/** Where the screenshots go, to be looked at. */
const shots = process.env.PAGE_SHOTS ?? path.join(tmpdir(), 'oauth-client-auth-page')
export const shot = (name: string): string => path.join(shots, `${name}.png`)

export const key = keyFor('ES256')
export const record = {
  client_id: 'bank',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [key.jwk, { ...keyFor('RS256').jwk, kid: 'old', use: 'enc' }] }
}

export const acceptedAssertion = (claims: Record<string, unknown> = {}): string =>
  keyAssertion(key, { clientId: 'bank', claims: { iat: now() - 20, nbf: now() - 20, ...claims } })

/** Wrong in four ways. */
export const refusedAssertion = (): string =>
  keyAssertion(key, {
    clientId: 'bank',
    // 4 h 12 min and a half, so that no second between here and the judgement makes 11 or 13 of it
    claims: { aud: tokenEndpoint, iat: now() - 15_330, exp: now() - 15_150, jti: '' },
    header: { typ: 'at+jwt' }
  })

/** As a log or a proxy writes it. */
export const asHttp = (assertion: string): string =>
  `POST /token HTTP/1.1\nHost: as.example.com\nContent-Type: application/x-www-form-urlencoded\n\n${new URLSearchParams(assertionForm(assertion)).toString()}`

/** What a page says on its console and throws, in the order in which it came. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  return complaints
}

export const verdict = (page: Page) => page.getByRole('status').first()
export const card = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

export async function fill(page: Page, pasted: string, client: unknown = record): Promise<void> {
  await page.getByRole('textbox', { name: 'Request or JWT' }).fill(pasted)
  await page.getByRole('textbox', { name: 'Client record' }).fill(JSON.stringify(client))
  await page.getByRole('textbox', { name: 'Issuer' }).fill(issuer)
}

/** Fills the form, presses the button and waits for the answer. */
export async function explain(page: Page, pasted: string, client?: unknown): Promise<void> {
  await fill(page, pasted, client)
  const answered = page.waitForResponse(/explain$/)
  await page.getByRole('button', { name: 'Explain' }).click()
  await answered
  // While the page waits, and where an earlier verdict is out of date, it has no class
  await page.locator('#verdict[class]:not([class=""])').waitFor()
  await page.locator('#report:not([hidden])').waitFor()
}

/** The page, served and in a browser. */
export interface PageInChromium {
  /** Where the page is, token included. */
  readonly url: () => string
  /** A new page of a context of its own. */
  readonly blank: (options?: BrowserContextOptions) => Promise<Page>
  /** The page of the command, in a context of its own. */
  readonly open: (options?: BrowserContextOptions) => Promise<Page>
}

let started: Promise<Browser> | undefined
const startChromium = () =>
  (started ??= chromium.launch({ executablePath: executablePath ?? '', headless: true, args }))
/** Ends the browser that the suites of a test file share. */
export const closeChromium = async (): Promise<void> => (await started)?.close()

/** A suite that needs chromium: skipped where there is none, in words, or failed where REQUIRE_CHROMIUM is 1. */
export function describeInChromium(suite: (page: PageInChromium) => void): void {
  describeWith('chromium', executablePath, 'REQUIRE_CHROMIUM', () => {
    let served: RunningPage
    let browser: Browser
    const blank = async (options: BrowserContextOptions = {}) => {
      const context = await browser.newContext(options)
      context.setDefaultTimeout(10_000)
      return context.newPage()
    }

    beforeAll(async () => {
      served = await startPage([])
      browser = await startChromium()
    })
    afterEach(() => Promise.all(browser.contexts().map((context) => context.close())))
    afterAll(() => served.close())

    suite({
      url: () => served.url,
      blank,
      open: async (options) => {
        const page = await blank(options)
        await page.goto(served.url)
        return page
      }
    })
  })
}
