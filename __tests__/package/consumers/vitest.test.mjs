import * as imported from 'oauth-client-auth'
import * as testing from 'oauth-client-auth/testing'
import { test } from 'vitest'
import prove from './prove.cjs'

test('the package works under Vitest', () => prove(imported, testing))
