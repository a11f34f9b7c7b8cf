// The MCP TypeScript SDK as authorization server: its router, with or without clientAuth() ahead of it.
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import * as errors from '@modelcontextprotocol/sdk/server/auth/errors.js'
import type { OAuthServerProvider } from '@modelcontextprotocol/sdk/server/auth/provider.js'
import * as router from '@modelcontextprotocol/sdk/server/auth/router.js'
import * as legacy from '@modelcontextprotocol/server-legacy/auth'
import type { OAuthClientInformationFull } from '@modelcontextprotocol/sdk/shared/auth.js'
import cors from 'cors'
import express from 'express'
import {
  type ClientAuthentication,
  ClientAuthError,
  clientAuth,
  type ClientAuthOptions,
  type ClientDocuments,
  type OAuthClient
} from '../../lib'

/** The authorization server of version 1 of the SDK, and the same as version 2 has it. */
export const sdks = {
  'sdk 1': { ...errors, ...router },
  'server-legacy 2': legacy as unknown as typeof errors & typeof router
}
type Sdk = (typeof sdks)['sdk 1']

interface Grant {
  clientId: string
  method: string | undefined
}

type FindClient = (id: string) => OAuthClient | undefined | Promise<OAuthClient | undefined>

/** A provider in memory. `currentMethod` tells how the client of the request under way has authenticated. */
function createProvider(sdk: Sdk, findClient: FindClient, currentMethod: () => string | undefined) {
  const { InvalidClientError, InvalidGrantError } = sdk
  const codes = new Map<string, { clientId: string; redirectUri: string; challenge: string }>()
  const [refreshTokens, accessTokens] = [new Map<string, Grant>(), new Map<string, Grant>()]

  function held<T extends { clientId: string }>(tokens: Map<string, T>, token: string, clientId: string): T {
    const found = tokens.get(token)
    if (found?.clientId !== clientId) throw new InvalidGrantError('not of this client')
    return found
  }
  function issue(grant: Grant) {
    const [access_token = '', refresh_token = ''] = [1, 2].map(() => randomBytes(16).toString('hex'))
    accessTokens.set(access_token, grant)
    refreshTokens.set(refresh_token, grant)
    return Promise.resolve({ access_token, refresh_token, token_type: 'bearer', expires_in: 300 })
  }
  const provider: OAuthServerProvider = {
    clientsStore: {
      async getClient(id) {
        try {
          const client = await findClient(id)
          return client && ({ redirect_uris: [], ...client, client_secret: undefined } as OAuthClientInformationFull)
        } catch (error) {
          throw error instanceof ClientAuthError ? new InvalidClientError(error.message) : error
        }
      }
    },
    authorize({ client_id: clientId }, { redirectUri, codeChallenge: challenge, state }, res) {
      const code = randomBytes(16).toString('hex')
      codes.set(code, { clientId, redirectUri, challenge })
      const to = new URL(redirectUri)
      to.search = new URLSearchParams({ code, ...(state === undefined ? {} : { state }) }).toString()
      res.redirect(to.href)
      return Promise.resolve()
    },
    challengeForAuthorizationCode: async ({ client_id: id }, code) => held(codes, code, id).challenge,
    async exchangeAuthorizationCode({ client_id: clientId }, code, _verifier, redirectUri) {
      const asked = held(codes, code, clientId)
      codes.delete(code)
      if (asked.redirectUri !== redirectUri) throw new InvalidGrantError('another redirect_uri')
      return issue({ clientId, method: currentMethod() })
    },
    async exchangeRefreshToken({ client_id: clientId }, token) {
      const grant = held(refreshTokens, token, clientId)
      if (grant.method !== currentMethod()) throw new InvalidGrantError('another method')
      refreshTokens.delete(token)
      return issue(grant)
    },
    revokeToken({ client_id: clientId }, { token }) {
      for (const tokens of [accessTokens, refreshTokens])
        if (tokens.get(token)?.clientId === clientId) tokens.delete(token)
      return Promise.resolve()
    },
    verifyAccessToken: (token) =>
      Promise.resolve({ token, clientId: accessTokens.get(token)?.clientId ?? 'nobody', scopes: [] })
  }
  return provider
}

/** What the server with our middleware needs beside the SDK's. */
export interface Guard {
  documents: ClientDocuments
  options: (issuer: string) => Partial<ClientAuthOptions>
}

/** A listening server. Without `guard` it is the SDK alone. */
export async function startMcpServer(sdk: Sdk, findClient: FindClient, guard?: Guard) {
  const { createOAuthMetadata, mcpAuthRouter } = sdk
  const app = express()
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuerUrl = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const authentication = new AsyncLocalStorage<ClientAuthentication | undefined>()
  const provider = createProvider(sdk, findClient, () => authentication.getStore()?.method)
  if (guard !== undefined) {
    const { documents, options } = guard
    const authenticateClient = clientAuth({
      issuer: issuerUrl.href,
      getClient: findClient,
      ...options(issuerUrl.href)
    })
    const metadata = {
      ...createOAuthMetadata({ provider, issuerUrl }),
      ...authenticateClient.metadata(),
      ...authenticateClient.metadata('revocation'),
      ...documents.metadata()
    }
    app.get('/.well-known/oauth-authorization-server', cors(), (_req, res) => res.json(metadata))
    app.post(['/token', '/revoke'], cors(), authenticateClient, (req, _res, next) => {
      authentication.run(req.oauthClientAuth, next)
    })
  }
  app.use(mcpAuthRouter({ provider, issuerUrl }))
  return {
    issuer: issuerUrl.href,
    tokenEndpoint: new URL('/token', issuerUrl).href,
    provider,
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}
