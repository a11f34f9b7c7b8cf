// import and require() must give one and the same package: one error class, one set of caches.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { ClientAuthError } from 'oauth-client-auth'
import * as imported from 'oauth-client-auth'
import * as testing from 'oauth-client-auth/testing'
import prove from './prove.cjs'

const require = createRequire(import.meta.url)
const required = require('oauth-client-auth')
assert.equal(typeof ClientAuthError, 'function')
assert.equal(required.ClientAuthError, ClientAuthError)
assert.ok(Object.keys(required).length > 5)
for (const name of Object.keys(required)) assert.equal(imported[name], required[name], name)
assert.equal(require('oauth-client-auth/testing').createTestClient, testing.createTestClient)
await prove(imported, testing)
await prove(required, testing)
