import type { ReasonAdvice } from './reason-advice'

/** Reasons of mutual TLS (RFC 8705). */
export const certificateAdvice = {
  certificate_missing: {
    meaning: 'The request names a client and brings neither a credential nor a certificate.',
    cause: 'The client connected to the ordinary port, or sent no certificate.',
    advice: 'Connect with the client certificate, to the host and port that ask for one.'
  },
  certificate_header: {
    meaning: 'The header in which the proxy puts the certificate does not hold exactly one.',
    cause: 'The proxy sets the header twice, appends to one that came in, or encodes it in another way.',
    advice: 'Let the proxy delete the incoming header and set it once, to the certificate of the client alone.'
  },
  certificate_proxy: {
    meaning: 'The certificate header came from an address, or without the secret, that `clientCertificates` trusts.',
    cause: 'The proxy is not named in `addresses`, or somebody sends the header past the proxy.',
    advice: 'Name the address of the proxy in addresses, or let it set the secret; otherwise find who sends the header.'
  },
  certificate_expired: {
    meaning: 'The certificate is not valid at this time.',
    cause: 'The client did not renew it, or a clock is wrong.',
    advice: 'Renew the client certificate, and check the clock of both machines.'
  },
  certificate_weak: {
    meaning: 'The key of the certificate is of a kind or size that is not accepted.',
    cause: 'An old certificate with an RSA key under 2048 bits, or a curve that is not accepted.',
    advice: 'Use a certificate with RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519.'
  },
  certificate_unverified: {
    meaning:
      'No authority that the server trusts vouches for the certificate, or it is the certificate of an authority.',
    cause:
      'The issuing authority is not in `ca`, an intermediate certificate is missing, or the proxy verifies nothing.',
    advice: 'Present a certificate of an authority that the server trusts, with its intermediate certificates.'
  },
  certificate_subject: {
    meaning: 'The subject or the alternative name of the certificate is not the registered one.',
    cause: 'The certificate was renewed with another name, or the registration has a slip.',
    advice: 'Register the subject of this certificate, if it belongs to the client.'
  },
  certificate_subject_form: {
    meaning: 'The subject differs from the registered one in order, case, spaces or normalisation alone.',
    cause: 'The name was registered as another tool prints it.',
    advice: 'Register the name exactly as the certificate has it: detail.received.subject is the text.'
  },
  certificate_subject_not_registered: {
    meaning: 'The record has none, several, or an unusable one of the five fields for the subject.',
    cause: 'The field was left out, or holds a pattern, an unknown attribute name or text after the end.',
    advice: 'Register exactly one of the tls_client_auth_ fields, with a usable value.'
  },
  certificate_not_registered: {
    meaning: 'The certificate is not among the keys that the client has registered.',
    cause: 'The client renewed its certificate without publishing it.',
    advice: 'Publish the certificate, its thumbprint or its key in the jwks of the client.'
  },
  certificate_required: {
    meaning: 'The client wants access tokens bound to a certificate, and asked for one without a certificate.',
    cause: 'The record has `tls_client_certificate_bound_access_tokens`, and the request came to the ordinary port.',
    advice: 'Connect with a client certificate where a token is asked for, or register the client without bound tokens.'
  }
} as const satisfies Readonly<Record<string, ReasonAdvice>>
