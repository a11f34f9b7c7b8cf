import {
  adviceFor,
  assertionAdvice,
  type ClientAuthErrorReason,
  type Detail,
  requestAdvice
} from '../../lib/explain/for-cli'

/** The sender's part alone, for reasons whose advice also tells the operator what to do, or what is registered. */
const forSender: Partial<Record<ClientAuthErrorReason, string>> = {
  body_too_large: 'Send only the parameters of the request.',
  method_not_supported: 'Use a method that the server announces in its metadata.',
  secret_hashed: 'Use private_key_jwt or client_secret_basic, as agreed with the operator of the server.',
  certificate_missing: 'Present the client certificate in the TLS handshake.',
  certificate_header: 'Nothing is to be changed in the request: the operator of the server has to look at it.',
  certificate_proxy: 'Nothing is to be changed in the request: the operator of the server has to look at it.',
  certificate_expired: 'Present a certificate that is valid now.',
  certificate_unverified: 'Present a certificate of this client, from an authority that the server trusts.',
  certificate_subject: 'Present the certificate whose subject was agreed with the operator of the server.',
  certificate_subject_form: 'Send the operator of the server the subject as this certificate writes it.',
  certificate_subject_not_registered: 'Send the operator of the server the subject of the certificate.',
  certificate_required: 'Present a client certificate in the TLS handshake.',
  unknown_client: 'Send the client_id that was assigned by this server.',
  method_not_registered: 'Use the method that was agreed with the operator of the server.',
  secret_mismatch: 'Configure the secret that was issued last, whole and without spaces around it.',
  secret_not_form_encoded: 'Form-encode id and secret before base64 (RFC 6749 §2.3.1).',
  no_live_secret: 'Ask the operator of the server for a new secret.',
  secret_stored_as_hash: 'Nothing is to be changed in the request: the operator of the server has to look at it.',
  alg_not_registered: 'Sign with the algorithm that was agreed with the operator of the server.',
  keys_not_registered: 'Send the operator of the server the public keys as a JWK Set, or its URL.',
  jwks_invalid: 'Send the operator of the server a JWK Set of public keys.',
  no_matching_key: 'Publish the public key that signs, for signatures and this alg, under the kid of the assertion.',
  signature_mismatch: 'Sign with the key or secret of this client that is in use, and send the JWT unchanged.',
  secret_too_short: 'Ask the operator of the server for a longer secret.',
  secret_verifier_busy: 'Try again later: the server is busy.',
  replay_store_unavailable: 'Try again later: the server has a fault.',
  replay_store_full: 'Sign assertions that live for a minute, and try again later.'
}

/** What the sender has to change. What follows a semicolon in advice is for the operator. */
export const senderAdvice = (reason: ClientAuthErrorReason, detail?: Detail): string =>
  forSender[reason] ?? adviceFor(reason, detail).replace(/;.*/s, '.')

const certificateAlone: readonly string[] = [
  'certificate_missing',
  'certificate_expired',
  'certificate_weak',
  'certificate_unverified'
]
/** What these compare with a record is itself in the request, or was fetched from the sender. */
const shownBySender: readonly string[] = [
  ...['unknown_client', 'method_not_registered', 'alg_not_registered', 'no_matching_key', 'signature_mismatch'],
  ...['jwks_unavailable', 'certificate_subject', 'certificate_subject_form', 'certificate_not_registered']
]

/** Whether the request alone decides, so that what was expected tells nothing of the record. */
export const isOfRequest = (reason: ClientAuthErrorReason): boolean =>
  reason in requestAdvice || reason in assertionAdvice || certificateAlone.includes(reason)

/** Whether what was received came from the sender. */
export const isSent = (reason: ClientAuthErrorReason): boolean => isOfRequest(reason) || shownBySender.includes(reason)
