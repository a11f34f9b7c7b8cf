// Requests, broken as partners break them: who makes each, what is wrong, and, written before anything was run, the
// words by which the cause, the fix and the text for the partner are known to be the right ones.
import { randomUUID } from 'node:crypto'
import { assertionForm, basic, JWT_BEARER, keyAssertion, now, type TestKey } from '../support/assertions'

/** What the requests are made with. */
export interface World {
  issuer: string
  secret: string
  ec: TestKey
  /** Published for encryption alone. */
  enc: TestKey
}

/** A request as it is written to the connection, but for the length of its body. */
export interface Raw {
  headers?: Record<string, string>
  form?: Record<string, string> | string
  path?: string
}

interface Made {
  /** The program of programs/broken, or the shell, that makes it by the argument; `hand` for `raw`. */
  by: 'PyJWT' | 'msal (Python)' | 'openid-client' | 'golang.org/x/oauth2' | 'curl' | 'openssl, curl' | 'hand'
  /** The name of the mistake, or the command. */
  argument?: string
  raw?: (world: World) => Raw
}

export interface BrokenRequest extends Made {
  /** What is wrong. */
  wrong: string
  /** The right reason. */
  reason: string
  /** Words that name the true cause, and words that name what to change. */
  cause: RegExp
  fix: RegExp
  /** Words that are right to send the partner. Default: `fix`. */
  tell: RegExp
  /** Words that would send the reader the wrong way. */
  misleads: RegExp | undefined
}

type More = Partial<Pick<BrokenRequest, 'tell' | 'misleads'>>
const row = (made: Made, wrong: string, reason: string, cause: RegExp, fix: RegExp, more: More = {}) => ({
  ...made,
  wrong,
  reason,
  cause,
  fix,
  tell: more.tell ?? fix,
  misleads: more.misleads
})

const pyjwt = (argument: string): Made => ({ by: 'PyJWT', argument })
const msal = (argument: string): Made => ({ by: 'msal (Python)', argument })
const openid = (argument: string): Made => ({ by: 'openid-client', argument })
const go = (argument: string): Made => ({ by: 'golang.org/x/oauth2', argument })
const curl = (argument: string): Made => ({ by: 'curl', argument: `curl -s "$TOKEN_ENDPOINT" ${argument}` })
const hand = (raw: (world: World) => Raw): Made => ({ by: 'hand', raw })

/** Shell that signs as scripts do: `h` is the text to be signed, `sign` what makes a signature of it. */
const openssl = (
  sign: string,
  { alg = 'ES256', kid = 'ec-1', client = 'bank', encode = 'openssl base64 -A | tr +/ -_ | tr -d =' } = {}
): Made => ({
  by: 'openssl, curl',
  argument: `e() { ${encode}; }
now=$(date +%s)
h=$(printf '{"alg":"${alg}","kid":"${kid}"}' | e).$(printf '{"iss":"${client}","sub":"${client}","aud":"%s","jti":"%s","iat":%s,"exp":%s,"scope":"a?b>c~d"}' "$ISSUER" "$(openssl rand -hex 16)" $now $((now + 60)) | e)
s=$(${sign})
curl -s "$TOKEN_ENDPOINT" -d grant_type=client_credentials --data-urlencode client_assertion_type=${JWT_BEARER} --data-urlencode "client_assertion=$h.$s"`
})

const signedByHand = (parts: { claims?: object; header?: object }, more: Record<string, string> = {}) =>
  hand(({ issuer, ec }) => ({
    form: {
      ...assertionForm(
        keyAssertion(ec, {
          clientId: 'bank',
          claims: { aud: issuer, iat: now(), ...parts.claims },
          header: { ...parts.header }
        })
      ),
      ...more
    }
  }))
const assertionOf = ({ ec, issuer }: World) =>
  keyAssertion(ec, { clientId: 'bank', claims: { aud: issuer, iat: now() } })
const withAssertion = (change: (token: string) => string) =>
  hand((world) => ({ form: { client_assertion_type: JWT_BEARER, client_assertion: change(assertionOf(world)) } }))

/** What a signature is told by where its key is right: not to take another key. */
const rightKey = /^(?!.*(?:DER|salt|line break|decod)).*\bsign with (?:the|your) (?:private )?key\b/i

