import { member, type ReasonAdvice, textOf } from './reason-advice'

/** Reasons that the certificate of a client gives (RFC 8705). */
export const certificateAdvice = {
  certificate_missing: {
    meaning: 'The request has a client_id alone, and its connection no client certificate.',
    cause: 'The client does not present its certificate, or the proxy does not hand it on.',
    advice: 'Present the client certificate in the TLS handshake, and check that the proxy asks for it and hands it on.'
  },
  certificate_header: {
    meaning: 'The header of the proxy does not hold exactly one certificate.',
    cause: 'The proxy writes another format than the one configured, or the header twice.',
    advice: 'Let the proxy write one certificate in the configured format, and remove the header of the client.'
  },
  certificate_proxy: {
    meaning: 'A certificate header came from an address that is not a trusted proxy.',
    cause: 'The address of the proxy is missing in the options, or somebody imitates the proxy.',
    advice: 'Name the addresses of the proxy in the options, or find out who else sends the header.'
  },
  certificate_expired: {
    meaning: 'The certificate has ended, or is not valid yet.',
    cause: 'The certificate was not renewed in time.',
    advice: 'Renew the client certificate, and check the clock of the server.',
    cases: [
      {
        when: 'it is not valid yet',
        applies: ({ received, now }) => Date.parse(textOf(member(received, 'validFrom'))) / 1000 > Number(now),
        advice: 'Use a certificate that is valid already, and check the clock of the server.'
      }
    ]
  },
  certificate_weak: {
    meaning: 'The key of the certificate is too short, or of a kind that is not supported.',
    cause: 'An RSA key of under 2048 bits.',
    advice: 'Make a new certificate with an RSA key of at least 2048 bits or with an EC key.'
  },
  certificate_unverified: {
    meaning: 'No trusted authority vouches for the certificate, or it is one of an authority.',
    cause: 'The authority of the client is not among those that the server or its proxy trusts.',
    advice: 'Use a certificate of an authority that the server trusts, or let the operator add that authority.',
    cases: [
      {
        when: 'it is the certificate of an authority',
        applies: ({ received }) => textOf(received).includes('authority'),
        advice: 'Present a certificate that was issued for this client: that of an authority vouches for others.'
      }
    ]
  },
  certificate_subject: {
    meaning: 'The certificate has another subject than the registered one.',
    cause: 'The certificate was renewed under another name, or belongs to another client.',
    advice: 'Present the certificate of the registered subject, or register the subject of this one.'
  },
  certificate_subject_form: {
    meaning: 'The subject differs from the registered one in order, case, spaces or normalisation only.',
    cause: 'The registered text was copied from a tool that writes names in another form.',
    advice: 'Register the subject exactly as the facts write it.'
  },
  certificate_subject_not_registered: {
    meaning: 'The record has no subject for the certificate, several, or one that cannot be used.',
    cause: 'The `tls_client_auth_` member was forgotten, or two of them are registered.',
    advice: 'Register exactly one tls_client_auth_ subject for the client (RFC 8705 §2.1.2).'
  },
  certificate_not_registered: {
    meaning: 'The certificate is not among the registered ones of the client.',
    cause: 'The client renewed its self-signed certificate and did not publish it.',
    advice: 'Publish the certificate in the x5c member of a key in the key set of the client (RFC 8705 §2.2).'
  },
  certificate_required: {
    meaning: 'The client wants bound tokens, and its connection has no client certificate.',
    cause: '`tls_client_certificate_bound_access_tokens` is registered, but the client connects without a certificate.',
    advice: 'Present a client certificate in the TLS handshake, or register the client without bound tokens.'
  }
} as const satisfies Record<string, ReasonAdvice>
