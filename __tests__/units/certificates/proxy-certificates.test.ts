import { createProxyCertificates, type ProxyCertificatesOptions } from '../../../lib/certificates/proxy-certificates'
import { CertificateSourceError } from '../../../lib/certificates/certificate-source'
import { encoded, type EncodedCertificate, type XfccPart } from '../../support/certificate-headers'
import { certificate, x509 } from '../../support/client-certificates'
import * as der from '../../support/der'
import { certificateOver, explicitCurve, largeModulus } from '../../support/hostile-certificates'

const secret = { header: 'X-Proxy-Secret', value: 'a secret between the proxy and us, long enough' }
const verified = { header: 'X-Verify', value: 'SUCCESS' }
const usual: ProxyCertificatesOptions = { header: 'X-Cert', verified, addresses: ['127.0.0.1', '10.0.0.0/8'] }

type Get = Parameters<ReturnType<typeof createProxyCertificates>['get']>[0]

/** What a source makes of a request: the certificate and the verdict, `none`, or why it refuses. */
function outcome(options: ProxyCertificatesOptions, request: Get): unknown {
  try {
    const found = createProxyCertificates(options).get(request)
    return found === undefined ? 'none' : { raw: found.certificate.raw, verified: found.verified }
  } catch (error) {
    return error instanceof CertificateSourceError ? error.why : error
  }
}
const accepted = (id: string, isVerified = false) => ({ raw: certificate(id).der, verified: isVerified })
const socket = { remoteAddress: '127.0.0.1' }
const spkiOf = (id: string) => x509(id).publicKey.export({ type: 'spki', format: 'der' })
/** The words in which a value is refused. */
const refusal = (value: string): string => {
  try {
    return String(createProxyCertificates(usual).get({ headers: { 'x-cert': value }, socket })?.certificate)
  } catch (error) {
    return (error as Error).message
  }
}
const read = (value: string) => outcome(usual, { headers: { 'x-cert': value }, socket })