const ofPyJwt: readonly BrokenRequest[] = [
  row(
    pyjwt('aud-endpoint'),
    'aud is the token endpoint',
    'assertion_audience',
    /in place of the endpoint|endpoint URL/,
    /Set aud to the issuer/
  ),
  row(pyjwt('aud-list'), 'aud is a list of two', 'assertion_audience', /array|list/, /one string/),
  row(pyjwt('aud-slash'), 'aud has a slash too many', 'assertion_audience', /slash/, /exactly/),
  row(pyjwt('aud-missing'), 'no aud', 'assertion_audience', /\bnone\b|nothing|missing|Add aud/, /Add aud/),
  row(pyjwt('exp-milliseconds'), 'exp in milliseconds', 'assertion_milliseconds', /exp/, /1000/),
  row(pyjwt('exp-missing'), 'no exp', 'assertion_exp', /Add exp|nothing|none/, /Add exp/),
  row(pyjwt('exp-text'), 'exp is a text', 'assertion_exp', /"\d{10}"|quotes/, /number of seconds.*without quotes/),
  row(
    pyjwt('exp-kept'),
    'an assertion of ten minutes ago is sent again',
    'assertion_expired',
    /expired|late|ended/,
    /new assertion/
  ),
  row(pyjwt('local-time'), 'local time (Tokyo) is taken for UTC', 'assertion_lifetime', /9 h ahead/, /UTC/, {
    misleads: /expire sooner/
  }),
  row(pyjwt('life-of-a-day'), 'it lives for a day', 'assertion_lifetime', /sooner|lifetime|86400/, /sooner/),
  row(pyjwt('iss-number'), 'iss is a number', 'assertion_subject', /iss.*string/, /quotation marks/),
  row(
    pyjwt('sub-of-a-user'),
    'sub is the user',
    'assertion_subject',
    /alice@example\.com/,
    /Set (iss and )?sub.* to the client_id/
  ),
  row(
    pyjwt('sub-random'),
    'sub is new each time',
    'assertion_subject',
    /made for each request/,
    /Set sub to the client_id/
  ),
  row(
    pyjwt('alg-default'),
    'HS256, the default, with the secret, in place of the key',
    'method_not_registered',
    /HS256|secret/,
    /private key/i,
    { tell: /method that was agreed|private key/ }
  ),
  row(pyjwt('alg-none'), 'alg none', 'assertion_alg', /none|without a signature/, /Sign the assertion/),
  row(
    pyjwt('pss'),
    'PS256 with a key that is published for RS256',
    'no_matching_key',
    /RS256/,
    /sign with RS256|publish the key without alg/i
  ),
  row(
    pyjwt('kid-unknown'),
    'the right key under another kid',
    'no_matching_key',
    /published with kid rsa-1/,
    /name that kid/
  ),
  row(
    pyjwt('wrong-key'),
    'a key that nobody published',
    'signature_mismatch',
    /key/,
    /[Ss]ign with the .*(registered|in use)/
  ),
  row(pyjwt('neighbour'), 'the key of another client', 'signature_mismatch', /client neighbour/, /mixed up/, {
    tell: /[Ss]ign with the .*key/
  }),
  row(
    pyjwt('bytes-as-text'),
    "bytes printed as text: b'eyJ…'",
    'assertion_malformed',
    /b'|b"|bytes/,
    /decode|quotation marks/
  ),
  row(pyjwt('as-grant'), 'the JWT is sent as the grant', 'no_credentials', /grant/, /client_assertion/),
  row(
    pyjwt('grant-as-type'),
    'client_assertion_type is the URN of the grant',
    'assertion_type',
    /grant-type:jwt-bearer/,
    /client-assertion-type:jwt-bearer/
  ),
  row(
    pyjwt('as-bearer'),
    'the JWT is sent as Bearer',
    'authorization_scheme',
    /JWT.*Authorization|Bearer/,
    /client_assertion/
  ),
  row(
    pyjwt('decoded-secret'),
    'HS256 with the base64-decoded secret',
    'signature_mismatch',
    /decoded secret/,
    /without decoding/,
    { misleads: rightKey }
  ),
  row(
    pyjwt('secret-with-line-break'),
    'HS256 with the secret and a line break',
    'signature_mismatch',
    /line break/,
    /remove/i,
    { misleads: rightKey }
  )
]

