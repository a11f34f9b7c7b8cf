import { type Detail, isOfIssuer, member, table, textOf, unproven, whyIs } from './reason'

const methodName =
  /^(?:client_secret_(?:basic|post|jwt)|private_key_jwt|(?:self_signed_)?tls_client_auth|federated_jwt|spiffe_jwt|none)$/

/** The kind of value that stands where a key set should. */
const registeredKeys = ({ received }: Detail): string => textOf(received)

/** The keys of a set, as the facts of `no_matching_key` list them. */
const keysIn = ({ expected }: Detail): readonly unknown[] => (Array.isArray(expected) ? expected : [])

/** Those that the assertion asks for. The fault of any other key is no cause. */
const askedKeys = (facts: Detail): readonly unknown[] => {
  const kid = member(facts.received, 'kid')
  return kid === undefined ? keysIn(facts) : keysIn(facts).filter((key) => member(key, 'kid') === kid)
}
const anyKey = (facts: Detail, test: (fault: string) => boolean): boolean =>
  askedKeys(facts).some((key) => test(textOf(member(key, 'fault'))))
const lacksKid = (facts: Detail): boolean => keysIn(facts).length > 0 && askedKeys(facts).length === 0

const includes = (registered: unknown, method: string): boolean =>
  Array.isArray(registered) ? registered.includes(method) : registered === method

/** Whether the subject of a token differs from a registered one in such a part. */
const differsIn =
  (...parts: readonly string[]) =>
  ({ differs }: Detail): boolean =>
    parts.includes(textOf(member(differs, 'part')))

