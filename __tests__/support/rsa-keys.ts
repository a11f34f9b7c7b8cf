// RSA keys, which are slow to make.
import crypto, { generateKeyPairSync, type KeyObject } from 'node:crypto'

interface KeyPair {
  privateKey: KeyObject
  publicKey: KeyObject
}

/** Jest loads this file anew for each test file, and a module of Node once for all that a worker runs. */
const shared = crypto as { oauthClientAuthRsaKeys?: Map<number, KeyPair[]> }
const made = (shared.oauthClientAuthRsaKeys ??= new Map())
const given = new Map<number, number>()

/** A key pair that this test file has not had before: one that an earlier file had, if there is one, else a new one. */
export function rsaPair(modulusLength: number): KeyPair {
  const pairs = made.get(modulusLength) ?? []
  made.set(modulusLength, pairs)
  const index = given.get(modulusLength) ?? 0
  given.set(modulusLength, index + 1)
  return (pairs[index] ??= generateKeyPairSync('rsa', { modulusLength }))
}
