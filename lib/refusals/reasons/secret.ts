import { badClient, table, unproven } from './reason'

/** Reasons of stored secrets. Most depend on what is registered, so they are one answer on the wire. */
export const secretReasons = table({
  secret_mismatch: {
    ...unproven,
    meaning: 'The secret is wrong.',
    cause: 'The secret was rotated, cut when it was copied, or belongs to another environment.',
    advice: 'Configure the secret that is registered for this client, whole and without spaces around it.',
    forSender:
      'Configure the secret that was issued last, to the letter: whole, in its case and without spaces around it.'
  },
  secret_not_form_encoded: {
    ...unproven,
    meaning: 'The secret is right, but the client does not form-encode it in the Basic header.',
    cause: 'The library puts the secret as it is into base64; a % or + in it then means something else.',
    advice:
      'Form-encode id and secret before base64 (RFC 6749 §2.3.1), or give the client a secret of letters and digits.',
    forSender: 'Form-encode id and secret before base64 (RFC 6749 §2.3.1).'
  },
  no_live_secret: {
    ...unproven,
    meaning: 'Every secret of the client has expired, or none is stored.',
    cause: '`client_secret_expires_at` has passed.',
    advice: 'Store a secret that has not expired in the record of the client.',
    cases: [
      {
        when: 'secrets are stored, but all have expired',
        applies: ({ received }) => received === 'only expired secrets',
        advice: 'Issue a new secret: every one of this client has expired.'
      },
      {
        when: 'a field of the record holds a value of a type that cannot be read',
        applies: ({ field }) => field !== undefined,
        advice:
          'Store the field as expected: a value of the received type cannot be read for certain, so it never matches.'
      }
    ],
    forSender: 'Ask the operator of the server for a new secret.'
  },
  secret_stored_as_hash: {
    ...unproven,
    meaning: 'The stored secret looks like a hash, and nothing compares hashes.',
    cause: 'The option `verifySecret` is missing.',
    advice: 'Give the server the option verifySecret, which compares the secret with the stored hash.',
    forSender: 'Nothing is to be changed in the request: the operator of the server has to look at it.'
  },
  secret_too_short: {
    ...badClient('The client secret is too short for this algorithm: it needs as many octets as the hash output.'),
    meaning: 'The secret verifies the assertion, but is shorter than the MAC.',
    cause: 'Secrets are made too short for HS256 (32 octets), HS384 (48) or HS512 (64).',
    advice: 'Give the client a secret of as many octets as the MAC has: 32 for HS256, 48 for HS384, 64 for HS512.',
    forSender: 'Ask the operator of the server for a longer secret.'
  }
})
