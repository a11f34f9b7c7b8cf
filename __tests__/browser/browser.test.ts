// The page of the command, in Chromium. One file, so that Chromium is started once.
import { closeChromium } from '../support/page-in-chromium'
import './page'
import './page-attacks'
import './page-geometry'
import './page-looks'

jest.setTimeout(30_000)
afterAll(closeChromium)
