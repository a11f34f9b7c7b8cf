// Workloads without a secret: a pod of Kubernetes, a job of GitHub Actions and a SPIFFE workload authenticate as clients.
import express from 'express'
import { clientAuth, createJwksFetcher } from 'oauth-client-auth'
import { issuer, issueToken, newKey } from './support/clients.mjs'
import { listening, report, row } from './support/demonstrate.mjs'
import { onLoopback } from './support/key-server.mjs'
import { postForm } from './support/requests.mjs'
import { startCluster, startGitHub, startSpire } from './support/workloads.mjs'

const cluster = await startCluster()
const github = await startGitHub()
const spire = await startSpire()

// --- the clients: who they are to their issuers
const records = [
  {
    client_id: 'shop-worker',
    token_endpoint_auth_method: 'federated_jwt',
    federated_identities: [{ issuer: cluster.issuer, subject: 'system:serviceaccount:shop:worker' }]
  },
  {
    client_id: 'deployer',
    token_endpoint_auth_method: 'federated_jwt',
    federated_identities: [{ issuer: github.issuer, subject: 'repo:acme/shop:ref:refs/heads/main' }]
  },
  {
    client_id: 'ledger',
    token_endpoint_auth_method: 'spiffe_jwt',
    spiffe_id: 'spiffe://example.org/ns/bank/*'
  }
]
const getClient = (clientId) => records.find(({ client_id }) => client_id === clientId)

// --- the server: whom it trusts
const authenticateClient = clientAuth({
  issuer,
  getClient,
  methods: ['private_key_jwt', 'federated_jwt', 'spiffe_jwt'],
  trustedIssuers: {
    [cluster.issuer]: { jwks_uri: `${cluster.origin}/openid/v1/jwks`, reusable: true },
    [github.issuer]: {}, // its keys by discovery, each token once
    [spire.trustDomain]: { jwks_uri: `${spire.origin}/bundle`, reusable: true }
  },
  keySets: createJwksFetcher(onLoopback(cluster, github, spire)) // the one way to private addresses, by name
})
// --- end

const app = express()
app.post('/token', authenticateClient, (req, res) => {
  res.set('Cache-Control', 'no-store').json(issueToken(req.oauthClient))
})
const { url, close } = await listening(app.listen(0, '127.0.0.1'))

// --- what a workload sends: its token, and the client that it is here
const ask = async (client_id, client_assertion, kind = 'jwt-bearer') => {
  const form = {
    grant_type: 'client_credentials',
    client_id,
    client_assertion_type: `urn:ietf:params:oauth:client-assertion-type:${kind}`,
    client_assertion
  }
  const { body, ...answer } = await postForm(`${url}/token`, form)
  return { ...answer, token: body.access_token }
}

// Basic is not among the methods, so a refusal needs no challenge: 400 (RFC 6749 §5.2)
const refused = (reason) => ({ status: 400, error: 'invalid_client', reason })
const { federated, spiffe } = { federated: 'federated_jwt', spiffe: 'spiffe_jwt' }
const pod = await cluster.tokenOf('shop', 'worker')
const job = await github.tokenOf('acme/shop', 'ref:refs/heads/main')
const thief = await newKey('github-1', 'RS256')
const svid = await spire.tokenOf('/ns/bank/sa/ledger')

const rows = [
  await row(federated, 'a pod', { client: 'shop-worker' }, () => ask('shop-worker', pod)),
  await row(federated, 'the pod again, with the same token', { client: 'shop-worker' }, () => ask('shop-worker', pod)),
  await row(federated, 'a pod of another namespace', refused('federated_subject'), async () =>
    ask('shop-worker', await cluster.tokenOf('test', 'worker'))
  ),
  await row(federated, "a pod's default token", refused('assertion_audience'), async () =>
    ask('shop-worker', await cluster.tokenOf('shop', 'worker', [cluster.issuer]))
  ),
  await row(federated, 'a job on main', { client: 'deployer' }, () => ask('deployer', job)),
  await row(federated, 'the job again, with the same token', refused('assertion_replayed'), () => ask('deployer', job)),
  await row(federated, 'a job of a pull request', refused('federated_subject'), async () =>
    ask('deployer', await github.tokenOf('acme/shop', 'pull_request'))
  ),
  await row(federated, 'a job of a fork', refused('federated_subject'), async () =>
    ask('deployer', await github.tokenOf('mallory/shop', 'ref:refs/heads/main'))
  ),
  await row(federated, 'a job that nobody vouches for', refused('signature_mismatch'), async () =>
    ask('deployer', await github.tokenOf('acme/shop', 'ref:refs/heads/main', thief))
  ),
  await row(federated, 'a pod in place of a job', refused('federated_subject'), () => ask('deployer', pod)),
  await row(spiffe, 'a SPIFFE workload', { client: 'ledger' }, () => ask('ledger', svid, 'jwt-spiffe')),
  await row(spiffe, 'another path', refused('federated_subject'), async () =>
    ask('ledger', await spire.tokenOf('/ns/shop/sa/worker'), 'jwt-spiffe')
  )
]
report('Workload identity', rows)
close()
