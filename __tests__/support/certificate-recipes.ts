// What each certificate of the shared cases is made of. Names are written in the order of the certificate: country first.

export type StringType = 'utf8' | 'printable' | 'ia5' | 't61' | 'bmp' | 'universal' | 'octets'
/** Type, value, and the string type where it is not the usual one. */
export type Attribute = [type: string, value: string | Buffer, as?: StringType]
/** One attribute, or several in one RDN. */
export type Rdn = Attribute | Attribute[]
export type KeyKind = 'p256' | 'p521' | 'secp256k1' | 'ed25519' | 'rsa1024' | 'rsa2048'
export type AltName = ['dns' | 'uri' | 'email' | 'ip', string] | ['directory', Rdn[]]

export interface Recipe {
  subject: Rdn[]
  /** Name of the issuer's recipe; without one the certificate is signed by its own key. */
  issuer?: string
  key?: KeyKind
  /** Name of the recipe whose key this certificate shares. */
  sharesKeyOf?: string
  valid?: [from: string, to: string]
  ca?: boolean
  pathLength?: number
  permittedDns?: string
  usages?: ('digitalSignature' | 'keyCertSign' | 'cRLSign')[]
  purposes?: ('clientAuth' | 'serverAuth')[]
  altNames?: AltName[]
  altNamesCritical?: boolean
  /** A URL in the AIA and CRL distribution point extensions. */
  namesUrl?: string
  sha1?: boolean
  version1?: boolean
}

const past: [string, string] = ['2020-01-01', '2021-01-01']
const future: [string, string] = ['2048-01-01', '2049-01-01']

const bank: Rdn[] = [
  ['C', 'DE'],
  ['O', 'Bank AG'],
  ['CN', 'bank.example']
]
const bankDns: AltName[] = [['dns', 'bank.example']]

const authority = (organisation: string, name: string, more: Partial<Recipe> = {}): Recipe => ({
  subject: [
    ['C', 'DE'],
    ['O', organisation],
    ['CN', name]
  ],
  ca: true,
  usages: ['keyCertSign', 'cRLSign'],
  ...more
})

const issued = (subject: Rdn[], more: Partial<Recipe> = {}): Recipe => ({
  issuer: 'ca',
  subject,
  ca: false,
  usages: ['digitalSignature'],
  purposes: ['clientAuth'],
  ...more
})

const selfSigned = (more: Partial<Recipe> = {}): Recipe => ({ subject: bank, ...more })

const inGermany = (organisation: string | Buffer, commonName?: string | Buffer, as?: StringType): Rdn[] => [
  ['C', 'DE'],
  ['O', organisation, as ?? 'utf8'],
  ...(commonName === undefined ? [] : [['CN', commonName, as ?? 'utf8'] satisfies Rdn])
]

const withAltNames = (...altNames: AltName[]): Recipe => issued([['CN', 'x']], { altNames })

const authorities: Record<string, Recipe> = {
  ca: authority('Authority', 'Partner CA'),
  'ca-other': authority('Other Authority', 'Other CA'),
  // Trusted by nobody, under the name of one that is
  'ca-evil': authority('Authority', 'Partner CA'),
  'ca-intermediate': authority('Authority', 'Intermediate CA', { issuer: 'ca', pathLength: 0 }),
  'ca-constrained': authority('Authority', 'Constrained CA', { issuer: 'ca', permittedDns: 'allowed.example' }),
  'spiffe-ca': {
    subject: [
      ['C', 'US'],
      ['O', 'SPIFFE']
    ],
    ca: true,
    usages: ['keyCertSign', 'cRLSign'],
    altNames: [['uri', 'spiffe://example.org']]
  },
  server: { subject: [['CN', 'localhost']], altNames: [['dns', 'localhost']], purposes: ['serverAuth', 'clientAuth'] }
}

/** One below the other, `ca` above all. */
const links = Array.from({ length: 11 }, (_, index): [string, Recipe] => [
  `ca-link-${index + 1}`,
  authority('Authority', `Link ${index + 1}`, { issuer: index === 0 ? 'ca' : `ca-link-${index}` })
])

