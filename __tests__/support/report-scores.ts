// What must be told first of each refused case of fixtures/reports.json: words that name the cause, words that name what
// to change, and, where the sender has another part in it than the operator, words that are right to send.
import { rightOf, servedSets } from './report-cases'
import type { RightWords } from './explain-score'

type Words = readonly [cause: RegExp, fix: RegExp, tell?: RegExp, misleads?: RegExp]

const operatorsPart = /Nothing is to be changed|operator/
const key = /[Pp]ublish .*(public )?key/

const words: Readonly<Record<string, Words>> = {
  'rep-01': [/DER/, /64 raw octets/],
  'rep-03': [/iss must be a string/, /quotation marks/],
  'rep-04': [/line break/, /-n\b/],
  'rep-04c': [/line break/, /Remove/],
  'rep-05': [/stored secret has white space or a line break/, /store it without/, /secret/],
  'rep-06f': [
    /application\/x-www-form-urlencoded, application\/x-www-form-urlencoded/,
    /once|Content-Type: application\/x-www-form-urlencoded/
  ],
  'rep-08': [/query string .*never read/, /in the body/],
  'rep-09': [/clientID must be called client_id/, /clientSecret must be called client_secret/],
  'rep-11': [/plain base64/, /base64url/],
  'rep-12': [/white space or line break/, /Remove/],
  'rep-12c': [/no JWT|1 parts?/, /sign one|three parts/],
  'rep-12d': [/urn%3Aietf/, /client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer/],
  'rep-13': [/JWT is sent as the secret/, /client_assertion/],
  'rep-13c': [/is the grant/, /client_assertion/],
  'rep-13e': [/JWT is sent as the secret/, /client_assertion/],
  'rep-14b': [/endpoint URL/, /Set aud to the issuer/],
  'rep-14c': [/received/, /client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer/],
  'rep-17': [/443/, /exactly/],
  'rep-17b': [/the port/, /exactly/],
  'rep-17c': [/Add aud/, /with the issuer/],
  'rep-18b': [
    /209C873CB3E10C8262E1A5E985D6053D2B9BC60E.*IJyHPLPhDIJi4aXphdYFPSubxg4|IJyHPLPhDIJi4aXphdYFPSubxg4.*209C873CB3E10C8262E1A5E985D6053D2B9BC60E/s,
    /under the kid|name that kid/,
    /kid/
  ],
  'rep-19': [/leading zeros/, /Correct the key|[Pp]ublish/, key, /sign with the key/],
  'rep-19b': [/base64url|leading zeros/, /Correct the key|[Pp]ublish/, key, /sign with the key/],
  'rep-23': [/decoded secret/, /without decoding/],
  'rep-25': [/openbanking/, /Leave crit/],
  'rep-28': [/300 s/, /expire sooner/],
  'rep-29': [/body is JSON/, /name=value/],
  'rep-32': [/form-encode/i, /before base64/],
  'rep-34': [/replayed|used before|until|rememberedUntil/, /new assertion/],
  'rep-35': [/client-assertion\+jwt/, /Set typ to JWT/],
  'rep-37': [/client_id/, /once/],
  'rep-38': [/kid/, /kid as a string/],
  'rep-39b': [/form-encode/i, /before base64/],
  'rep-40': [/client_secret/, /remove the others/],
  'rep-41': [/sub/, /Add sub/],
  'rep-41b': [/SHA256/, /Set iss and sub to the client_id/],
  'dn-r5': [/CN=00EXAMPLE00001/, /exactly as the facts|Register the subject/, /subject/],
  'dn-r6': [/RFC 4514/, /openssl x509/, /subject/],
  'dn-r7': [/CN=00EXAMPLE00001/, /exactly as the facts|Register the subject/, /subject/],
  'px-3': [/base64 of (a )?PEM/i, /configured format/, operatorsPart],
  'px-7': [/space/, /configured format|\+/, operatorsPart],
  'px-9': [/white space|line break/, /configured format/, operatorsPart],
  'px-11': [/one element/, /one certificate/, operatorsPart],
  'px-12': [/needs Cert/, /configured format/, operatorsPart],
  'ss-3': [/padding/, /without the padding/],
  'md-3r': [/api\.example/, /Register|certificate/, /subject|certificate|name/],
  'rec-6': [/stored secret ends with a line break/, /store it without/, /secret/],
  'adv-2': [/kid/, /under the kid|name that kid/, /kid/],
  'adv-3': [/RS384/, /sign with RS384|publish the key without alg/],
  'adv-5': [/kid/, /under the kid/, /kid/],
  'adv-7': [/no kid|published key the kid/, /leave kid out/],
  'lti-2': [/slash/, /exactly/],
  'lti-3': [/tool\.example/, /Set iss and sub to the client_id/],
  'ec-1': [/32 octets/, /Correct the key|[Pp]ublish/, key],
  'num-1': [/number/, /as expected|Store/, operatorsPart],
  'iat-2': [/ahead|future/, /NTP/],
  'ju-1': [/text\/plain/, /application\/(jwk-set\+)?json|as the message demands/],
  'ju-1b': [/octet-stream/, /application\/(jwk-set\+)?json|as the message demands/],
  'ju-1c': [/content type/, /application\/(jwk-set\+)?json|as the message demands/],
  'ju-3': [/UTF-8/, /as the message demands|UTF-8/],
  'ju-4': [/301/, /as the message demands|this very URL|redirect/],
  'ju-5': [/certificate/, /public CA/],
  'ju-6': [/gzip/, /as the message demands|uncompressed/],
  'ju-7b': [/in the cache/, /new kid/, /[Ss]ign with|new kid/],
  'ju-8': [/JWK Set/, /as the message demands|keys/],
  'ju-8b': [/JWK Set/, /as the message demands|keys/],
  'ju-8c': [/JWK Set/, /as the message demands|keys/],
  'ju-12': [/https/, /public https server/]
}

/** The right words of a refused case, by its id. */
export function rightWords(id: string): RightWords | undefined {
  const reason = (rightOf[id] ?? servedSets[id]?.right)?.outcome
  if (reason === undefined || reason === 'accepted') return undefined
  const [cause, fix, tell = fix, misleads] = words[id] ?? [/(?!)/, /(?!)/]
  return { reason, cause, fix, tell, misleads }
}
