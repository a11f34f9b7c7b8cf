import { table, unavailable } from './reason'

/** Reasons of the server: of its brake, of its stores, and of metadata that it cannot register. */
export const serverReasons = table({
  too_many_failures: {
    ...unavailable,
    status: 429,
    message: 'Too many failed attempts. Try again later.',
    meaning: 'The brake refuses the request unjudged: too many attempts of this client or address have failed.',
    cause: 'Somebody is guessing; or a program repeats a wrong secret, and shares its address with others.',
    advice: 'Correct the credentials, and wait as long as Retry-After says.'
  },
  secret_verifier_busy: {
    ...unavailable,
    meaning: 'Too many slow verifications of secrets are waiting.',
    cause: 'Somebody is guessing secrets.',
    advice: 'Put createBrake in front of clientAuth, and let the client try again.',
    forSender: 'Try again later: the server is busy.'
  },
  issuer_unavailable: {
    ...unavailable,
    meaning: 'The discovery document or the keys of a trusted issuer are not to be had.',
    cause: 'The issuer is down or not reachable from here, or its document names another issuer.',
    advice:
      'Give the issuer jwks_uri or jwks in trustedIssuers, or name its host in hosts of the fetcher, as the message demands.',
    forSender: 'Try again later: the server cannot read the keys of the issuer.'
  },
  replay_store_unavailable: {
    ...unavailable,
    meaning: 'The replay store threw or did not answer in time.',
    cause: 'Redis or the database is down.',
    advice: 'Bring the replay store back: assertions are refused until it answers.',
    forSender: 'Try again later: the server has a fault.'
  },
  replay_store_full: {
    ...unavailable,
    meaning: 'The replay store, or the share of one client, is full.',
    cause: 'One client sends more long-lived assertions than the store holds.',
    advice: 'Let the client sign shorter-lived assertions, or raise maxEntries of the store.',
    forSender: 'Sign assertions that live for a minute, and try again later.'
  },
  invalid_client_metadata: {
    code: 'invalid_client_metadata',
    status: 400,
    message: 'The client metadata is invalid.',
    meaning: 'The metadata of a client cannot be registered.',
    cause: 'Members contradict each other or are unsafe.',
    advice: 'Correct the metadata as the message says.'
  }
})