const leaves: Record<string, Recipe> = {
  bank: issued(bank, { altNames: bankDns }),
  shop: issued(inGermany('Shop', 'shop.example'), { altNames: [['dns', 'shop.example']] }),
  'bank-renewed': issued(bank, { altNames: bankDns }),
  'bank-rsa': issued(bank, { key: 'rsa2048' }),
  'bank-rsa1024': issued(bank, { key: 'rsa1024' }),
  'bank-other-ca': issued(bank, { issuer: 'ca-other' }),
  'bank-intermediate': issued(bank, { issuer: 'ca-intermediate' }),
  'bank-below-10': issued(bank, { issuer: 'ca-link-10' }),
  'bank-below-11': issued(bank, { issuer: 'ca-link-11' }),
  'bank-constrained': issued(bank, { issuer: 'ca-constrained', altNames: bankDns }),
  'bank-evil': issued(bank, { issuer: 'ca-evil', altNames: bankDns }),
  'bank-by-leaf': issued(bank, { issuer: 'shop' }),
  'bank-expired': issued(bank, { valid: past }),
  'bank-future': issued(bank, { valid: future }),
  'bank-server-only': issued(bank, { purposes: ['serverAuth'] }),
  'bank-any-purpose': { issuer: 'ca', subject: bank, ca: false },
  'bank-authority': issued(bank, { ca: true, usages: ['digitalSignature', 'keyCertSign'] }),
  'bank-revoked': issued(bank),
  'bank-fetch-me': issued(bank, { namesUrl: 'http://127.0.0.1:1/never' })
}

const subjects: Record<string, Rdn[]> = {
  'dn-prefix': [...bank, ['CN', 'evil.example']],
  'dn-suffix': [['O', 'Evil'], ...bank],
  'dn-shorter': inGermany('Bank AG'),
  'dn-reversed': [...bank].reverse(),
  'dn-upper': inGermany('BANK AG', 'BANK.EXAMPLE'),
  'dn-spaces': inGermany('Bank  AG', 'bank.example'),
  'dn-printable': inGermany('Bank AG', 'bank.example', 'printable'),
  'dn-bmp': inGermany('Bank AG', 'bank.example', 'bmp'),
  'dn-t61': inGermany('B\u00e4nk', undefined, 't61'),
  'dn-universal': inGermany('B\u00e4nk \u{1d11e}', undefined, 'universal'),
  'dn-unicode': inGermany('B\u00e4nk & S\u00f6hne', '\u65e5\u672c'),
  'dn-decomposed': inGermany('Ba\u0308nk & So\u0308hne', '\u65e5\u672c'),
  'dn-homoglyph': inGermany('Bank AG', 'b\u0430nk.example'),
  'dn-comma': [
    ['C', 'US'],
    ['O', 'Acme, Inc.'],
    ['CN', 'a+b=c;d<e>"f"\\g']
  ],
  'dn-injected': inGermany('Shop,O=Bank AG,CN=bank.example'),
  'dn-newline': inGermany('Shop', 'x\nO=Bank AG\nCN=bank.example'),
  'dn-plus': inGermany('Bank AG', 'shop + CN=bank.example'),
  'dn-nul': inGermany('Bank AG', 'bank.example\0.evil.example'),
  'dn-bad-utf8': inGermany(Buffer.from('42fffe', 'hex'), 'bank.example'),
  'dn-octets': [
    ['C', 'DE'],
    ['O', 'Bank AG', 'octets'],
    ['CN', 'bank.example']
  ],
  'dn-edges': inGermany(' #edge ', '#lead'),
  'dn-empty-value': inGermany('', 'bank.example'),
  'dn-multi': [
    ...inGermany('Bank AG'),
    [
      ['CN', 'bank.example'],
      ['UID', '42']
    ]
  ],
  'dn-two-ou': [...inGermany('Bank AG'), ['OU', 'one'], ['OU', 'two'], ['CN', 'bank.example']],
  'dn-email': [
    ['C', 'US'],
    ['ST', 'MA'],
    ['L', 'Westford'],
    ['O', 'Red Hat'],
    ['OU', 'Keycloak'],
    ['CN', 'test-user@localhost'],
    ['emailAddress', 'test-user@localhost']
  ],
  'dn-domain': [
    ['DC', 'example'],
    ['DC', 'bank'],
    ['UID', 'client-1']
  ],
  'dn-brazil': [
    ['C', 'BR'],
    ['ST', 'SP'],
    ['L', 'LONDON'],
    ['O', 'Open Banking Brasil'],
    ['CN', 'web.example'],
    ['serialNumber', '43142666000197'],
    ['businessCategory', 'Government Entity'],
    ['jurisdictionC', 'UK', 'printable'],
    ['organizationIdentifier', 'OFBBR-74e929d9-33b6-4d85-8ba7-c146c867a817'],
    ['UID', '10120340-3318-4baf-99e2-0b56729c4ab2']
  ],
  'dn-private': [...inGermany('Bank AG'), ['1.3.6.1.4.1.99999.1', 'anything']],
  // OpenSSL prints this type as "uid", in small letters: it is not UID
  'dn-unique-identifier': [...inGermany('Bank AG'), ['0.9.2342.19200300.100.1.44', 'client-1']],
  'dn-x500-unique-identifier': [...inGermany('Bank AG'), ['2.5.4.45', 'client-1']],
  // OpenSSL has a name for it, and it is no attribute type: we have none
  'dn-unknown-type': [...inGermany('Bank AG'), ['2.5.29.17', 'anything']]
}

