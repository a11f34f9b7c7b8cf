import type { KeySetError, KeySetFault } from '../../lib/explain/for-cli'

const trustIt =
  'If the host is yours: give the authority as PEM in createJwksFetcher({ hosts: { name: { ca } } }), and to this command in a file that NODE_EXTRA_CA_CERTS names.'
const privateAuthority = `The owner of the key set has to install a certificate of a public authority, and send its intermediate certificates with it. ${trustIt}`

/** By Node's code at the end of the message. */
const byCode: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: `A self-signed certificate proves nothing to others: the owner of the key set has to install one of a public authority. ${trustIt}`,
  SELF_SIGNED_CERT_IN_CHAIN: privateAuthority,
  UNABLE_TO_GET_ISSUER_CERT: privateAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: privateAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: privateAuthority,
  CERT_HAS_EXPIRED: 'The owner of the key set has to renew the certificate. Check the clock of this machine as well.',
  CERT_NOT_YET_VALID:
    'Check the clock of this machine. If it is right, the owner of the key set has to replace the certificate.',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The owner of the key set has to install a certificate that names this host, or the client has to register a jwks_uri with a name that the certificate holds.',
  ECONNREFUSED: 'Nothing listens at this address and port: the owner has to start the server or correct the jwks_uri.'
}

const ownWay = 'Check that this machine may connect to it: a proxy is used only where the option "proxy" names it.'
const ownNetwork =
  'For a host of your own network: --host NAME=CIDR here, and "hosts" of createJwksFetcher in the server.'

/** What to do about a key set that was refused or not to be had, by the stable name of the fault. */
const byFault: Readonly<Record<KeySetFault, string>> = {
  not_renewed: 'Try again: the key set could be had before, and not this time.',
  url: 'Register a jwks_uri that starts with https://, on port 443, written plainly. For a port of a private host: --host NAME:PORT=CIDR.',
  host: `Only names on the public internet are fetched. ${ownNetwork}`,
  dns: 'Check the name. If it is right, the owner has to publish an address in the DNS that this machine asks.',
  address: `Only public addresses are connected to. ${ownNetwork}`,
  busy: 'Too many fetches are under way: try again.',
  timeout: `The owner has to make the server answer faster. ${ownWay}`,
  connection: `Check that the server runs. ${ownWay}`,
  tls: 'The owner of the key set has to correct the TLS settings or the certificate of the server.',
  protocol: 'The owner has to make the server answer a plain GET by HTTP/1.1.',
  status: 'The owner has to publish the key set at this very URL, readable by everybody, and answer 200.',
  withdrawn: 'Nothing is published at this URL: correct the jwks_uri, or publish the key set there.',
  content_type: 'The owner has to serve the key set as application/json or application/jwk-set+json.',
  content_encoding: 'The owner has to serve the key set uncompressed to those who ask for that.',
  too_large: 'The owner has to remove old keys and certificates (x5c) from the key set.',
  json: 'The owner has to publish a JSON object with an array "keys" (RFC 7517 §5), in UTF-8. PEM is not read.',
  keys: 'The owner has to publish a JSON object with an array "keys" of JSON objects (RFC 7517 §5). PEM is not read.',
  private_key: 'Treat this key as stolen: the owner has to make a new pair and to publish the public half alone.'
}

type Fault = Pick<KeySetError, 'why' | 'message'>

/** By the words of the guard, where the owner of the key set can change nothing. */
function adviceForUs({ message }: Fault): string | undefined {
  if (message.startsWith('the proxy '))
    return 'The owner of the key set can change nothing: correct the option "proxy", or let the proxy connect to this host.'
  if (/^DNS gave no answer | was not found by DNS within /.test(message))
    return 'The DNS server of this machine did not answer, which the owner of the key set cannot change: check it, and try again.'
  return undefined
}

/** Whether a fetch failed on our side: the proxy, DNS that does not answer, no way to the network, too much at once. */
export const isOurs = (error: Fault): boolean =>
  adviceForUs(error) !== undefined ||
  error.why === 'busy' ||
  (error.why === 'connection' && /ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL/.test(error.message))

/** What to do about it, in a sentence or two. */
export const keySetAdvice = ({ why, message }: Fault): string =>
  adviceForUs({ why, message }) ?? byCode[/\(([A-Z_\d]+)\)$/.exec(message)?.[1] ?? ''] ?? byFault[why]
