// The model of @node-oauth/oauth2-server, but for getClient, and the server's options. The move does not touch them.
import oauth2Server from '@node-oauth/oauth2-server'
import { issueToken } from '../support/clients.mjs'

const codes = new Map()
const refreshTokens = new Map()

export const store = {
  getUserFromClient: (client) => ({ id: client.client_id }),
  saveAuthorizationCode(code, client, user) {
    const saved = { ...code, client, user }
    codes.set(code.authorizationCode, saved)
    return saved
  },
  getAuthorizationCode: (code) => codes.get(code),
  revokeAuthorizationCode: ({ authorizationCode }) => codes.delete(authorizationCode),
  saveToken(token, client, user) {
    const saved = { ...token, accessToken: issueToken(client).access_token, client, user }
    if (token.refreshToken) refreshTokens.set(token.refreshToken, saved)
    return saved
  },
  getRefreshToken: (token) => refreshTokens.get(token),
  revokeToken: ({ refreshToken }) => refreshTokens.delete(refreshToken)
}

/** The library's names beside ours: it binds codes and refresh tokens to `client.id`. */
export const libraryClient = (client) => ({ ...client, id: client.client_id, redirectUris: client.redirect_uris })

/** A grant of the application's own (RFC 6749 §4.5). */
class VoucherGrant extends oauth2Server.AbstractGrantType {
  async handle(request, client) {
    if (request.body.voucher !== 'good') throw new oauth2Server.InvalidGrantError('Invalid voucher')
    const accessTokenExpiresAt = this.getAccessTokenExpiresAt()
    return this.model.saveToken({ accessTokenExpiresAt, scope: ['voucher'] }, client, { id: 'alice' })
  }
}

export const serverOptions = {
  accessTokenLifetime: 900,
  alwaysIssueNewRefreshToken: false,
  extendedGrantTypes: { 'urn:example:voucher': VoucherGrant },
  authenticateHandler: { handle: () => ({ id: 'alice' }) } // stands for the user's session
}
