// Addresses that rest after hosts there have held up the process that fetches.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createJwksFetcher } from '../../../lib'
import type * as AddressRest from '../../../lib/guarded-fetch/address-rest'
import { startConnectProxy } from '../../support/connect-proxy'
import { serveHostileHandshake } from '../../support/hostile-handshake'
import { answer } from '../../support/tls-answers'
import { makeAuthority, makeCertificate } from '../../support/tls-certificates'
import { serveRaw, type TestServer } from '../../support/tls-server'

// Processes are killed and started, on machines that have other work too
jest.setTimeout(120_000)

const minute = 60_000
const day = 86_400_000

describe('as time goes by', () => {
  let rest: typeof AddressRest
  beforeEach(() => {
    jest.useFakeTimers()
    jest.advanceTimersByTime(1) // lru-cache takes 0 for no time at all
    jest.resetModules() // its caches hold the clock that they find
    rest = jest.requireActual('../../../lib/guarded-fetch/address-rest')
  })
  afterEach(() => {
    jest.useRealTimers()
  })
  const hold = (address: string, ...hosts: string[]) => hosts.map((host) => rest.addressHeld(address, host, 500))

  test('one host makes no address rest, however often', () => {
    expect(hold('192.0.2.1', 'a', 'a', 'a')).toEqual([undefined, undefined, undefined])
    expect(rest.addressRests('192.0.2.1')).toBe(false)
  })

  test.each([
    [5, 5000],
    [500, 500_000],
    [600, 600_000],
    [14_000, 600_000]
  ])('after two hosts that computed for %d ms it rests for %d ms', (cpuMs, restMs) => {
    const address = `198.51.100.${restMs % 251}`
    expect([rest.addressHeld(address, 'a', cpuMs), rest.addressHeld(address, 'b', cpuMs)]).toEqual([undefined, restMs])
    jest.advanceTimersByTime(restMs - 1)
    expect(rest.addressRests(address)).toBe(true)
    jest.advanceTimersByTime(1)
    expect(rest.addressRests(address)).toBe(false)
  })

  test('what a host did is forgotten after a day', () => {
    hold('192.0.2.2', 'a')
    jest.advanceTimersByTime(day + minute)
    expect(hold('192.0.2.2', 'b', 'a')).toEqual([undefined, 500_000])
  })

  test('an address that has answered well rests for a day at no time', () => {
    rest.addressAnswered('192.0.2.3')
    expect(hold('192.0.2.3', 'a', 'b')).toEqual([undefined, undefined])
    expect(rest.addressRests('192.0.2.3')).toBe(false)
    jest.advanceTimersByTime(day + minute)
    expect(hold('192.0.2.3', 'a', 'b')).toEqual([undefined, 500_000])
    expect(rest.addressRests('192.0.2.3')).toBe(true)
  })

  test.each([
    ['2001:db8:1:1::1', '2001:db8:1:1:ffff::2', true],
    ['2001:db8:2:1::1', '2001:db8:2:2::1', false],
    ['203.0.113.1', '203.0.113.2', false]
  ])('%s and %s rest together: %s', (one, other, together) => {
    hold(one, 'a', 'b')
    expect([rest.addressRests(one), rest.addressRests(other)]).toEqual([true, together])
  })
})