describe('the value of the header', () => {
  test.each(['escaped-pem', 'alb-pem', 'pem-spaces', 'pem-folded', 'base64', 'rfc9440', 'xfcc'])(
    'as %s, of an EC and of an RSA key',
    (encode) => {
      for (const id of ['bank', 'bank-rsa']) expect(read(encoded({ encode, certificate: id }))).toEqual(accepted(id))
    }
  )

  // Threat 52: another certificate of the chain matches (CVE-2023-2422)
  test.each([
    [['bank-intermediate', 'ca-intermediate']],
    [['bank-intermediate', 'ca-intermediate', 'ca']],
    [['bank', 'ca', 'ca', 'ca']]
  ])('a list in which each has issued the one before it, %j: the first is the leaf', (ids) => {
    expect(read(encoded({ encode: 'list', certificate: ids }))).toEqual(accepted(ids[0]!))
  })

  // Threat 44: two headers that were joined, read as a chain
  test.each([
    [['bank', 'shop'], 'is no chain'],
    [['bank', 'self-attacker'], 'is no chain'],
    [['bank', 'ca', 'shop'], 'is no chain'],
    [['bank', 'bank'], 'is no chain'],
    // It bears the name of the authority, and has another key.
    [['bank', 'ca-evil'], 'is no chain'],
    [['bank', 'ca', 'ca', 'ca', 'ca', 'ca', 'ca'], 'has more than 6 certificates']
  ])('a list that is no chain is refused: %j', (ids, words) => {
    const value = encoded({ encode: 'list', certificate: ids })
    expect(read(value)).toBe('header')
    expect(refusal(value)).toContain(words)
  })

  test.each([
    ['base64 of PEM', Buffer.from(certificate('bank').pem).toString('base64'), 'base64 of PEM'],
    [
      'PEM with its line breaks deleted',
      certificate('bank').pem.replaceAll('\n', ''),
      'PEM without white space behind BEGIN'
    ],
    [
      'PEM that was decoded as a form',
      encodeURIComponent(certificate('bank-rsa').pem.replaceAll('+', ' ')),
      'PEM with spaces where + was'
    ]
  ])('what is wrong is told: %s', (_title, value, words) => {
    expect(refusal(value)).toContain(words)
  })

  // Threat 36: a key that holds the event loop where it is decoded
  test.each<[string, Buffer, string]>([
    ['explicit parameters', explicitCurve(), 'key'],
    ['a modulus of 65536 bits', largeModulus(65_536), 'key'],
    [
      'explicit parameters, in PEM within another certificate',
      certificateOver(spkiOf('bank'), `\n${der.pem('CERTIFICATE', explicitCurve())}`),
      'header'
    ]
  ])('a certificate with %s is not decoded, and told in words', (_title, octets, why) => {
    for (const value of [
      octets.toString('base64'),
      `${octets.toString('base64')},${encoded({ encode: 'base64', certificate: 'bank' })}`
    ])
      expect(read(value)).toBe(why)
    expect(read(encodeURIComponent(der.pem('CERTIFICATE', octets)))).toBe(why)
    expect(read(`Cert="${encodeURIComponent(der.pem('CERTIFICATE', octets))}"`)).toBe(why)
  })

  test.each(['', '(null)'])('%j means none', (value) => {
    expect(read(value)).toBe('none')
  })

  const escaped = (more: Partial<EncodedCertificate> = {}) =>
    encoded({ encode: 'escaped-pem', certificate: 'bank', ...more })
  const base64 = (more: Partial<EncodedCertificate> = {}) => encoded({ encode: 'base64', certificate: 'bank', ...more })
  const rfc9440 = (more: Partial<EncodedCertificate> = {}) =>
    encoded({ encode: 'rfc9440', certificate: 'bank', ...more })
  const trailing = Buffer.concat([certificate('bank').der, Buffer.of(0)]).toString('base64')
  test.each([
    ['two PEM blocks', escaped({ and: 'shop' })],
    ['text before the PEM', escaped({ prefix: 'x' })],
    ['text behind the PEM', escaped({ suffix: 'x' })],
    ['a broken percent sign', escaped({ insert: '%zz' })],
    ['+ for a space', escaped().replace('BEGIN%20', 'BEGIN+')],
    ['PEM of something else', escaped().replaceAll('CERTIFICATE', 'PUBLIC%20KEY')],
    ['characters that lenient decoders skip', base64({ insert: '!' })],
    ['a space within base64', base64({ insert: ' ' })],
    ['base64url', base64().replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')],
    ['an octet behind the certificate', trailing],
    ['an octet behind the certificate, as RFC 9440', `:${trailing}:`],
    ['PEM within base64', Buffer.from(certificate('bank').pem).toString('base64')],
    ['no certificate at all', 'hello'],
    ['a name that is no UTF-8', base64({ certificate: 'dn-bad-utf8' })],
    ['a list with a space, as a join of two headers', `${base64()}, ${base64()}`],
    ['a list with something else', `${base64()},!`],
    ['a list that begins with nothing', `,${base64()}`],
    ['RFC 9440 with parameters', rfc9440({ suffix: ';a=1' })],
    ['RFC 9440, two of them', `${rfc9440()}, ${rfc9440()}`],
    ['RFC 9440, empty', '::']
  ])('is refused: %s', (_title, value) => {
    expect(read(value)).toBe('header')
  })

  const xfcc = (...parts: XfccPart[]) => read(encoded({ encode: 'xfcc', parts }))
  test.each<[string, XfccPart[], string]>([
    [
      'all that Envoy sends',
      ['By=spiffe://mesh/as', { hash: 'bank' }, { cert: 'bank' }, 'Subject="CN=a,O=\\"b\\""', 'URI=', 'DNS=a', 'DNS=b'],
      'bank'
    ],
    // Threat 52: `;Cert=` within a quoted subject (XFCC)
    ['a subject that holds ;Cert=', [{ hash: 'shop' }, { subjectWithCert: 'bank' }, { cert: 'shop' }], 'shop'],
    ['a subject that ends in a backslash', ['Subject="CN=a\\\\"', { cert: 'bank' }], 'bank'],
    ['keys in any case', [encoded({ encode: 'xfcc', certificate: 'bank' }).replace('Cert', 'cERT')], 'bank']
  ])('XFCC: %s', (_title, parts, id) => {
    expect(xfcc(...parts)).toEqual(accepted(id))
  })

  test.each<[string, XfccPart[]]>([
    ['Cert twice', [{ cert: 'bank' }, { cert: 'shop' }]],
    [
      'Cert twice, once in small letters',
      [{ cert: 'bank' }, encoded({ encode: 'xfcc', certificate: 'shop' }).replace('Cert', 'cert')]
    ],
    ['no Cert', [{ hash: 'bank' }, 'Subject="x"']],
    ['another Hash', [{ hash: 'shop' }, { cert: 'bank' }]],
    ['Hash twice', [{ hash: 'bank' }, { hash: 'bank' }, { cert: 'bank' }]],
    [
      'an unquoted URI that holds ;Cert=',
      [`URI=spiffe://x;${encoded({ encode: 'xfcc', certificate: 'shop' })}`, { cert: 'bank' }]
    ],
    // Threat 52: several elements or certificates in XFCC
    ['a second element', [`${encoded({ encode: 'xfcc', certificate: 'bank' })},By=x`]],
    ['an open quote', [{ cert: 'bank' }, 'Subject="x']],
    ['a pair without =', [{ cert: 'bank' }, 'Subject']],
    ['a semicolon at the end', [{ cert: 'bank' }, '']]
  ])('XFCC refused: %s', (_title, parts) => {
    expect(xfcc(...parts)).toBe('header')
  })
})

describe('whom the header is believed from', () => {
  const value = encoded({ encode: 'base64', certificate: 'bank' })
  const given = (headers: Record<string, string | string[]>, remoteAddress?: string, options = usual) =>
    outcome(options, {
      headers: { 'x-cert': value, 'x-verify': 'SUCCESS', ...headers },
      socket: { remoteAddress }
    })

  test.each([
    ['a single address', '127.0.0.1', accepted('bank', true)],
    ['a range', '10.200.3.4', accepted('bank', true)],
    ['IPv4 as IPv6 sees it', '::ffff:10.1.2.3', accepted('bank', true)],
    // Threat 52: a header from elsewhere than the proxy (CVE-2026-46579)
    ['another address', '127.0.0.2', 'proxy'],
    ['another address as IPv6 sees it', '::ffff:11.1.2.3', 'proxy'],
    ['IPv6', '2001:db8::1', 'proxy'],
    ['no address, as on a Unix socket', undefined, 'proxy'],
    ['what is no address', 'unix', 'proxy']
  ])('by address: %s', (_title, address, expected) => {
    expect(given({}, address)).toEqual(expected)
  })

  test('an IPv6 range, and a zone behind the address', () => {
    const options = { ...usual, addresses: ['fe80::/10'] }
    expect(given({}, 'fe80::1%eth0', options)).toEqual(accepted('bank', true))
  })

  // Threat 52: a header with `X-Forwarded-For` that names the proxy
  test('X-Forwarded-For and Forwarded are not read', () => {
    expect(given({ 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' }, '127.0.0.2')).toBe('proxy')
  })

  test('without a header there is no certificate, whoever asks', () => {
    for (const from of ['127.0.0.1', '127.0.0.2']) expect(given({ 'x-cert': '' }, from)).toBe('none')
    expect(outcome(usual, { headers: {} })).toBe('none')
  })

  test.each([
    ['right', { 'x-proxy-secret': secret.value }, accepted('bank', true)],
    ['missing', {}, 'proxy'],
    ['wrong', { 'x-proxy-secret': `${secret.value}!` }, 'proxy'],
    ['twice', { 'x-proxy-secret': [secret.value, secret.value] }, 'proxy']
  ])('by secret: %s', (_title, headers, expected) => {
    expect(given(headers, undefined, { header: 'X-Cert', verified, secret })).toEqual(expected)
  })

  test.each([
    ['both hold', { 'x-proxy-secret': secret.value }, '127.0.0.1', accepted('bank', true)],
    ['the secret only', { 'x-proxy-secret': secret.value }, '127.0.0.2', 'proxy'],
    ['the address only', {}, '127.0.0.1', 'proxy']
  ])('by both: %s', (_title, headers, from, expected) => {
    expect(given(headers, from, { ...usual, secret })).toEqual(expected)
  })
})

describe('how often headers stand', () => {
  const value = encoded({ encode: 'base64', certificate: 'bank' })
  test.each<[string, Get, unknown]>([
    ['a list of values (headersDistinct)', { headers: { 'x-cert': [value, value] }, socket }, 'header'],
    // Threat 52: a certificate header twice (envoy#6038)
    [
      'two of the same in rawHeaders',
      { headers: { 'x-cert': value }, rawHeaders: ['X-Cert', value, 'x-cert', value], socket },
      'header'
    ],
    [
      'behind so many headers that Node leaves some out of rawHeaders',
      { headers: { 'x-cert': value }, rawHeaders: ['X-Cert', value, ...Array<string>(1998).fill('x')], socket },
      'header'
    ],
    ['names that differ in case only', { headers: { 'x-cert': value, 'X-Cert': value }, socket }, 'header'],
    ['names in capital letters', { headers: { 'X-CERT': value }, socket }, accepted('bank')],
    [
      'Fetch headers',
      { headers: new Headers({ 'X-Cert': value, 'X-Verify': 'SUCCESS' }), socket },
      accepted('bank', true)
    ],
    [
      'Fetch headers, twice',
      {
        headers: new Headers([
          ['X-Cert', value],
          ['X-Cert', value]
        ]),
        socket
      },
      'header'
    ],
    ['the verdict twice', { headers: { 'x-cert': value, 'x-verify': 'SUCCESS, SUCCESS' }, socket }, accepted('bank')],
    [
      'the verdict twice in rawHeaders',
      {
        headers: { 'x-cert': value, 'x-verify': 'SUCCESS' },
        rawHeaders: ['X-Verify', 'SUCCESS', 'X-Verify', 'NONE'],
        socket
      },
      accepted('bank')
    ],
    // Threat 52: a certificate that is forwarded but not verified
    [
      'a verdict that only begins so',
      { headers: { 'x-cert': value, 'x-verify': 'SUCCESS-ish' }, socket },
      accepted('bank')
    ],
    ['a verdict in another case', { headers: { 'x-cert': value, 'x-verify': 'success' }, socket }, accepted('bank')],
    ['inherited headers', { headers: Object.create({ 'x-cert': value }) as Record<string, string>, socket }, 'none']
  ])('%s', (_title, request, expected) => {
    expect(outcome(usual, request)).toEqual(expected)
  })
})

describe('options', () => {
  const good = { header: 'X-Cert', addresses: ['10.0.0.0/8'] }
  test.each<[string, object, RegExp]>([
    ['no header', { addresses: ['10.0.0.0/8'] }, /"header" is required/],
    ['a header that is no name', { ...good, header: 'X Cert' }, /"header" must be the name of a header, not "X Cert"/],
    ['neither addresses nor secret', { header: 'X-Cert' }, /"addresses" and "secret"/],
    ['no address', { ...good, addresses: [] }, /"addresses"/],
    ['every IPv4 address', { ...good, addresses: ['0.0.0.0/0'] }, /"addresses".*"0\.0\.0\.0\/0"/],
    ['every IPv6 address', { ...good, addresses: ['::/0'] }, /"addresses"/],
    ['every IPv4 address, mapped', { ...good, addresses: ['::ffff:0:0/96'] }, /"addresses"/],
    ['a host name', { ...good, addresses: ['proxy.internal'] }, /"addresses"/],
    ['a short secret', { ...good, secret: { header: 'X-S', value: 'x'.repeat(31) } }, /"secret" must be .*at least 32/],
    ['a secret with a line break', { ...good, secret: { header: 'X-S', value: `${'x'.repeat(32)}\n` } }, /"secret"/],
    ['verified: false', { ...good, verified: false }, /"verified"/],
    ['an empty verdict', { ...good, verified: { header: 'X-V', value: '' } }, /"verified"/],
    ['a misspelt verdict', { ...good, verified: { header: 'X-V', values: 'a' } }, /"verified"/],
    [
      'one header for certificate and verdict',
      { ...good, verified: { header: 'x-cert', value: 'a' } },
      /a header each/
    ],
    [
      'one header for verdict and secret',
      { ...good, verified: { header: 'X-S', value: 'a' }, secret: { header: 'x-s', value: 'x'.repeat(32) } },
      /a header each/
    ],
    ['a misspelt name', { ...good, adresses: [] }, /did you mean "addresses"/]
  ])('%s is a TypeError', (_title, options, message) => {
    expect(() => createProxyCertificates(options as ProxyCertificatesOptions)).toThrow(TypeError)
    expect(() => createProxyCertificates(options as ProxyCertificatesOptions)).toThrow(message)
  })

  test('no message quotes the secret', () => {
    const value = 'x'.repeat(31)
    expect(() => createProxyCertificates({ ...good, secret: { header: 'X-S', value } })).not.toThrow(value)
  })

  test.each([
    [undefined, 'never'],
    [true as const, 'always'],
    [verified, 'by certificate']
  ])('verified %j: it verifies %s', (given, expected) => {
    expect(createProxyCertificates({ ...good, verified: given }).verifies).toBe(expected)
  })

  test('verified: true holds for each certificate', () => {
    const value = encoded({ encode: 'base64', certificate: 'bank' })
    expect(outcome({ ...usual, verified: true }, { headers: { 'x-cert': value }, socket })).toEqual(
      accepted('bank', true)
    )
  })
})
