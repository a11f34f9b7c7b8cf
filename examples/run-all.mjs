// Runs every example and tells whether each host accepted and refused as it must.
//   npm run examples              tables; exit 0 only if every row of every example came out right
//   npm run examples -- --write   writes the same tables into docs/hosts.md and docs/migration.md
//   npm run examples -- --check   fails as well if the pages say something else
// The hosts that install heavily have a suite of their own: hosts/run-all.mjs.
import { comparisonTable, exampleTable, hostTable, publish, runAll, versionOf } from './support/matrix.mjs'

const host = (name, dependency, rest = {}) => ({
  name,
  file: `${name}.mjs`,
  version: dependency === undefined ? 'of Node' : versionOf(dependency),
  ...rest
})
const example = (name, shows) => ({ name, shows, file: `${name}.mjs` })

const hosts = await runAll([
  host('express5', 'express'),
  host('express4', 'express4'),
  host('node-http'),
  host('koa', 'koa'),
  host('koa-body-parser', '@koa/bodyparser'),
  host('hono', 'hono'),
  host('fastify', 'fastify'),
  host('fastify-middie', '@fastify/middie'),
  host('fastify-express', '@fastify/express'),
  host('lambda, event 1.0', undefined, { file: 'lambda.mjs', args: ['--event=1.0'] }),
  host('lambda, event 2.0', undefined, { file: 'lambda.mjs', args: ['--event=2.0'] }),
  host('oauth2orize', 'oauth2orize'),
  host('node-oauth', '@node-oauth/oauth2-server'),
  host('jmondi', '@jmondi/oauth2-server')
])
const others = await runAll([
  example('quick-start', 'the four methods and four refusals, keys by `jwks_uri`'),
  example('registration', 'a partner registers, renews its key and is revoked alone (RFC 7591)'),
  example('migration', 'a partner moves from a secret to a key, and from the older audience to the issuer'),
  example(
    'public-clients',
    'public clients with PKCE beside clients with a secret, on Express: before and after a move'
  ),
  example('issuers', 'several issuers in one process, over shared stores'),
  example('endpoints', 'endpoints with different methods over one store: no public client at introspection'),
  example('rate-limit', 'a limit on guessing, by address and by the client that is claimed, however spelt'),
  example('fapi2', 'the FAPI 2 profile: all but short private_key_jwt assertions refused'),
  example('mutual-tls', 'TLS client certificates: of an authority and self-signed, on a port of their own (RFC 8705)'),
  example(
    'workload-identity',
    'a pod, a CI job and a SPIFFE workload without a secret, by the tokens of their issuers'
  ),
  example('mcp', 'the MCP TypeScript SDK as server: clients by document and registered ones, by its own client'),
  example('audit', 'an audit log, and a counter for each reason')
])

const hostsPage = '../docs/hosts.md'
const compared = [...hosts, ...others].filter(({ rows }) => rows.some(({ before }) => before !== undefined))
publish(
  [
    { file: hostsPage, name: 'hosts', rows: hostTable(hosts) },
    { file: hostsPage, name: 'more examples', rows: exampleTable(others) },
    ...compared.map((result) => ({
      file: '../docs/migration.md',
      name: `comparison: ${result.name}`,
      rows: comparisonTable(result)
    }))
  ],
  [...hosts, ...others]
)
