import * as library from 'oauth-client-auth'
import { test } from 'vitest'
import fetchKeys from './fetch.cjs'

test('a key set is fetched under Vitest', async () => {
  console.log(JSON.stringify(await fetchKeys(library)))
})