describe('fetched', () => {
  let honest: TestServer
  let hostile: Awaited<ReturnType<typeof serveHostileHandshake>>
  let ca: string
  const events: { event: string; host?: string; address?: string; restMs?: number }[] = []
  const note = (message: unknown) => void events.push(message as (typeof events)[number])
  const named = (event: string) => events.filter((each) => each.event === event)

  beforeAll(async () => {
    const authority = await makeAuthority()
    ca = authority.cert
    honest = await serveRaw(
      await makeCertificate(authority, { names: ['innocent.partner.net'] }),
      () => answer(),
      '0.0.0.0'
    )
    hostile = await serveHostileHandshake(() => undefined, '0.0.0.0')
    subscribe('oauth-client-auth:fetching', note)
  })
  afterAll(async () => {
    unsubscribe('oauth-client-auth:fetching', note)
    await honest.close()
    await hostile.close()
  })
  beforeEach(() => {
    events.length = 0
  })

  /** Hosts of one address; the hostile ones and the innocent one differ in their port, which is no part of it. */
  function at(address: string) {
    const hosts = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name}.attacker.net`).concat('innocent.partner.net')
    const rules = { addresses: [address], ports: [hostile.port, honest.port], ca }
    const fetcher = createJwksFetcher({
      hosts: Object.fromEntries(hosts.map((host) => [host, rules])),
      resolver: () => ({
        resolve4: () => Promise.resolve([address]),
        resolve6: () => Promise.resolve([]),
        cancel: () => undefined
      }),
      timeout: 60
    })
    const whyOf = (uri: string) =>
      fetcher.get(uri).then(
        () => 'fetched',
        (error: unknown) => (error as { why: string }).why
      )
    return {
      hold: (host: string, path = '') => whyOf(`https://${host}.attacker.net:${hostile.port}/${path}`),
      innocent: (path = '') => whyOf(`https://innocent.partner.net:${honest.port}/${path}`)
    }
  }

  test('two hosts that hold the process up make their address rest; nobody there is asked then', async () => {
    const there = at('127.0.3.1')
    // The host rests at once, with all of its URLs: whoever ends TLS there is its owner
    expect([await there.hold('a', '1'), await there.hold('a', '2')]).toEqual(['tls', 'busy'])
    expect(hostile.connections).toBe(1)
    expect(named('rested')).toEqual([])
    expect(await there.hold('b')).toBe('tls')
    const restMs = expect.any(Number) as number
    expect(named('rested')).toEqual([
      { event: 'rested', side: 'registered', host: 'b.attacker.net', address: '127.0.3.1', restMs }
    ])
    const [asked, connections] = [hostile.connections, honest.connections]
    expect([await there.hold('c'), await there.innocent()]).toEqual(['busy', 'busy'])
    expect([hostile.connections, honest.connections]).toEqual([asked, connections])
    expect(named('killed').map(({ host }) => host)).toEqual(['a.attacker.net', 'b.attacker.net'])
    // Another address is no part of it
    expect(await at('127.0.3.2').innocent()).toBe('fetched')
  })

  test('an address that has answered well does not rest: an innocent host there is fetched', async () => {
    const there = at('127.0.3.3')
    expect(await there.innocent('before')).toBe('fetched')
    expect([await there.hold('d'), await there.hold('e'), await there.hold('f')]).toEqual(['tls', 'tls', 'tls'])
    expect(named('rested')).toEqual([])
    expect(await there.innocent('after')).toBe('fetched')
  })

  test.each([
    ['here', ['93.184.215.14'], 'busy'],
    ['proxy', [], 'tls']
  ] as const)('the address of a proxy never rests, that of a host behind it does (resolve: "%s")', async (...row) => {
    const [resolve, resting, outcome] = row
    const proxy = await startConnectProxy({ to: hostile.port })
    const resolver = () => ({
      resolve4: (host: string) => Promise.resolve([host.startsWith('elsewhere') ? '93.184.215.15' : '93.184.215.14']),
      resolve6: () => Promise.resolve([]),
      cancel: () => undefined
    })
    const fetcher = createJwksFetcher({
      proxy: { url: `http://127.0.0.1:${proxy.port}`, resolve },
      ...(resolve === 'here' ? { resolver } : {}),
      timeout: 60
    })
    const whyOf = (name: string) =>
      fetcher.get(`https://${name}.${resolve}.attacker.net/`).catch((error: unknown) => (error as { why: string }).why)
    try {
      expect([await whyOf('one'), await whyOf('two')]).toEqual(['tls', 'tls'])
      expect(named('rested').map(({ address }) => address)).toEqual(resting)
      expect([await whyOf('three'), await whyOf('elsewhere')]).toEqual([outcome, 'tls'])
    } finally {
      fetcher.close()
      await proxy.close()
    }
  })
})
