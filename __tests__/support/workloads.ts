// Workloads that hold a signed token of another issuer, with the claims that those issuers put in.
import { randomUUID } from 'node:crypto'
import type { OAuthClient } from '../../lib'
import { issuer, jws, JWT_BEARER, makeKey, now, type TestKey } from './assertions'
import type { Options } from './token-server'

export const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

export const kubernetes = 'https://kubernetes.default.svc.cluster.local'
export const github = 'https://token.actions.githubusercontent.com'
export const trustDomain = 'spiffe://example.org'

export const clusterKey = makeKey('RS256', 'cluster')
export const githubKey = makeKey('RS256', 'github')
export const svidKey = makeKey('ES256', 'svid')
export const strangerKey = makeKey('RS256', 'cluster')

const svidJwk = { ...svidKey.jwk, use: 'jwt-svid' }
/** The JWK Set that a bundle of the trust domain holds. */
export const bundle = { keys: [svidJwk], spiffe_sequence: 1, spiffe_refresh_hint: 300 }

/** A server that trusts a cluster, GitHub and a trust domain, by pasted keys. */
export const trusting: Options = {
  methods: ['federated_jwt', 'spiffe_jwt', 'private_key_jwt', 'client_secret_basic'],
  trustedIssuers: {
    [kubernetes]: { jwks: { keys: [clusterKey.jwk] }, reusable: true },
    [github]: { jwks: { keys: [githubKey.jwk] } },
    [trustDomain]: { jwks: { keys: [svidJwk] }, reusable: true }
  }
}

export const worker: OAuthClient = {
  client_id: 'worker',
  token_endpoint_auth_method: 'federated_jwt',
  federated_identities: [{ issuer: kubernetes, subject: 'system:serviceaccount:shop:worker' }]
}
export const deployer: OAuthClient = {
  client_id: 'deployer',
  token_endpoint_auth_method: 'federated_jwt',
  federated_identities: [{ issuer: github, subject: 'repo:acme/shop:ref:refs/heads/main' }]
}
export const ledger: OAuthClient = {
  client_id: 'ledger',
  token_endpoint_auth_method: 'spiffe_jwt',
  spiffe_id: 'spiffe://example.org/ns/bank/sa/ledger'
}

/** Differences from a usual token: claims or header members, `undefined` takes one out; another key. */
export interface Changes {
  claims?: Record<string, unknown>
  header?: Record<string, unknown>
  key?: TestKey
}

const sign = (header: object, claims: object, usual: TestKey, { claims: more, header: other, key = usual }: Changes) =>
  jws({ ...header, alg: key.alg, kid: key.kid, ...other }, { ...claims, ...more }, key.alg, key.privateKey)

/** A projected service-account token, as a pod reads it from its volume. */
export const podToken = (changes: Changes = {}): string =>
  sign(
    {},
    {
      aud: [issuer],
      exp: now() + 600,
      iat: now(),
      nbf: now(),
      iss: kubernetes,
      'kubernetes.io': {
        namespace: 'shop',
        node: { name: 'node-1', uid: randomUUID() },
        pod: { name: 'worker-7d9c', uid: randomUUID() },
        serviceaccount: { name: 'worker', uid: randomUUID() }
      },
      sub: 'system:serviceaccount:shop:worker'
    },
    clusterKey,
    changes
  )

/** The OIDC token of a job of GitHub Actions. */
export const jobToken = (changes: Changes = {}): string =>
  sign(
    { typ: 'JWT' },
    {
      jti: randomUUID(),
      sub: 'repo:acme/shop:ref:refs/heads/main',
      aud: issuer,
      ref: 'refs/heads/main',
      repository: 'acme/shop',
      repository_id: '74',
      repository_owner: 'acme',
      repository_visibility: 'private',
      run_id: '1234',
      workflow: 'deploy',
      event_name: 'push',
      ref_type: 'branch',
      job_workflow_ref: 'acme/shop/.github/workflows/deploy.yml@refs/heads/main',
      iss: github,
      nbf: now() - 600,
      exp: now() + 300,
      iat: now()
    },
    githubKey,
    changes
  )

/** A JWT-SVID, as the SPIFFE Workload API hands it out. */
export const svid = (changes: Changes = {}): string =>
  sign(
    { typ: 'JWT' },
    { aud: [issuer], exp: now() + 300, iat: now(), sub: 'spiffe://example.org/ns/bank/sa/ledger' },
    svidKey,
    changes
  )

/** The form around a token. */
export const formOf = (clientId: string, token: string, type: string = JWT_BEARER): Record<string, string> => ({
  client_id: clientId,
  client_assertion_type: type,
  client_assertion: token
})
export const podForm = (changes?: Changes) => formOf('worker', podToken(changes))
export const jobForm = (changes?: Changes) => formOf('deployer', jobToken(changes))
export const svidForm = (changes?: Changes) => formOf('ledger', svid(changes), JWT_SPIFFE)