/** Reasons of what is registered for the client. They are one answer on the wire, so that nothing can be probed. */
export const registeredReasons = table({
  unknown_client: {
    ...unproven,
    meaning: '`getClient` found no client of this id.',
    cause: 'The id is misspelt, or belongs to another environment.',
    advice: 'Send the client_id as it is registered at this server, or register the client.',
    cases: [
      {
        when: '`getClient` returned the record of another client',
        applies: ({ record }) => record !== undefined,
        advice:
          'Let getClient compare ids exactly: the record that it returned has another client_id, such as in other case.'
      }
    ],
    forSender:
      'Send the client_id to the letter as this server assigned it: case, spaces, quotation marks and encoding count.',
    factsForSender: 'received'
  },
  method_not_registered: {
    ...unproven,
    meaning: 'The client is registered for another method than the one it used.',
    cause: 'The record has no `token_endpoint_auth_method`: then only client_secret_basic is accepted.',
    advice: 'Let the client use its registered method, or register the method that it uses.',
    cases: [
      {
        when: 'the registered method is none that there is',
        applies: ({ expected = [] }) => [expected].flat().some((one) => !methodName.test(textOf(one))),
        advice: 'Correct the method in the record of the client: its name counts to the letter.'
      },
      {
        when: 'signed with HS256 or the like, while a key is registered',
        applies: ({ expected, received }) => received === 'client_secret_jwt' && includes(expected, 'private_key_jwt'),
        advice: 'Sign with the private key (RS256, PS256, ES256 or EdDSA): HS256 and its like use a secret.'
      },
      {
        when: 'signed with a key, while a secret is registered',
        applies: ({ expected, received }) => received === 'private_key_jwt' && includes(expected, 'client_secret_jwt'),
        advice: 'Sign with the client secret (HS256), or register private_key_jwt and the public key.'
      },
      {
        when: 'the secret came in the body, while the header is registered, or the other way round',
        applies: ({ expected, received }) =>
          (received === 'client_secret_post' && includes(expected, 'client_secret_basic')) ||
          (received === 'client_secret_basic' && includes(expected, 'client_secret_post')),
        advice:
          'Send the secret where the registered method has it: client_secret_basic is the header, client_secret_post the body.'
      }
    ],
    forSender: 'Use the method that was agreed with the operator of the server.',
    factsForSender: 'received'
  },
  alg_not_registered: {
    ...unproven,
    meaning: '`alg` is not the `token_endpoint_auth_signing_alg` of the client.',
    cause: 'The client changed its key or library, and the record was not changed.',
    advice: 'Sign with the registered algorithm, or register the one that the client uses.',
    forSender: 'Sign with the algorithm that was agreed with the operator of the server.',
    factsForSender: 'received'
  },
  keys_not_registered: {
    ...unproven,
    meaning: 'The record has neither `jwks` nor `jwks_uri`, or both.',
    cause: 'The public key was never registered.',
    advice: 'Register the public keys of the client as jwks or as jwks_uri.',
    cases: [
      {
        when: 'both are registered',
        applies: ({ received }) => received === 'both',
        advice: 'Remove jwks or jwks_uri from the record: a client has one of them (RFC 7591 §2).'
      }
    ],
    forSender: 'Send the operator of the server the public keys as a JWK Set, or its URL.'
  },
  jwks_invalid: {
    ...unproven,
    meaning: 'The `jwks` of the record is no key set that may be used.',
    cause: 'The keys are stored in another form than a JWK Set.',
    advice: 'Store jwks as an object { keys: [ … ] } with a public JWK for each key.',
    cases: [
      {
        when: 'a private or symmetric key is registered',
        applies: whyIs('private_key'),
        advice:
          'Let the client make a new key pair and register the public part only: the private key has been given away.'
      },
      {
        when: 'a key is stored as PEM',
        applies: (facts) => registeredKeys(facts).includes('PEM'),
        advice: "Convert the PEM to a JWK and store { keys: [jwk] }: createPublicKey(pem).export({ format: 'jwk' })."
      },
      {
        when: 'the keys are stored as text',
        applies: (facts) => registeredKeys(facts).includes('text'),
        advice: 'Parse the text before getClient returns the record: jwks must be an object, as JSON.parse gives it.'
      },
      {
        when: 'a key or a list of keys stands where the set should',
        applies: (facts) => /one JWK|an array/.test(registeredKeys(facts)),
        advice: 'Wrap the keys in an object: jwks must be { keys: [ … ] }.'
      }
    ],
    forSender: 'Send the operator of the server a JWK Set of public keys.'
  },
  jwks_unavailable: {
    ...unproven,
    meaning: 'The `jwks_uri` gave no key set.',
    cause: 'The server of the partner is not reachable from here, or is no public https server.',
    advice:
      'Let the client serve its key set at the jwks_uri as the message demands; oauth-client-auth jwks URL shows each step.',
    cases: [
      {
        when: 'TLS fails, such as for a self-signed certificate',
        applies: whyIs('tls'),
        advice:
          'Serve the jwks_uri with a certificate of a public CA for its host name; for a private CA the operator names the host in hosts with ca.'
      },
      {
        when: 'the URL, the host or the address is refused',
        applies: whyIs('url', 'host', 'address'),
        advice:
          'Register a jwks_uri on a public https server; for a private network or another port the operator names the host, with addresses and ports, in the option hosts.'
      },
      {
        when: 'the host has no address',
        applies: whyIs('dns'),
        advice: 'Correct the host name in jwks_uri or its DNS record: the name gave no address that may be used.'
      },
      {
        when: 'the set holds a private or symmetric key',
        applies: whyIs('private_key'),
        advice:
          'Let the client make a new key pair and publish the public part only: the private key has been given away.'
      }
    ],
    factsForSender: 'received'
  },
  no_matching_key: {
    ...unproven,
    meaning: 'No key of the client fits `kid` and `alg`.',
    cause: 'The client signs with a new key that is not published yet.',
    advice: 'Publish the public key that signs in the key set of the client, with the same kid.',
    cases: [
      {
        when: 'the token is of another issuer',
        applies: isOfIssuer,
        advice:
          'Ask the issuer for a new token: it publishes no key that fits this one; where its keys stand in trustedIssuers as jwks, the operator puts its new ones there.'
      },
      {
        when: 'the set is empty',
        applies: (facts) => Array.isArray(facts.expected) && facts.expected.length === 0,
        advice: 'Put the public key that signs into the key set, which holds no key.'
      },
      {
        when: 'the published keys have no `kid`',
        applies: (facts) => lacksKid(facts) && keysIn(facts).some((key) => member(key, 'kid') === undefined),
        advice: 'Give the published key the kid that the assertion names, or leave kid out of the header.'
      },
      {
        when: 'no key has the `kid`',
        applies: lacksKid,
        advice: 'Publish the key under the kid that the assertion names, or sign with a key that is published.'
      },
      {
        when: 'the key is meant for encryption (`use: enc`)',
        applies: (facts) => anyKey(facts, (fault) => fault.includes('(use)')),
        advice: 'Publish the signing key with use: sig, or without use: a key for encryption verifies no signature.'
      },
      {
        when: 'the key is of another type than `alg` needs',
        applies: (facts) => anyKey(facts, (fault) => fault.startsWith('is not for ')),
        advice:
          'Sign with an algorithm that fits the registered key (an EC key takes ES256, an RSA key RS256 or PS256), or register a key of the other type.'
      },
      {
        when: 'the key cannot be used',
        applies: (facts) => anyKey(facts, (fault) => fault !== ''),
        advice: 'Correct the key as its fault says, and publish it again.'
      }
    ],
    forSender: 'Publish the public key that signs, for signatures and this alg, under the kid of the assertion.',
    factsForSender: 'received'
  },
  signature_mismatch: {
    ...unproven,
    meaning: 'No fitting key or secret verifies the signature.',
    cause:
      'The client signs with another key than the one that it registered, or signs a text that was changed afterwards.',
    advice:
      'Sign with the private key or secret whose counterpart is registered, and send the JWT unchanged; if that is so, the form is wrong: DER, another salt or hash, a decoded secret.',
    cases: [
      {
        when: 'the token is of another issuer',
        applies: isOfIssuer,
        advice: 'Send the token as the issuer signed it: no key that the issuer publishes verifies this one.'
      },
      {
        // OIDC Core §10.1.1
        when: 'the key set was fetched from the jwks_uri',
        applies: ({ cachedSeconds }) => cachedSeconds !== undefined,
        advice:
          'Sign with the published key. If it was changed: a new key needs a new kid, since the set in the cache has the old one under this kid until it is fetched again.'
      }
    ],
    forSender: 'Sign with the key or secret of this client that is in use, and send the JWT unchanged.',
    factsForSender: 'received'
  },
  federated_subject: {
    ...unproven,
    meaning: 'The issuer has signed the token, but its `iss` and `sub` are no identity of this client.',
    cause: 'The token is of another branch, environment, namespace or service account than the registered one.',
    advice:
      'If this workload may be that client, register issuer and subject of the token exactly as they stand in it.',
    cases: [
      {
        when: 'no identity is registered',
        applies: ({ expected }) => expected === undefined || (Array.isArray(expected) && expected.length === 0),
        advice:
          'Register federated_identities as a list of { issuer, subject }, or spiffe_id as a text, in the record of the client.'
      },
      {
        when: 'the identities are of other issuers',
        applies: ({ expected, received }) =>
          Array.isArray(expected) && !expected.some((one) => member(one, 'issuer') === member(received, 'issuer')),
        advice: 'Register an identity of this issuer, if its workloads may be that client.'
      },
      {
        when: 'a registered subject has a `*`',
        applies: ({ expected }) =>
          Array.isArray(expected) && expected.some((one) => textOf(member(one, 'subject')).includes('*')),
        advice: 'Register each subject in full: a * is no pattern here, and such an identity never matches.'
      },
      {
        when: 'the branch, tag or environment differs',
        applies: differsIn('branch', 'tag', 'branch or tag', 'environment', 'kind of run'),
        advice:
          'Run the job on the registered branch or in the registered environment, or register the subject of this one too.'
      },
      {
        when: 'the namespace or service account differs',
        applies: differsIn('namespace', 'service account'),
        advice: 'Run the workload under the registered service account, or register the subject of this one too.'
      }
    ],
    forSender: 'Send the token of the workload that is registered for this client, or ask to have this one registered.',
    factsForSender: 'received'
  }
})
