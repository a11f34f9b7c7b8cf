import type { JwkSet, KeySets } from '../types'
import type { KeySource } from './key-proof'
import type { KnownIssuer } from './method'
import { keySetDetail } from './registered-keys'

/** OIDC Discovery §4.1: a slash at the end is left out here, and nowhere else. */
export const discoveryUrl = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`

type Options = { refresh?: boolean } | undefined

/** OIDC Discovery §4.3: a document that names another issuer is not this one's. */
async function discoveredUri({ issuer }: KnownIssuer, keySets: KeySets, options: Options): Promise<string> {
  const url = discoveryUrl(issuer)
  const document = await keySets.document?.(url, options)
  if (document?.issuer !== issuer) throw new Error(`the issuer in ${url} is not ${issuer}`)
  if (typeof document.jwks_uri !== 'string') throw new Error(`${url} has no jwks_uri`)
  return document.jwks_uri
}

async function keysOfIssuer(known: KnownIssuer, keySets: KeySets, options: Options): Promise<JwkSet> {
  const { jwks, jwksUri } = known
  if (jwks !== undefined) return jwks
  return keySets.get(jwksUri ?? (await discoveredUri(known, keySets, options)), options)
}

/** Gets the keys of one issuer, by its options or by discovery. Keys of other issuers or in a header are never used. */
export const issuerKeys = (known: KnownIssuer, keySets: KeySets): KeySource => ({
  get: (options) => keysOfIssuer(known, keySets, options),
  use: known.method === 'spiffe_jwt' ? 'jwt-svid' : 'sig',
  unavailable: (cause) => ({
    reason: 'issuer_unavailable',
    cause,
    detail: () => ({
      expected:
        known.jwksUri === undefined
          ? 'its discovery document and a JWK Set of public keys'
          : 'a JWK Set of public keys',
      ...keySetDetail(cause)
    })
  })
})
