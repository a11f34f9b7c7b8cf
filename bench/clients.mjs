import { constants, createHmac, generateKeyPairSync, randomBytes, randomUUID, sign, webcrypto } from 'node:crypto'
import { promisify } from 'node:util'

export const issuer = 'https://as.example.com'
export const mainAlgorithms = ['HS256', 'RS256', 'PS256', 'ES256', 'EdDSA']
/** ML-DSA, where this Node.js has it: 24.6 or newer. */
export const newerAlgorithms = hasMlDsa() ? ['ML-DSA-65'] : []
export const otherAlgorithms = ['HS384', 'HS512', 'RS384', 'RS512', 'PS384', 'PS512', 'ES384', 'ES512']
export const clientSecret = randomBytes(48).toString('base64url')

const signAsync = promisify(sign)
const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

/** Strings as a parser makes them: one flat piece each. */
const flat = (text) => Buffer.from(text).toString('latin1')
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** What node:crypto needs beside the key; also for the bare verification that is the limit. */
export const signatureOptions = (alg, key) => {
  if (alg.startsWith('ES')) return { key, dsaEncoding: 'ieee-p1363' }
  if (alg.startsWith('PS'))
    return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 * (alg.slice(2) / 256) }
  return { key }
}
export const importSecret = (secret, alg) =>
  webcrypto.subtle.importKey('raw', Buffer.from(secret), { name: 'HMAC', hash: `SHA-${alg.slice(2)}` }, false, [
    'verify'
  ])
export const digestOf = (alg) => (/^(Ed|ML)/.test(alg) ? null : `sha${alg.slice(2)}`)

function hasMlDsa() {
  try {
    return generateKeyPairSync('ml-dsa-65')
  } catch {
    return false
  }
}

function makeKeyPair(alg) {
  if (alg.startsWith('HS')) return {}
  if (/^[RP]S/.test(alg)) return generateKeyPairSync('rsa', { modulusLength: 2048 })
  if (alg.startsWith('ML')) return generateKeyPairSync(alg.toLowerCase())
  return curves[alg] ? generateKeyPairSync('ec', { namedCurve: curves[alg] }) : generateKeyPairSync('ed25519')
}

/** A client with a key pair or a secret for one algorithm, and what signs its assertions. */
export function makeClient(alg, client_id = `client-${alg}`) {
  const { privateKey, publicKey } = makeKeyPair(alg)
  const kid = `${alg}-key`
  const client = { client_id, token_endpoint_auth_signing_alg: alg }
  if (publicKey === undefined) {
    Object.assign(client, { token_endpoint_auth_method: 'client_secret_jwt', client_secret: clientSecret })
  } else {
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }
    Object.assign(client, { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } })
  }
  return { alg, kid: publicKey && kid, client, privateKey, publicKey }
}

export async function makeAssertion({ alg, kid, client, privateKey }, id = client.client_id, keyId = kid) {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: id, sub: id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 3000 }
  const input = `${encode({ alg, typ: 'JWT', kid: keyId })}.${encode(claims)}`
  const signature =
    privateKey === undefined
      ? createHmac(digestOf(alg), client.client_secret).update(input).digest()
      : await signAsync(digestOf(alg), Buffer.from(input), signatureOptions(alg, privateKey))
  return flat(`${input}.${signature.toString('base64url')}`)
}

export async function makeAssertions(maker, count) {
  const assertions = []
  while (assertions.length < count) {
    assertions.push(...(await Promise.all(Array.from({ length: 50 }, () => makeAssertion(maker)))))
  }
  return assertions
}

export const assertionForm = (client_assertion) => ({
  grant_type: 'urn:example:bench',
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion
})

export const secretClient = (method) => ({
  client_id: method,
  token_endpoint_auth_method: method,
  client_secret: clientSecret
})
export const basicHeader = `Basic ${Buffer.from(`client_secret_basic:${clientSecret}`).toString('base64')}`
export const postForm = {
  grant_type: 'urn:example:bench',
  client_id: 'client_secret_post',
  client_secret: clientSecret
}
