import { badClient, badRequest, member, table, textOf, unproven } from './reason'

const noCertificate = badClient('A client certificate is required.')

/** Reasons that the certificate of a client gives (RFC 8705). */
export const certificateReasons = table({
  certificate_missing: {
    ...noCertificate,
    meaning: 'The request has a client_id alone, and its connection no client certificate.',
    cause: 'The client does not present its certificate, or the proxy does not hand it on.',
    advice:
      'Present the client certificate in the TLS handshake, and check that the proxy asks for it and hands it on.',
    forSender: 'Present the client certificate in the TLS handshake.',
    factsForSender: 'all'
  },
  certificate_header: {
    ...badClient('The client certificate could not be read.'),
    meaning: 'The header of the proxy does not hold exactly one certificate.',
    cause: 'The proxy writes another format than the one configured, or the header twice.',
    advice: 'Let the proxy write one certificate in the configured format, and remove the header of the client.',
    forSender: 'Nothing is to be changed in the request: the operator of the server has to look at it.'
  },
  certificate_proxy: {
    ...noCertificate,
    meaning: 'A certificate header came from an address that is not a trusted proxy.',
    cause: 'The address of the proxy is missing in the options, or somebody imitates the proxy.',
    advice: 'Name the addresses of the proxy in the options, or find out who else sends the header.',
    forSender: 'Nothing is to be changed in the request: the operator of the server has to look at it.'
  },
  certificate_expired: {
    ...badClient('The client certificate is not valid at this time.'),
    meaning: 'The certificate has ended, or is not valid yet.',
    cause: 'The certificate was not renewed in time.',
    advice: 'Renew the client certificate, and check the clock of the server.',
    cases: [
      {
        when: 'it is not valid yet',
        applies: ({ received, now }) => Date.parse(textOf(member(received, 'validFrom'))) / 1000 > Number(now),
        advice: 'Use a certificate that is valid already, and check the clock of the server.'
      }
    ],
    forSender: 'Present a certificate that is valid now.',
    factsForSender: 'all'
  },
  certificate_weak: {
    ...badClient('The key of the client certificate is too weak or of an unsupported type.'),
    meaning: 'The key of the certificate is too short, or of a kind that is not supported.',
    cause: 'An RSA key of under 2048 bits.',
    advice: 'Make a new certificate with an RSA key of at least 2048 bits or with an EC key.',
    factsForSender: 'all'
  },
  certificate_unverified: {
    ...unproven,
    meaning: 'No trusted authority vouches for the certificate, or it is one of an authority.',
    cause: 'The authority of the client is not among those that the server or its proxy trusts.',
    advice: 'Use a certificate of an authority that the server trusts, or let the operator add that authority.',
    cases: [
      {
        // OpenSSL's code, its words (nginx), its number (HAProxy)
        when: 'the verdict is INVALID_PURPOSE: the certificate lacks the usage clientAuth',
        applies: ({ received }) => /INVALID_PURPOSE|certificate purpose|^26$/.test(textOf(member(received, 'verdict'))),
        advice:
          'Use a certificate with the extended key usage clientAuth, from an authority that still issues them, or register its key for self_signed_tls_client_auth, which does not ask for it (docs/mutual-tls.md).'
      },
      {
        when: 'the verdict is UNABLE_TO_VERIFY_LEAF_SIGNATURE: an intermediate certificate is missing',
        applies: ({ received }) =>
          /UNABLE_TO_VERIFY_LEAF|UNABLE_TO_GET_ISSUER|first certificate|local issuer|^2[01]$/.test(
            textOf(member(received, 'verdict'))
          ),
        advice:
          'Send the intermediate certificates along, behind the certificate of the client; if they are sent, let the operator add their authority.'
      },
      {
        when: 'the request lacks the header of the verdict',
        applies: ({ received }) => textOf(member(received, 'verdict')).startsWith('no header'),
        advice: 'The proxy must set the header of the option verified (createProxyCertificates), on every route.'
      },
      {
        when: 'it is the certificate of an authority',
        applies: ({ received }) => textOf(received).includes('authority'),
        advice: 'Present a certificate that was issued for this client: that of an authority vouches for others.'
      }
    ],
    forSender: 'Present a certificate of this client, from an authority that the server trusts.',
    factsForSender: 'all'
  },
  certificate_subject: {
    ...unproven,
    meaning: 'The certificate has another subject than the registered one.',
    cause: 'The certificate was renewed under another name, or belongs to another client.',
    advice: 'Present the certificate of the registered subject, or register the subject of this one.',
    forSender: 'Present the certificate whose subject was agreed with the operator of the server.',
    factsForSender: 'received'
  },
  certificate_subject_form: {
    ...unproven,
    meaning: 'The subject differs from the registered one in order, case, spaces or normalisation only.',
    cause: 'The registered text was copied from a tool that writes names in another form.',
    advice: 'Register the subject exactly as the facts write it.',
    forSender: 'Send the operator of the server the subject as this certificate writes it.',
    factsForSender: 'received'
  },
  certificate_subject_not_registered: {
    ...unproven,
    meaning: 'The record has no subject for the certificate, several, or one that cannot be used.',
    cause: 'The `tls_client_auth_` member was forgotten, or two of them are registered.',
    advice: 'Register exactly one tls_client_auth_ subject for the client (RFC 8705 §2.1.2).',
    cases: [
      {
        when: 'tls_client_auth_subject_dn is no distinguished name',
        applies: ({ expected }) => textOf(expected).startsWith('tls_client_auth_subject_dn must be'),
        advice:
          'Register the subject as in RFC 4514, most specific part first: openssl x509 -noout -subject -nameopt RFC2253 prints it behind the word subject, which does not belong to it.'
      }
    ],
    forSender: 'Send the operator of the server the subject of the certificate.'
  },
  certificate_not_registered: {
    ...unproven,
    meaning: 'The certificate is not among the registered ones of the client.',
    cause: 'The client renewed its self-signed certificate and did not publish it.',
    advice: 'Publish the certificate in the x5c member of a key in the key set of the client (RFC 8705 §2.2).',
    cases: [
      {
        when: 'a registered x5t#S256 has padding',
        applies: ({ expected }) =>
          Array.isArray(expected) && expected.some((key) => textOf(member(key, 'note')) !== ''),
        advice: 'Register x5t#S256 without the padding (=) at its end: base64url has none (RFC 7515 §2).'
      }
    ],
    factsForSender: 'received'
  },
  certificate_required: {
    ...badRequest('This client needs a client certificate: its access tokens are bound to it.'),
    meaning: 'The client wants bound tokens, and its connection has no client certificate.',
    cause: '`tls_client_certificate_bound_access_tokens` is registered, but the client connects without a certificate.',
    advice: 'Present a client certificate in the TLS handshake, or register the client without bound tokens.',
    forSender: 'Present a client certificate in the TLS handshake.'
  }
})
