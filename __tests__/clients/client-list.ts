import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientAuthMethod } from '../../lib'

/** One client library, and how to run it. */
export interface RealClient {
  name: string
  /** Where it comes from: an npm package of this folder, or a Debian package. */
  npm?: string
  debian?: string
  /** Fails where the client is not installed, or what it is run by. */
  probe?: string[]
  command: string[]
  methods: ClientAuthMethod[]
  /** It refuses a token endpoint on plain http, or takes its own path from a base URL. */
  https?: true
  /** The same client object can be asked for a second token. */
  again?: true
}

const programs = join(__dirname, 'programs')
const program = (file: string) => join(programs, file)
const js = (npm: string, file: string, methods: ClientAuthMethod[], more: Partial<RealClient> = {}): RealClient => ({
  name: npm,
  npm,
  command: [process.execPath, program(file)],
  methods,
  ...more
})
// Debian's own python3, since its packages are installed for that one.
const python = (name: string, debian: string, file: string, module: string, methods: ClientAuthMethod[]) => ({
  name,
  debian,
  probe: ['/usr/bin/python3', '-c', `import ${module}`],
  command: ['/usr/bin/python3', program(file)],
  methods
})
const ruby = (name: string, debian: string, file: string, feature: string, methods: ClientAuthMethod[]) => ({
  name: `${name} (Ruby)`,
  debian,
  probe: ['/usr/bin/ruby', '-e', `require "${feature}"`],
  command: ['/usr/bin/ruby', program(file)],
  methods
})

const secrets: ClientAuthMethod[] = ['client_secret_basic', 'client_secret_post']
const all: ClientAuthMethod[] = [...secrets, 'client_secret_jwt', 'private_key_jwt']
const post: ClientAuthMethod = 'client_secret_post'
const goSource = program('oauth2.go')

export const realClients: RealClient[] = [
  js('openid-client', 'openid-client.mjs', all, { https: true, again: true }),
  js('openid-client-5', 'openid-client-5.mjs', all, { again: true, name: 'openid-client 5' }),
  js('oauth4webapi', 'oauth4webapi.mjs', all, { https: true, again: true }),
  js('simple-oauth2', 'simple-oauth2.mjs', secrets),
  js('passport-oauth2', 'passport-oauth2.mjs', [post]),
  js('google-auth-library', 'google-auth-library.mjs', secrets),
  js('auth0', 'auth0.mjs', [post, 'private_key_jwt'], { https: true }),
  js('@okta/okta-sdk-nodejs', 'okta-sdk-nodejs.mjs', ['private_key_jwt'], { https: true, again: true }),
  js('@azure/msal-node', 'msal-node.mjs', [post, 'private_key_jwt'], { https: true, again: true }),
  js('@modelcontextprotocol/sdk', 'mcp-sdk.mjs', [...secrets, 'private_key_jwt'], { again: true }),
  {
    name: 'curl',
    debian: 'curl',
    probe: ['curl', '--version'],
    command: [process.execPath, program('curl.mjs')],
    methods: secrets
  },
  python('PyJWT, sent by curl', 'python3-jwt', 'pyjwt.py', 'jwt, cryptography', [
    'client_secret_jwt',
    'private_key_jwt'
  ]),
  { ...python('Authlib', 'python3-authlib', 'authlib_session.py', 'authlib, requests', all), again: true },
  python(
    'requests-oauthlib',
    'python3-requests-oauthlib',
    'requests_oauthlib_session.py',
    'requests_oauthlib',
    secrets
  ),
  {
    ...python('msal (Python)', 'python3-msal', 'msal_python.py', 'msal', [post, 'private_key_jwt']),
    https: true,
    again: true
  },
  {
    name: 'golang.org/x/oauth2',
    debian: 'golang-golang-x-oauth2-dev',
    probe: ['sh', '-c', 'go version && test -d /usr/share/gocode/src/golang.org/x/oauth2'],
    command: ['go', 'run', goSource],
    methods: secrets
  },
  { ...ruby('rack-oauth2', 'ruby-rack-oauth2', 'rack_oauth2.rb', 'rack/oauth2', all), again: true },
  ruby('oauth2', 'ruby-oauth2', 'oauth2.rb', 'oauth2', secrets)
]

/** Here, or among the project's own packages, as Node looks for them. */
const packageFileOf = (npm: string): string | undefined =>
  [__dirname, join(__dirname, '../..')]
    .map((folder) => join(folder, 'node_modules', npm, 'package.json'))
    .find((file) => existsSync(file))

/** The version that is installed, or undefined. */
export function versionOf({ npm, debian, probe }: RealClient): string | undefined {
  if (npm !== undefined) {
    const file = packageFileOf(npm)
    return file && (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  }
  try {
    const [file = '', ...args] = probe ?? []
    execFileSync(file, args, { stdio: 'ignore' })
    return execFileSync('dpkg-query', ['-W', '-f', '${Version}', debian ?? ''], { encoding: 'utf8', stdio: 'pipe' })
  } catch {
    return undefined
  }
}
