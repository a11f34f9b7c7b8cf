/* global test */
const fetchKeys = require('./fetch.cjs')

test('a key set is fetched under Jest', async () => {
  console.log(JSON.stringify(await fetchKeys(require('oauth-client-auth'))))
})
