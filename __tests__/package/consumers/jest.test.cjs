/* global test */
const prove = require('./prove.cjs')

test('the package works under Jest', () => prove(require('oauth-client-auth'), require('oauth-client-auth/testing')))