const altNames: Record<string, Recipe> = {
  'san-many': issued([['CN', 'many']], {
    altNames: [
      ['dns', 'one.example'],
      ['dns', 'rp.example'],
      ['uri', 'https://rp.example/client'],
      ['email', 'Ops@Rp.example'],
      ['ip', '192.0.2.7'],
      ['ip', '2001:db8:0:0:0:0:0:7']
    ]
  }),
  'san-none': issued([['CN', 'rp.example']]),
  'san-upper': withAltNames(['dns', 'RP.Example'], ['uri', 'HTTPS://RP.EXAMPLE/client']),
  'san-wildcard': withAltNames(['dns', '*.example']),
  'san-wildcard-below': withAltNames(['dns', '*.rp.example']),
  'san-parent': withAltNames(['dns', 'example']),
  'san-child': withAltNames(['dns', 'evil.rp.example']),
  'san-nul': withAltNames(['dns', 'rp.example\0.evil.example']),
  'san-injected-dns': withAltNames(['dns', 'evil.example, DNS:rp.example, URI:https://rp.example/client']),
  'san-injected-uri': withAltNames(['uri', 'https://evil.example/, URI:https://rp.example/client']),
  'san-injected-quote': withAltNames(['uri', 'https://evil.example/", URI:"https://rp.example/client']),
  'san-uri-as-dns': withAltNames(['dns', 'https://rp.example/client']),
  'san-ip-as-dns': withAltNames(['dns', '192.0.2.7']),
  'san-ip-mapped': withAltNames(['ip', '0:0:0:0:0:ffff:c000:207']),
  'san-email-in-dn': issued([
    ['CN', 'x'],
    ['emailAddress', 'ops@rp.example']
  ]),
  'san-directory': withAltNames(['directory', bank]),
  svid: issued(
    [
      ['C', 'US'],
      ['O', 'SPIRE']
    ],
    { issuer: 'spiffe-ca', altNames: [['uri', 'spiffe://example.org/client/one']] }
  ),
  'svid-two-uris': issued([['O', 'SPIRE']], {
    issuer: 'spiffe-ca',
    altNames: [
      ['uri', 'spiffe://example.org/client/one'],
      ['uri', 'spiffe://example.org/client/two']
    ]
  })
}

const ownSignatures: Record<string, Recipe> = {
  'self-bank': selfSigned(),
  'self-bank-ca': selfSigned({ ca: true }),
  'self-bank-rsa': selfSigned({ key: 'rsa2048' }),
  'self-bank-ed25519': selfSigned({ key: 'ed25519' }),
  'self-bank-p521': selfSigned({ key: 'p521' }),
  'self-bank-same-key': selfSigned({ sharesKeyOf: 'self-bank' }),
  'self-bank-new-key': selfSigned(),
  'self-bank-expired': selfSigned({ valid: past }),
  'self-bank-future': selfSigned({ valid: future }),
  'self-bank-rsa1024': selfSigned({ key: 'rsa1024' }),
  'self-bank-k256': selfSigned({ key: 'secp256k1' }),
  'self-bank-sha1': selfSigned({ key: 'rsa2048', sha1: true }),
  'self-bank-v1': selfSigned({ version1: true }),
  'self-attacker': selfSigned(),
  'self-organisation': selfSigned({ subject: [['O', 'Shop AG']] }),
  'self-nameless': selfSigned({ subject: [] })
}

export const recipes: Readonly<Record<string, Recipe>> = {
  ...authorities,
  ...Object.fromEntries(links),
  ...leaves,
  ...Object.fromEntries(Object.entries(subjects).map(([name, subject]) => [name, issued(subject)])),
  'dn-empty': issued([], { altNames: bankDns, altNamesCritical: true }),
  ...altNames,
  ...ownSignatures
}

/** Revocation lists, all of `ca`. */
export const revocationLists: Readonly<Record<string, { valid: [string, string]; revoked: string[] }>> = {
  ca: { valid: ['2024-01-01', '2049-01-01'], revoked: ['bank-revoked'] },
  'ca-ended': { valid: past, revoked: [] }
}
