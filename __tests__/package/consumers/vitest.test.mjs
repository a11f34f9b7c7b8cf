import * as imported from 'oauth-client-auth'
import { test } from 'vitest'
import prove from './prove.cjs'

test('the package works under Vitest', () => prove(imported))
