import { badClient, type Detail, isOfIssuer, member, table, textOf } from './reason'

interface Audience {
  readonly issuer: string
  readonly aud: unknown
  /** `aud`, where it is one string or an array of one. */
  readonly text: string
}

const soleOf = (aud: unknown): unknown => (Array.isArray(aud) && aud.length === 1 ? aud[0] : aud)

const audience = (test: (audience: Audience) => boolean) => (detail: Detail) => {
  const { expected, received } = detail
  const issuer = textOf(Array.isArray(expected) ? expected[0] : expected)
  return test({ issuer, aud: received, text: textOf(soleOf(received)) })
}

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : '')
const withoutSlash = (text: string): string => text.replace(/\/$/, '')

/** What looks made for one request, and not like the name of a client: a UUID, or a long random text. */
const looksRandom = (text: string): boolean =>
  /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/i.test(text) || /^[\da-f]{24,}$/i.test(text)

/** Reasons that the header and the claims of an assertion give. */
export const assertionReasons = table({
  assertion_malformed: {
    ...badClient('client_assertion is not a signed JWT (compact JWS with a JSON object of claims).'),
    meaning: 'The assertion is not one signed JWT in compact form.',
    cause: 'The JWT was cut, encrypted, or encoded twice.',
    advice: 'Send the whole signed JWT: three parts of base64url joined by dots, with a JSON object of claims.',
    cases: [
      {
        when: '`kid` is no string',
        applies: ({ expected }) => expected === 'a string',
        advice: 'Write kid as a string, in quotation marks, in the header of the JWT and in the key set.'
      }
    ]
  },
  assertion_alg: {
    ...badClient('The alg of client_assertion must be one that is supported here.'),
    meaning: '`alg` is missing, `none`, or not among the algorithms of the server.',
    cause: 'The client signs with the default of its library.',
    advice: 'Sign with one of the expected algorithms.',
    cases: [
      {
        when: '`alg` is `none` or missing',
        applies: ({ received }) => received === undefined || textOf(received).toLowerCase() === 'none',
        advice: 'Sign the assertion: a JWT without a signature proves nothing.'
      }
    ]
  },
  assertion_typ: {
    ...badClient(
      'The typ of client_assertion must be JWT, client-authentication+jwt or oauth-client-auth+jwt, or be left out.'
    ),
    meaning: '`typ` names another kind of JWT.',
    cause: 'An access token or ID token is sent in place of an assertion.',
    advice: 'Set typ to JWT or client-authentication+jwt, or leave it out.',
    cases: [
      {
        when: '`typ` is that of an access token',
        applies: ({ received }) => /at\+jwt$/i.test(textOf(received)),
        advice: 'Make and sign an assertion for this request: an access token does not authenticate a client.'
      }
    ]
  },
  assertion_crit: {
    ...badClient('client_assertion has critical header parameters (crit, b64), which are not supported.'),
    meaning: 'The header demands an extension (`crit`, `b64`) that is not understood.',
    cause: 'The JWT was made for another purpose.',
    advice: 'Leave crit and b64 out of the header.'
  },
  assertion_issuer: {
    ...badClient('The issuer of client_assertion is not trusted here.'),
    meaning: '`iss`, or the trust domain of `sub`, is no issuer that this server trusts.',
    cause: 'The client means its own assertion and `iss` is not its client_id, or the issuer is spelt otherwise.',
    advice:
      'Set iss and sub to the client_id, if the client signs for itself; to trust another issuer, the operator adds it to the option trustedIssuers.',
    cases: [
      {
        when: 'it differs from a trusted one by a slash at the end only',
        applies: ({ trusted, received }) =>
          Array.isArray(trusted) &&
          trusted.some((one) => one !== received && withoutSlash(textOf(one)) === withoutSlash(textOf(received))),
        advice:
          'Write iss exactly as the server trusts it, since a slash at the end counts; the operator can write the key of trustedIssuers as iss stands in the token.'
      }
    ]
  },
  assertion_subject: {
    ...badClient('iss and sub of client_assertion must both be the client_id.'),
    meaning: '`iss`, `sub` and `client_id` do not name the same client.',
    cause: '`sub` names a user or the request in place of the client.',
    advice: 'Set iss and sub to the client_id, and send the same client_id in the form or none.',
    cases: [
      {
        when: '`sub` looks made for each request',
        applies: ({ received }) =>
          looksRandom(textOf(member(received, 'sub'))) && !looksRandom(textOf(member(received, 'iss'))),
        advice:
          'Set sub to the client_id and keep it the same in every request: the value made for each request is jti.'
      },
      {
        when: '`sub` is to be a SPIFFE ID',
        applies: ({ expected }) => expected === 'a SPIFFE ID',
        advice: 'Send a JWT-SVID as the SPIFFE agent hands it out: its sub is a SPIFFE ID.'
      },
      {
        when: '`iss` is missing',
        applies: ({ received }) => member(received, 'sub') !== undefined && member(received, 'iss') === undefined,
        advice: 'Add iss with the client_id, the same as sub.'
      },
      {
        when: '`sub` is missing',
        applies: ({ received }) => member(received, 'iss') !== undefined && member(received, 'sub') === undefined,
        advice: 'Add sub with the client_id, the same as iss.'
      }
    ]
  },
  assertion_audience: {
    ...badClient('The aud of client_assertion must be the issuer alone, as one string.'),
    meaning: '`aud` does not name this server as it must.',
    cause: 'The client sends the URL of the token endpoint.',
    advice: 'Set aud to the issuer of this server, as one string.',
    cases: [
      {
        when: '`aud` is missing',
        applies: audience(({ aud }) => aud === undefined),
        advice: 'Add aud with the issuer of this server, as one string.'
      },
      {
        when: 'the token is of another issuer',
        applies: isOfIssuer,
        advice:
          'Ask the issuer for a token whose aud is the expected value alone: a pod names it as audience of its token.'
      },
      {
        when: '`aud` is an array of several, or must not be one',
        applies: audience(({ aud, text, issuer }) => Array.isArray(aud) && (aud.length !== 1 || text === issuer)),
        advice: 'Send aud as one string, the issuer alone, and not as an array.'
      },
      {
        when: '`aud` is a single slash too long or too short',
        applies: audience(({ text, issuer }) => text !== issuer && withoutSlash(text) === withoutSlash(issuer)),
        advice: 'Write aud exactly as the issuer: the two differ by a slash at the end.'
      },
      {
        when: '`aud` is the token endpoint, or another URL of the server',
        applies: audience(({ text, issuer }) => originOf(text) !== '' && originOf(text) === originOf(issuer)),
        advice:
          'Set aud to the issuer in place of the endpoint URL; until the client can change, the operator may list that URL in legacyAudiences.'
      },
      {
        when: '`aud` only begins like the issuer, or is the beginning of it',
        applies: audience(({ text, issuer }) => text !== '' && (text.startsWith(issuer) || issuer.startsWith(text))),
        advice: 'Write the whole issuer as aud and nothing more: a value that only begins like it is another audience.'
      },
      {
        when: '`aud` is a URL of another host',
        applies: audience(({ text }) => originOf(text) !== ''),
        advice: 'Set aud to the issuer of this server: the assertion is addressed to another host.'
      }
    ]
  },
  assertion_exp: {
    ...badClient('client_assertion needs exp, a number of seconds since the epoch.'),
    meaning: '`exp` is missing, or is no number.',
    cause: 'The library was not told how long the assertion may live.',
    advice: 'Send exp as a number of seconds since the epoch, without quotes.',
    cases: [
      {
        when: '`exp` is missing',
        applies: ({ received }) => received === undefined,
        advice: 'Add exp, a minute or so after now, as a number of seconds since the epoch.'
      }
    ]
  },
  assertion_expired: {
    ...badClient('client_assertion has expired.'),
    meaning: '`exp` has passed, and the leeway with it.',
    cause: 'The assertion is kept and sent again, or the clock of the client is slow.',
    advice: 'Make a new assertion for each request, and set the clock of the client by NTP.',
    cases: [
      {
        when: 'the token is of another issuer',
        applies: isOfIssuer,
        advice: 'Ask the issuer for a new token, or read again the file that it is written to, before each request.'
      }
    ]
  },
  assertion_lifetime: {
    ...badClient('The exp of client_assertion may lie only so far ahead.'),
    meaning: '`exp` lies further ahead than `maxAssertionLifetime`.',
    cause: 'The library signs for a day or a year.',
    advice: 'Let the assertion expire sooner: a minute after it is made is enough.',
    cases: [
      {
        when: 'the token is of another issuer',
        applies: isOfIssuer,
        advice: 'Ask the issuer for a token that expires sooner; or the operator raises maxLifetime of this issuer.'
      }
    ]
  },
  assertion_not_yet_valid: {
    ...badClient('nbf or iat of client_assertion lies in the future.'),
    meaning: '`nbf` or `iat` lies in the future, or is no number.',
    cause: 'The clock of the client is fast.',
    advice: 'Set the clock of the client by NTP: it is ahead of that of the server.',
    cases: [
      {
        when: 'the claim is no number',
        applies: ({ received }) => typeof received !== 'number',
        advice: 'Send the claim as a number of seconds since the epoch, without quotes, or leave it out.'
      }
    ]
  },
  assertion_milliseconds: {
    ...badClient('A time claim of client_assertion is in milliseconds: use seconds since the epoch.'),
    meaning: 'A time claim is in milliseconds.',
    cause: '`Date.now()` is used as it is.',
    advice: 'Divide the time by 1000 and round it down: JWT times are seconds since the epoch.'
  },
  assertion_jti: {
    ...badClient('client_assertion needs jti, a non-empty string.'),
    meaning: '`jti` is empty, is no string, or is missing where it is required.',
    cause: 'The library leaves it out unless it is told otherwise.',
    advice: 'Send jti as a non-empty string that is new in each assertion, such as a random UUID.'
  },
  assertion_replayed: {
    ...badClient('client_assertion has been used before: each request needs a new one.'),
    meaning: 'The assertion was used before.',
    cause: 'The client keeps an assertion and sends it until it expires, or a proxy repeats the request.',
    advice: 'Make a new assertion with a new jti for each request, retries included.'
  }
})