const ofMsal: readonly BrokenRequest[] = [
  row(
    msal('as-it-comes'),
    'aud is the token endpoint, which MSAL always sends',
    'assertion_audience',
    /endpoint|https:\/\/localhost:\d+\/token|\/token/,
    /issuer/,
    {
      misleads: /another host/
    }
  ),
  row(msal('secret-from-a-file'), 'a line break behind the secret', 'parameter_malformed', /line break/, /Remove/),
  row(
    msal('other-environment'),
    'the secret of the test environment',
    'secret_mismatch',
    /secret/i,
    /Configure the secret/
  ),
  row(msal('swapped'), 'id and secret are swapped', 'unknown_client', /swapped/, /in the place of the other/),
  row(msal('unknown'), 'an id that nobody has', 'unknown_client', /3a4d1f6e|client_id/, /client_id/)
]

const ofOpenidClient: readonly BrokenRequest[] = [
  row(
    openid('post-for-basic'),
    'the secret in the body, registered for the header',
    'method_not_registered',
    /client_secret_basic/,
    /header/,
    {
      tell: /method that was agreed|header|client_secret_basic/
    }
  ),
  row(
    openid('mac-for-key'),
    'client_secret_jwt, registered for private_key_jwt',
    'method_not_registered',
    /HS256/,
    /private key/,
    {
      tell: /method that was agreed|private key/
    }
  ),
  row(
    openid('secret-for-key'),
    'a secret, registered for private_key_jwt',
    'method_not_registered',
    /private_key_jwt/,
    /private_key_jwt|method/,
    {
      tell: /method that was agreed|private_key_jwt/
    }
  ),
  row(
    openid('other-key'),
    'a new key under the old kid, not published',
    'signature_mismatch',
    /key/,
    /[Ss]ign with the .*(registered|in use)/
  ),
  row(openid('kid-in-capitals'), 'kid in capitals', 'no_matching_key', /published with kid ec-1/, /name that kid/),
  row(openid('aud-endpoint'), 'aud is the token endpoint', 'assertion_audience', /endpoint/, /Set aud to the issuer/),
  row(openid('expired-secret'), 'the secret of the year before', 'secret_mismatch', /earlier secret/, /issued last/),
  row(openid('none'), 'no secret is configured', 'no_credentials', /credentials/, /Send the credentials/),
  row(
    openid('quoted-secret'),
    'quotation marks around the secret',
    'secret_mismatch',
    /quotation marks/,
    /remove them/
  ),
  row(
    openid('clock-ahead'),
    'a clock that is seven minutes ahead',
    'assertion_not_yet_valid',
    /clock.*ahead|ahead/,
    /NTP/
  ),
  row(openid('encoded-twice'), 'the secret is encoded by hand as well', 'secret_mismatch', /twice/, /once/)
]

const ofGo: readonly BrokenRequest[] = [
  row(
    go('secret-from-a-file'),
    'a line break behind the secret, in Basic',
    'basic_malformed',
    /line break/,
    /leave it out|remove/i
  ),
  row(go('header-for-body'), 'Basic, registered for the body', 'method_not_registered', /client_secret_post/, /body/, {
    tell: /method that was agreed|body/
  }),
  row(go('id-in-capitals'), 'the id in capitals', 'unknown_client', /case/, /to the letter/),
  row(go('id-with-space'), 'a space behind the id', 'unknown_client', /space/, /to the letter/)
]

