import { badClient, table, unavailable, whyIs } from './reason'

/** Reasons of client documents (`createClientDocuments`). The documents are public, so it is told which rule is broken. */
export const documentReasons = table({
  client_document_url: {
    ...badClient('This client_id URL is not accepted.'),
    meaning: 'The client_id is a URL whose document may not be fetched. Nothing was fetched.',
    cause: 'The URL is written in another form than its own document has, or `allow` does not name it.',
    advice: 'Use the client_id URL exactly as its document has it, on a public https host.',
    cases: [
      {
        when: '`allow` does not let the client in',
        applies: whyIs('policy'),
        advice: 'Name the host, or the URL, in the option allow of createClientDocuments if its clients are welcome.'
      },
      {
        when: 'the host is no public name',
        applies: whyIs('host'),
        advice:
          'Publish the document on a public https host; for a private network the operator names the host, with its addresses, in the option hosts.'
      }
    ],
    forSender: 'Use a client_id URL that this server accepts, exactly as its document has it, on a public https host.'
  },
  client_document_invalid: {
    ...badClient('The client metadata document cannot be used.'),
    meaning: 'The document at the client_id URL breaks a rule, or was withdrawn: its host answers 404 or 410.',
    cause: 'The document was written for another kind of server, or was moved.',
    advice: 'Correct the document as the message says; oauth-client-auth document URL lists every fault.',
    cases: [
      {
        when: 'the host answers 404 or 410',
        applies: whyIs('withdrawn'),
        advice: 'Publish the document at the client_id URL, or use the URL where it is published.'
      },
      {
        when: 'it holds a private or symmetric key',
        applies: whyIs('private_key'),
        advice: 'Make a new key pair and publish the public part only: the private key has been given away.'
      },
      {
        when: 'no method of the document is accepted here',
        applies: whyIs('method'),
        advice:
          'Name a method that the server advertises in token_endpoint_auth_methods_supported; the operator gives createClientDocuments the same option methods as clientAuth.'
      }
    ]
  },
  client_document_unavailable: {
    ...unavailable,
    message: 'The client metadata document cannot be had at this time.',
    meaning: 'The document at the client_id URL could not be fetched, or was not tried. It may be an outage.',
    cause: 'Its host is down, refuses this server, answers with something else than JSON, or too many are asked for.',
    advice: 'Try again later; oauth-client-auth document URL shows each step of the fetch.',
    cases: [
      {
        when: 'too many documents are being fetched',
        applies: whyIs('busy'),
        advice: 'Try again later; if it lasts, somebody makes up client ids: limit the rate of requests by address.'
      },
      {
        when: 'the host has an address that is not public',
        applies: whyIs('address'),
        advice: 'Try again later; for a host of a private network the operator names it in the option hosts.'
      },
      {
        when: 'the host answers with another status than 200',
        applies: whyIs('status'),
        advice:
          'Serve the document to everybody with status 200; the operator asks its owner whether the egress addresses of this server are blocked.'
      }
    ],
    forSender: 'Serve the document at the client_id URL to everybody, as JSON and with status 200, and try again later.'
  },
  client_keys_unavailable: {
    ...unavailable,
    message: 'The keys of the client cannot be had at this time.',
    meaning: 'The `jwks_uri` of a client document gave no key set. It may be an outage.',
    cause: 'The host of the keys is down, or refuses this server.',
    advice: 'Try again later; oauth-client-auth jwks URL shows each step of the fetch.',
    forSender: 'Serve the key set at the jwks_uri to everybody, as JSON and with status 200, and try again later.'
  }
})
