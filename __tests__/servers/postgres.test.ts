import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chownSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import type { OAuthClient } from '../../lib'
import { assertionForm, keyAssertion, makeKey, now } from '../support/assertions'
import { describeWith, end, freePort, freshDirectory } from '../support/own-servers'
import {
  copyLibrary,
  startServer,
  startServers,
  type CopiedLibrary,
  type ServerProcesses
} from '../support/server-processes'

jest.setTimeout(120_000)

const docs = readFileSync(join(__dirname, '../../docs/replay-stores.md'), 'utf8')
const postgresDocs = docs.slice(docs.indexOf('Postgres, from'))
const blocks = (language: string) =>
  [...postgresDocs.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, code = '']) => code)
const [createTable = '', cleanUp = ''] = blocks('sql')
const [storeModule = ''] = blocks('js')

/** Debian keeps the server's programs off the PATH. */
function findPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const directories = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(':')
  ]
  return directories.find((directory) => existsSync(join(directory, 'initdb')))
}
const programs = findPostgres()

/** Postgres refuses to run as root: then it runs as the user that Debian made for it. */
const asPostgres = process.getuid?.() === 0
const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))

const key = makeKey('ES256')
const client: OAuthClient = {
  client_id: 'mobile',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [key.jwk] }
}
const sign = (claims = {}) => keyAssertion(key, { clientId: 'mobile', claims })

describeWith('Postgres server', programs, 'REQUIRE_POSTGRES', () => {
  let library: CopiedLibrary
  let directory: string
  let postgres: ChildProcess
  let identity: { uid?: number; gid?: number }
  let start: Parameters<typeof startServer>[0]
  let four: ServerProcesses
  let onTestEnd = () => Promise.resolve()
  afterEach(() => onTestEnd())

  async function query(text: string): Promise<pg.QueryResult> {
    const connection = new pg.Client()
    connection.on('error', () => undefined)
    await connection.connect()
    try {
      return await connection.query(text)
    } finally {
      await connection.end()
    }
  }

  async function startPostgres(): Promise<void> {
    const options = ['-D', directory, '-k', directory, '-p', process.env.PGPORT ?? '', '-h', '127.0.0.1']
    postgres = spawn(join(programs ?? '', 'postgres'), options, { stdio: 'ignore', cwd: directory, ...identity })
    for (let attempt = 0; attempt < 200; attempt++) {
      if (await query('SELECT 1').then(Boolean, () => false)) return
      await wait(100)
    }
    throw new Error('postgres did not start')
  }

  beforeAll(async () => {
    directory = freshDirectory('postgres')
    identity = asPostgres ? { uid: idOf('-u'), gid: idOf('-g') } : {}
    if (identity.uid !== undefined && identity.gid !== undefined) chownSync(directory, identity.uid, identity.gid)
    const initdb = ['-D', directory, '-A', 'trust', '-U', 'postgres', '--no-sync']
    execFileSync(join(programs ?? '', 'initdb'), initdb, { stdio: 'ignore', cwd: directory, ...identity })
    // What node-postgres reads, here and in the server processes.
    const where = { PGHOST: '127.0.0.1', PGPORT: `${await freePort()}`, PGUSER: 'postgres', PGDATABASE: 'postgres' }
    Object.assign(process.env, where)
    await startPostgres()
    await query(createTable)
    library = copyLibrary()
    const modulePath = join(library.directory, 'postgres-store.mjs')
    writeFileSync(modulePath, storeModule)
    start = { library, client, store: ['module', modulePath] }
    four = await startServers(4, start)
  })
  afterAll(async () => {
    await four.end()
    // Immediate shutdown: it ends its own children too.
    await end(postgres, 'SIGQUIT')
    rmSync(directory, { recursive: true, force: true })
    library.remove()
  })

  it('takes ten lines', () => {
    const lines = storeModule.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('import'))
    expect(lines).toHaveLength(10 - 1)
  })

  it('accepts exactly one of 4 x 200 concurrent uses in server processes', async () => {
    for (const claims of [{}, { jti: undefined }]) {
      expect(await four.use(200, sign(claims))).toEqual({ 200: 1, 401: 799 })
    }
  })

  it.each([
    ['NUL', '\0'],
    ['a lone surrogate', '\ud800'],
    ['another one', '\ud801'],
    ['SQL', "'); DROP TABLE used_assertions; --"],
    ['8,000 characters', 'x'.repeat(8000)]
  ])('takes a strange jti once: %s', async (_case, jti) => {
    expect(await four.use(2, sign({ jti }))).toEqual({ 200: 1, 401: 7 })
  })

  it('forgets by its clean-up only what has expired for a minute', async () => {
    const rows = [-70, -50, 60].map(
      (seconds) => `('\\x${Buffer.from(`${seconds}`).toString('hex')}', to_timestamp(${now() + seconds}))`
    )
    await query(`TRUNCATE used_assertions; INSERT INTO used_assertions VALUES ${rows.join()}`)
    await query(cleanUp)
    const left = await query('SELECT key FROM used_assertions ORDER BY expires_at')
    expect(left.rows.map((row: { key: Buffer }) => row.key.toString())).toEqual(['-50', '60'])
  })

  it('refuses with 503 while the database is away, serves again when it is back, and has forgotten nothing', async () => {
    const { url, child } = await startServer(start)
    onTestEnd = () => end(child)
    const use = async (assertion = sign()) => {
      const began = performance.now()
      const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(assertionForm(assertion)) })
      await answer.arrayBuffer()
      return { status: answer.status, inTime: performance.now() - began < 4000 }
    }
    const used = sign({ exp: now() + 600 })
    expect((await use(used)).status).toBe(200)
    await end(postgres, 'SIGQUIT')
    const away = await Promise.all(Array.from({ length: 50 }, () => use()))
    expect(away).toEqual(away.map(() => ({ status: 503, inTime: true })))
    await startPostgres()
    expect((await use()).status).toBe(200)
    expect((await use(used)).status).toBe(401)
  })
})