const ofCurl: readonly BrokenRequest[] = [
  row(
    curl('-u "shop:$SECRET" -d grant_type=client_credentials'),
    'a % and a + in Basic, not form-encoded',
    'secret_not_form_encoded',
    /form-encode/i,
    /before base64/
  ),
  row(
    curl('-d client_id=post -d "client_secret=$SECRET"'),
    'a + in the body, not form-encoded',
    'secret_mismatch',
    /\+ means a space|\+.*%2B|form-encode/,
    /%2B|form-encode/
  ),
  row(
    curl('-H "Content-Type: application/json" -d "{\\"client_id\\":\\"post\\"}"'),
    'JSON',
    'body_content_type',
    /application\/json/,
    /as a form/
  ),
  row(
    curl('-d "{\\"client_id\\":\\"post\\",\\"client_secret\\":\\"x\\"}"'),
    'JSON under the type of a form',
    'no_credentials',
    /JSON/,
    /name=value|form/
  ),
  row(curl('-F client_id=post -F client_secret=x'), 'multipart', 'body_content_type', /multipart/, /as a form/),
  row(
    curl('-G -X POST -d client_id=post --data-urlencode "client_secret=$SECRET"'),
    'everything in the query',
    'no_credentials',
    /query/,
    /in the body/
  ),
  row(
    curl('-u shop:x -d client_id=shop -d client_secret=x'),
    'the secret in header and body',
    'multiple_mechanisms',
    /client_secret|more than one|header and body/i,
    /remove the others/
  ),
  row(curl('-u shop:x -d client_id=post'), 'the ids of two clients', 'client_id_conflict', /post/, /same client_id/),
  row(
    curl('-H "Authorization: Basic $(echo "shop:$SECRET" | base64 -w 0)" -d grant_type=client_credentials'),
    'echo without -n, into base64',
    'basic_malformed',
    /line break/,
    /-n\b/
  ),
  row(
    curl('-H "Authorization: Basic shop:$SECRET" -d grant_type=client_credentials'),
    'Basic without base64',
    'basic_malformed',
    /in the clear|base64/,
    /in base64/
  ),
  row(
    curl(
      '-H "Authorization: Basic $(printf "shop:$SECRET" | base64 -w 0 | tr +/ -_ | tr -d =)x-" -d grant_type=client_credentials'
    ),
    'Basic in base64url',
    'basic_malformed',
    /base64url/,
    /plain base64/
  ),
  row(
    curl('-d client_id=post -d client_id=post -d client_secret=x'),
    'client_id twice',
    'parameter_repeated',
    /client_id/,
    /once/
  ),
  row(
    curl('-H "Content-Type: text/plain" -d client_id=post -d client_secret=x'),
    'text/plain',
    'body_content_type',
    /text\/plain/,
    /as a form/
  ),
  row(
    curl('-H "Content-Type:" -d client_id=post -d client_secret=x'),
    'no Content-Type',
    'body_content_type',
    /none|nothing|no Content-Type/i,
    /Content-Type: application\/x-www-form-urlencoded/
  ),
  row(
    curl('-u shop: -d grant_type=client_credentials'),
    'an empty secret',
    'basic_without_secret',
    /no secret|empty|Send the secret/i,
    /Send the secret/
  ),
  row(
    curl('-d grant_type=client_credentials'),
    'no credentials at all',
    'no_credentials',
    /no(ne| credentials)|Send the credentials/i,
    /Send the credentials/
  ),
  row(
    curl('-d client_secret=x -d grant_type=client_credentials'),
    'no client_id',
    'client_id_missing',
    /client_id/,
    /Send client_id/
  ),
  row(
    curl('-d clientId=post -d "clientSecret=x"'),
    'clientId and clientSecret',
    'no_credentials',
    /clientId must be called client_id/,
    /must be called client_secret/
  ),
  row(
    curl('-u "shop:$SECRET" -H "Authorization: Bearer x" -d a=b'),
    'another Authorization header',
    'authorization_scheme',
    /Bearer/,
    /Basic/
  )
]

