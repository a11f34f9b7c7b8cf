import { clientAuth, createClientAuthenticator, type OAuthClient } from 'oauth-client-auth'

interface MyClient extends OAuthClient {
  audiences: string[]
}
declare function findClient(clientId: string): Promise<MyClient | null>

const issuer = 'https://as.example.com'
const authenticate = createClientAuthenticator<MyClient>({
  issuer,
  getClient: findClient,
  legacyAudiences: ({ audiences }) => audiences
})

export async function audiencesOf(headers: Headers, body: URLSearchParams): Promise<string[]> {
  const { client, clientId, assertion } = await authenticate({ headers, body })
  const known: string = clientId
  const issuedAt: unknown = assertion?.claims['iat']
  // @ts-expect-error: MyClient has no such field
  void client.unheardOf
  return [known, String(issuedAt), ...client.audiences]
}

export const explicit = clientAuth<MyClient>({
  issuer,
  getClient: findClient,
  verifySecret: async (presented, stored, client) => client.audiences.length > 0 && presented === stored
})
export const inferred = clientAuth({ issuer, getClient: findClient, legacyAudiences: ({ audiences }) => audiences })
// @ts-expect-error: a client has an id
clientAuth<MyClient>({ issuer, getClient: () => ({ audiences: [] }) })
