// The SQLite store over libsql, and over node:sqlite where the Node that runs the tests has it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { createClientAuthenticator, createSqliteReplayStore, type SqliteDatabase } from '../../../lib'
import { assertionForm, issuer, keyAssertion, makeKey } from '../../support/assertions'
import { copyLibrary, withServers, type CopiedLibrary } from '../../support/server-processes'
import { killAndRestart } from '../../support/sqlite-uses'

jest.setTimeout(120_000)

let folder = ''
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'sqlite-'))))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let files = 0
const newFile = () => join(folder, `${files++}.db`)
const open = (file = newFile()) => new Libsql(file) as unknown as SqliteDatabase & { close(): void }
const createStore = (database: SqliteDatabase) =>
  createSqliteReplayStore({ database }) as { consume(entry: object): boolean }
const now = () => Math.floor(Date.now() / 1000)
const entry = (id: string, clientId = 'client', expiresAt = now() + 60) => ({ clientId, id, expiresAt })
const key = makeKey('ES256')
const client = { client_id: 'c', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } }
const sign = () => keyAssertion(key, { clientId: 'c', claims: {} })

describe('createSqliteReplayStore', () => {
  it('takes an entry once, for each client, whatever the id holds', () => {
    const store = createStore(open())
    for (const id of ['a', '', '\0', '\ud800', '\ud801', `${'x'.repeat(12_000)}1`, `${'x'.repeat(12_000)}2`, "'; --"]) {
      expect(store.consume(entry(id))).toBe(true)
      expect(store.consume(entry(id))).toBe(false)
      expect(store.consume(entry(id, 'other'))).toBe(true)
    }
  })

  it.each([0, -1, NaN, -Infinity])('refuses what has expired, and writes nothing: %d', (end) => {
    const database = open()
    expect(createStore(database).consume(entry('a', 'client', now() + end))).toBe(false)
    expect(new Set(rows(database))).toEqual(new Set())
  })

  const rows = (database: SqliteDatabase) =>
    (
      database.prepare('SELECT expires_at FROM oauth_client_auth_replay') as unknown as {
        all(): { expires_at: number }[]
      }
    )
      .all()
      .map((row) => row.expires_at)

  it('remembers across a restart', () => {
    const file = newFile()
    const first = open(file)
    expect(createStore(first).consume(entry('a'))).toBe(true)
    first.close()
    expect(createStore(open(file)).consume(entry('a'))).toBe(false)
  })

  it('a clock that steps lets nothing pass twice, and older rows are deleted by use', () => {
    jest.useFakeTimers({ now: 1_800_000_000_000 })
    try {
      const database = open()
      const store = createStore(database)
      const used = entry('used')
      for (let i = 0; i < 100; i++) store.consume(entry(`${i}`))
      expect(store.consume(used)).toBe(true)
      jest.setSystemTime(1_800_000_000_000 + 86_000_000)
      for (let i = 0; i < 100; i++) store.consume(entry(`ahead ${i}`))
      jest.setSystemTime(1_800_000_000_000)
      expect(store.consume(used)).toBe(false)
      jest.setSystemTime(1_800_000_000_000 + 200_000_000)
      for (let i = 0; i < 200; i++) store.consume(entry(`later ${i}`))
      expect(rows(database).length).toBeLessThan(200 + 17) // a batch of 16 that is not full, and the note of what was deleted
    } finally {
      jest.useRealTimers()
    }
  })

  it('a closed handle is refused, and the option named', () => {
    const database = open()
    database.close()
    expect(() => createStore(database)).toThrow(/^createSqliteReplayStore: option "database" must be an open handle/)
  })

  it('a database that is locked for too long is answered with 503, and serves again afterwards', async () => {
    const file = newFile()
    const database = open(file)
    const authenticate = createClientAuthenticator({
      issuer,
      getClient: () => client,
      replayStore: createSqliteReplayStore({ database })
    })
    const other = open(file)
    other.exec('BEGIN IMMEDIATE')
    const attempt = () => authenticate({ headers: {}, body: assertionForm(sign()) })
    await expect(attempt()).rejects.toMatchObject({ reason: 'replay_store_unavailable', status: 503 })
    other.exec('COMMIT')
    await expect(attempt()).resolves.toMatchObject({ clientId: 'c' })
  })

  // Threat 41: a lock of another connection that holds the event loop for two seconds
  it('while another connection holds the lock, the event loop is free; a use waits for it', async () => {
    const file = newFile()
    const store = createSqliteReplayStore({ database: open(file) })
    const other = open(file)
    other.exec('BEGIN IMMEDIATE')
    const began = performance.eventLoopUtilization()
    const uses = Array.from({ length: 20 }, (_, index) => store.consume(entry(`${index % 10}`)))
    let turns = 0
    const turning = setInterval(() => turns++, 1)
    await new Promise((done) => setTimeout(done, 300))
    clearInterval(turning)
    const { utilization } = performance.eventLoopUtilization(began)
    other.exec('COMMIT')
    const outcomes = await Promise.all(uses.map(async (isFirst) => isFirst))
    expect(outcomes.filter((isFirst) => isFirst)).toHaveLength(10)
    expect(turns).toBeGreaterThan(10)
    expect(utilization).toBeLessThan(1)
  })

  // Threat 40: a rollback of the application that lets a used assertion pass again
  it.each(['BEGIN', 'BEGIN IMMEDIATE', 'SAVEPOINT a'])(
    'inside of the application’s own %s a use is refused',
    async (begin) => {
      const database = open()
      const store = createStore(database)
      const authenticate = createClientAuthenticator({ issuer, getClient: () => client, replayStore: store })
      const body = assertionForm(sign())
      database.exec(begin)
      await expect(authenticate({ headers: {}, body })).rejects.toMatchObject({
        reason: 'replay_store_unavailable',
        status: 503,
        cause: expect.objectContaining({ message: expect.stringContaining('give the store a handle of its own') })
      })
      expect(() => createStore(database)).toThrow('has a transaction open on this handle')
      database.exec('ROLLBACK')
      await expect(authenticate({ headers: {}, body })).resolves.toMatchObject({ clientId: 'c' })
      await expect(authenticate({ headers: {}, body })).rejects.toMatchObject({ reason: 'assertion_replayed' })
    }
  )

  it('a handle that does not tell its transactions is asked by beginning one', () => {
    const real = open()
    const silent = { exec: (sql: string) => real.exec(sql), prepare: (sql: string) => real.prepare(sql) }
    const store = createStore(silent)
    expect(store.consume(entry('a'))).toBe(true)
    silent.exec('BEGIN')
    expect(() => store.consume(entry('b'))).toThrow('has a transaction open on this handle')
    silent.exec('ROLLBACK')
    expect([store.consume(entry('b')), store.consume(entry('b'))]).toEqual([true, false])
  })

  const nothing = (): unknown => null
  /** As the package `sqlite3` looks, which answers by callback. */
  const callbacks = { exec: nothing, prepare: nothing, serialize: nothing, parallelize: nothing }
  it.each([
    [{}, '"database" is required: it must be an open handle of node:sqlite, better-sqlite3 or libsql'],
    [{ database: 'file.db' }, '"database" must be an open handle of node:sqlite, better-sqlite3 or libsql'],
    [{ database: { exec: nothing } }, '"database" must be an open handle'],
    [{ database: callbacks }, 'the package sqlite3 answers by callback and does not fit'],
    [{ database: null }, '"database" must be an open handle'],
    [{ databse: {} }, 'did you mean "database"?'],
    [{ table: 'x; DROP TABLE y' }, '"table" must be a name of letters, digits and _'],
    [{ table: '' }, '"table" must be']
  ])('refuses options %j', (options, message) => {
    const create = () => createSqliteReplayStore(options as never)
    expect(create).toThrow(TypeError)
    expect(create).toThrow(message)
  })
})

describe('processes over one file', () => {
  let library: CopiedLibrary
  beforeAll(() => {
    library = copyLibrary()
  })
  afterAll(() => {
    library.remove()
  })

  it('accept exactly one of 4 x 200 concurrent uses', async () => {
    await withServers(4, { library, client, store: ['sqlite', newFile()] }, async (four) => {
      expect(await four.use(200, sign())).toEqual({ 200: 1, 401: 799 })
    })
  })

  // Threat 4: the same assertion on several processes over SQLite, and after a kill
  it('killed in the middle of load and started again: nothing passes twice', async () => {
    await killAndRestart(process.execPath, join(library.directory, 'index.js'), newFile())
  })
})