const ofOpenssl: readonly BrokenRequest[] = [
  row(
    openssl('printf %s "$h" | openssl dgst -sha256 -sign "$EC_PEM" | e'),
    'an ECDSA signature in DER',
    'signature_mismatch',
    /DER/,
    /64 raw octets/,
    { misleads: rightKey }
  ),
  row(
    openssl(
      'printf %s "$h" | openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:max -sign "$PSS_PEM" | e',
      { alg: 'PS256', kid: 'pss-1' }
    ),
    'PSS with the longest salt',
    'signature_mismatch',
    /salt/,
    /32 octets/,
    { misleads: rightKey }
  ),
  row(
    openssl('printf %s "$h" | openssl dgst -sha256 -sign "$RSA_PEM" | e', {
      alg: 'RS256',
      kid: 'rsa-1',
      encode: 'openssl base64 -A'
    }),
    'plain base64',
    'assertion_malformed',
    /base64\b/,
    /base64url/
  ),
  row(
    openssl('printf %s "$h" | openssl dgst -sha256 -sign "$RSA_PEM" | e', {
      alg: 'RS256',
      kid: 'rsa-1',
      encode: 'openssl base64 | tr +/ -_ | tr -d ='
    }),
    'base64 with line breaks',
    'assertion_malformed',
    /line break/,
    /Remove/
  ),
  row(
    openssl(
      'printf %s "$h" | openssl dgst -sha256 -binary -hmac "$MAC_SECRET" | openssl base64 -A | tr +/ -_ | tr -d = | rev',
      { alg: 'HS256', client: 'mac', kid: '' }
    ),
    'a signature that was changed on its way',
    'signature_mismatch',
    /unchanged|changed/,
    /unchanged/
  ),
  row(
    openssl('echo "$h" | openssl dgst -sha256 -sign "$RSA_PEM" | e', { alg: 'RS256', kid: 'rsa-1' }),
    'a line break is signed with the text (echo)',
    'signature_mismatch',
    /line break/,
    /echo|-n\b|without/,
    { misleads: rightKey }
  ),
  row(
    openssl('printf %s "$h" | openssl dgst -sha1 -sign "$RSA_PEM" | e', { alg: 'RS256', kid: 'rsa-1' }),
    'SHA-1 under RS256',
    'signature_mismatch',
    /SHA-?1/i,
    /SHA-?256/i,
    { misleads: rightKey }
  )
]

const ofHand: readonly BrokenRequest[] = [
  row(
    hand((world) => ({ form: { client_id: 'bank', client_secret: assertionOf(world) } })),
    'the JWT as client_secret',
    'method_not_registered',
    /JWT is sent as the secret/,
    /client_assertion/
  ),
  row(
    hand((world) => ({ headers: { authorization: basic('bank', assertionOf(world)) } })),
    'the JWT in Basic',
    'method_not_registered',
    /JWT is sent as the secret/,
    /client_assertion/
  ),
  row(
    withAssertion((token) => `${token}.${randomUUID()}.x`),
    'an encrypted JWT',
    'assertion_malformed',
    /encrypted/,
    /signed/
  ),
  row(
    withAssertion((token) => token.split('.').slice(0, 2).join('.')),
    'the signature is cut off',
    'assertion_malformed',
    /signature is missing/,
    /three/
  ),
  row(
    withAssertion((token) => `Bearer ${token}`),
    'Bearer in client_assertion',
    'assertion_malformed',
    /Bearer/,
    /Leave/
  ),
  row(
    withAssertion((token) => `"${token}"`),
    'quotation marks around the JWT',
    'assertion_malformed',
    /quotation marks/,
    /Remove/
  ),
  row(
    signedByHand({ header: { typ: 'at+jwt' } }),
    'an access token as assertion',
    'assertion_typ',
    /access token/,
    /Make and sign an assertion/
  ),
  row(
    signedByHand({ claims: { nbf: String(now()) } }),
    'nbf is a text',
    'assertion_not_yet_valid',
    /"\d{10}"|quotes/,
    /without quotes/
  ),
  row(
    signedByHand({}, { client_secret: 'x' }),
    'a secret beside the assertion',
    'multiple_mechanisms',
    /client_secret/,
    /remove the others/
  ),
  row(
    signedByHand({}, { client_id: 'shop' }),
    'client_id of another client beside the assertion',
    'assertion_subject',
    /shop/,
    /same client_id/
  ),
  row(
    hand(({ enc, issuer }) => ({
      form: assertionForm(keyAssertion(enc, { clientId: 'bank', claims: { aud: issuer } }))
    })),
    'the key is published for encryption',
    'no_matching_key',
    /encryption|use/,
    /use: sig/,
    { tell: /for signatures/ }
  )
]

/** All of them. */
export const brokenRequests: readonly BrokenRequest[] = [
  ...ofPyJwt,
  ...ofMsal,
  ...ofOpenidClient,
  ...ofGo,
  ...ofCurl,
  ...ofOpenssl,
  ...ofHand
]
