import corpus from '../../fixtures/jwks-uri.json'
import { parseRange } from '../../../lib/basics/address-range'
import { addressFault, canonicalAddress, hostFault, isHostName, urlFault } from '../../../lib/guarded-fetch/guard'

const vetted = (answer: unknown, allowed?: string[], denied: string[] = []) => {
  const ranges = (list: string[]) => list.map(parseRange).filter((range) => range !== undefined)
  const fault = addressFault(answer, allowed && ranges(allowed), ranges(denied))
  return fault === undefined ? canonicalAddress(String(answer)) : undefined
}

describe('vettedAddress', () => {
  test.each(['1.1.1.1', '223.255.255.255', '168.63.129.15', '2606:4700:4700::1111', '2003::1', '2a00::1'])(
    'takes %s',
    (address) => {
      expect(vetted(address)).toBe(address)
    }
  )

  test('gives the form that sockets report', () => {
    expect(vetted('2606:4700:4700:0:0:0:0:1111')).toBe('2606:4700:4700::1111')
    expect(vetted('2606:4700:4700::ABCD')).toBe('2606:4700:4700::abcd')
  })

  test.each([
    ...[
      '0.0.0.0',
      '10.0.0.1',
      '100.64.0.1',
      '127.0.0.1',
      '168.63.129.16',
      '169.254.169.254',
      '172.16.0.1',
      '192.0.0.1'
    ],
    ...[
      '192.0.2.1',
      '192.168.0.1',
      '198.18.0.1',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255'
    ],
    ...[
      '::',
      '::1',
      '::ffff:1.1.1.1',
      '::1.1.1.1',
      '64:ff9b::101:101',
      '64:ff9b:1::1',
      '100::1',
      '2001::1',
      '2001:db8::1'
    ],
    ...[
      '2002:101:101::1',
      '2a00::5efe:10.0.0.1',
      '2a00:1:2:3:200:5efe:a00:1',
      '3fff::1',
      '4000::1',
      '5f00::1',
      'fc00::1',
      'fd00::1',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1'
    ],
    ...[
      '127.1',
      '0x7f000001',
      '2130706433',
      '1.1.1.1/32',
      ' 1.1.1.1',
      '1.1.1.1 ',
      '1.1.1.1\0',
      '01.1.1.1',
      '[::1]',
      '',
      'localhost'
    ],
    ...[null, undefined, 1, {}, ['1.1.1.1']]
  ])('refuses %j', (answer) => {
    expect(vetted(answer)).toBeUndefined()
  })

  // Threat 6: private, mapped, NAT64, 6to4, Teredo and unassigned addresses
  test('refuses every block of IPv6 that ipaddr.js would let pass', () => {
    expect(corpus.ipaddrLeaks.v6_blocks.length).toBe(15)
    const blocks = corpus.ipaddrLeaks.v6_blocks.map((text) => /^[0-9a-f:]+\/\d+/.exec(text)?.[0] ?? text)
    for (const block of blocks) {
      const [base = ''] = block.split('/')
      expect([block, vetted(base.endsWith('::') ? `${base}1` : base)]).toEqual([block, undefined])
    }
  })

  test('where ranges are named, nothing else will do, and denied ranges win', () => {
    expect(vetted('10.1.2.3', ['10.1.0.0/16'])).toBe('10.1.2.3')
    expect(vetted('10.2.2.3', ['10.1.0.0/16'])).toBeUndefined()
    expect(vetted('1.1.1.1', ['10.1.0.0/16'])).toBeUndefined()
    expect(vetted('::ffff:10.1.2.3', ['10.1.0.0/16'])).toBeUndefined()
    expect(vetted('fd00::5', ['10.1.0.0/16', 'fd00::5'])).toBe('fd00::5')
    expect(vetted('10.1.2.3', ['10.1.0.0/16'], ['10.1.2.3'])).toBeUndefined()
    expect(vetted('1.1.1.1', undefined, ['1.1.1.0/24'])).toBeUndefined()
    expect(vetted('1.1.1.1', [])).toBeUndefined()
  })
})

describe('parseRange', () => {
  test.each(['10.0.0.0/8', '10.0.0.1', '::1', 'fd00::/8', '0.0.0.0/0'])('takes %s', (text) => {
    expect(parseRange(text)).toBeInstanceOf(Function)
  })
  test.each([
    '',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.1/16',
    '10.0.0.0/0x8',
    'fe80::1%eth0',
    'all',
    null,
    8
  ])('takes not %j', (text) => {
    expect(parseRange(text)).toBeUndefined()
  })
})

describe('names and URLs', () => {
  test.each([
    'client-app.net',
    'a.b',
    'xn--bcher-kva.client-app.net',
    'client_app.s3.amazonaws.com',
    'localhost.client-app.net'
  ])('%s is a public name', (host) => {
    expect(hostFault(host)).toBeUndefined()
  })
  test.each([
    'localhost',
    'db',
    'x.localhost',
    'x.local',
    'x.home.arpa',
    'x.onion',
    '10.0.0.1',
    '[::1]',
    'client-app.net.',
    '-a.net',
    `${'a'.repeat(64)}.net`,
    `${'a.'.repeat(127)}net`
  ])('%s is none', (host) => {
    expect(hostFault(host)).toEqual(expect.any(String))
  })
  test('only a host name may be named as an exception', () => {
    expect(['localhost', 'keys.corp', 'db'].every(isHostName)).toBe(true)
    expect(['', '10.0.0.1', '[::1]', 'a:8443', 'A.corp', 'a/b', 'u@a', '127.1', 'a b'].some(isHostName)).toBe(false)
  })
  test.each([
    ['https://client-app.net/a?b=c#d', /fragment/],
    ['https://client-app.net\\a', /backslash/],
    ['https://u:p@client-app.net/', /user name/],
    ['https://@client-app.net/', /user name/],
    ['https://Client-App.net/', /lower-case/],
    ['https:client-app.net/', /https URL/],
    ['http://client-app.net/', /https URL/],
    [`https://client-app.net/${'a'.repeat(2048)}`, /2048/],
    ['https://client-app.net/\u00e9', /ASCII/],
    [new URL('https://client-app.net/'), /ASCII/],
    [undefined, /ASCII/]
  ])('%s may not be fetched', (uri, fault) => {
    expect(urlFault(uri)).toMatch(fault)
  })
  test('a URL of exactly 2048 characters may', () => {
    expect(urlFault('https://client-app.net/'.padEnd(2048, 'a'))).toBeUndefined()
  })
})
