// Stand-ins for three issuers: a Kubernetes API server, GitHub Actions and SPIRE, with the tokens that they hand out.
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { issuer as audience, newKey } from './clients.mjs'
import { serveDocuments } from './key-server.mjs'

const sign = ({ key, kid, jwk }, header, claims, seconds) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: jwk.alg, kid, ...header })
    .setIssuedAt()
    .setExpirationTime(`${seconds}s`)
    .sign(key)

/** The API server of a cluster. Its discovery document names its keys by an address, as many clusters do. */
export async function startCluster() {
  const key = await newKey('cluster-1', 'RS256')
  const issuer = 'https://kubernetes.default.svc.cluster.local'
  const documents = {
    '/.well-known/openid-configuration': { issuer, jwks_uri: 'https://10.96.0.1:443/openid/v1/jwks' },
    '/openid/v1/jwks': { keys: [key.jwk] }
  }
  const server = await serveDocuments('kubernetes.default.svc', (path) => documents[path])
  return {
    ...server,
    issuer,
    /** A projected token, as a pod reads it from its volume. */
    tokenOf: (namespace, account, aud = [audience]) =>
      sign(
        key,
        {},
        {
          iss: issuer,
          sub: `system:serviceaccount:${namespace}:${account}`,
          aud,
          'kubernetes.io': { namespace, serviceaccount: { name: account, uid: randomUUID() } }
        },
        600
      )
  }
}

/** GitHub's issuer. It stands at a free port here, so the issuer has a port. */
export async function startGitHub() {
  const key = await newKey('github-1', 'RS256')
  const server = await serveDocuments('token.actions.githubusercontent.com', (path, origin) => {
    if (path === '/.well-known/openid-configuration')
      return { issuer: origin, jwks_uri: `${origin}/.well-known/jwks`, subject_types_supported: ['public', 'pairwise'] }
    return path === '/.well-known/jwks' ? { keys: [key.jwk] } : undefined
  })
  return {
    ...server,
    issuer: server.origin,
    /** The token that a job asks for. */
    tokenOf: (repository, run, signer = key) =>
      sign(
        signer,
        { typ: 'JWT' },
        {
          iss: server.origin,
          sub: `repo:${repository}:${run}`,
          aud: audience,
          jti: randomUUID(),
          repository,
          event_name: run === 'pull_request' ? run : 'push'
        },
        300
      )
  }
}

/** The bundle endpoint of a SPIRE server, and the tokens that its agents hand out. */
export async function startSpire() {
  const key = await newKey('spire-1')
  const bundle = { keys: [{ ...key.jwk, use: 'jwt-svid' }], spiffe_sequence: 1, spiffe_refresh_hint: 300 }
  const server = await serveDocuments('spire.example.org', (path) => (path === '/bundle' ? bundle : undefined))
  return {
    ...server,
    trustDomain: 'spiffe://example.org',
    tokenOf: (path) => sign(key, { typ: 'JWT' }, { sub: `spiffe://example.org${path}`, aud: [audience] }, 300)
  }
}
