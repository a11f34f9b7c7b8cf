// Node forgets a diagnostics channel that nobody holds, and when the memory of the old one is freed it forgets the new
// one of the same name as well (Node 20): its messages then reach no subscriber. The tests load the package anew for
// each file, so here the channels are held for as long as the process lives.
import * as diagnostics from 'node:diagnostics_channel'

const held = Symbol.for('oauth-client-auth:tests')
const ends = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']
const names = [
  ...['authenticated', 'rejected', 'failed', 'jwks', 'documents', 'fetching'].map(
    (name) => `oauth-client-auth:${name}`
  ),
  ...['lru-cache:metrics', ...ends.map((end) => `tracing:lru-cache:${end}`)]
]
// Modules of Node are the same for all test files of a process
const shared = (diagnostics as unknown as { default?: object }).default ?? diagnostics
Object.assign(shared, { [held]: names.map((name) => diagnostics.channel(name)) })
