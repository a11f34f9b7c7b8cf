// The SQLite store, whatever the system clock does, and when its process dies at the worst moment.
import Libsql from 'libsql'
import { createSqliteReplayStore, type ReplayEntry, type SqliteDatabase } from '../../../lib'

const start = 1_800_000_000
/** The system clock is set. */
const at = (second: number) => {
  jest.setSystemTime((start + second) * 1000)
}
const entry = (id: string, end: number) => ({ clientId: 'client', id, expiresAt: start + end })

const open = () => new Libsql(':memory:') as unknown as SqliteDatabase
const createStore = (database: SqliteDatabase) =>
  createSqliteReplayStore({ database }) as { consume(entry: ReplayEntry): boolean }
const ends = (database: SqliteDatabase) => {
  const query = database.prepare("SELECT expires_at FROM oauth_client_auth_replay WHERE key <> ''")
  return (query as unknown as { all(): { expires_at: number }[] }).all().map(({ expires_at: end }) => end)
}

/** Enough uses for several sweeps. */
function useOthers(store: { consume(entry: ReplayEntry): boolean }, count = 100): void {
  for (let i = 0; i < count; i++)
    store.consume({ clientId: 'other', id: `${Date.now()} ${i}`, expiresAt: Date.now() / 1000 + 60 })
}

beforeEach(() => jest.useFakeTimers({ now: start * 1000 }))
afterEach(() => jest.useRealTimers())

// Threat 25: a clock that steps ahead and back, with the SQLite store
it.each([
  ['ten minutes ahead and back', [600, 0]],
  ['two days ahead and back', [172_800, 0]],
  ['ten years ahead and back by steps', [315_360_000, 86_400, 3600, 0]],
  ['back and forth', [-3600, 3600, -86_400, 172_800, 0]]
])('%s: what has been used does not pass again', (_name, steps) => {
  const store = createStore(open())
  useOthers(store, 40)
  const used = entry('used', 30)
  expect(store.consume(used)).toBe(true)
  for (const step of steps) {
    at(step)
    useOthers(store)
    expect(store.consume(used)).toBe(false)
  }
})

it('a leap ahead of less than an hour deletes nothing, so that nothing new is refused after it', () => {
  const store = createStore(open())
  useOthers(store, 40)
  at(3600)
  useOthers(store)
  at(1)
  expect(store.consume(entry('short', 10))).toBe(true)
})

it('expired rows are deleted by use, faster than they come', () => {
  const database = open()
  const store = createStore(database)
  useOthers(store, 1000)
  at(3600 + 61)
  useOthers(store, 1000)
  expect(ends(database).filter((end) => end < start + 3600).length).toBeLessThan(16)
})

it('a sweep deletes what has expired, and nothing else', () => {
  const store = createStore(open())
  useOthers(store, 20)
  const alive = entry('alive', 3700)
  expect(store.consume(alive)).toBe(true)
  at(3661)
  useOthers(store, 16)
  expect(store.consume(alive)).toBe(false)
})

it('if the process dies between the note and the deletion, nothing passes twice, and the next sweep deletes', () => {
  const database = open()
  const dying: SqliteDatabase = {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      if (!sql.includes('DELETE')) return database.prepare(sql)
      return {
        run: () => {
          throw new Error('killed')
        }
      }
    }
  }
  const first = createStore(dying)
  useOthers(first, 100)
  const used = entry('used', 60)
  expect(first.consume(used)).toBe(true)
  at(7200)
  useOthers(first, 16)
  expect(ends(database)).toHaveLength(117)
  const second = createStore(database)
  useOthers(second, 160)
  expect(ends(database).filter((end) => end < start + 3600).length).toBeLessThan(16)
  at(0)
  expect(second.consume(used)).toBe(false)
})

it.each([
  ['answers by promises', { exec: () => Promise.resolve(), prepare: () => Promise.resolve({}) }, 'answers by promises'],
  ['tells no changes', { exec: () => 0, prepare: () => ({ run: () => ({}) }) }, 'must tell how many rows']
])('a database that %s is refused, and lets nothing in', (_name, database, message) => {
  const use = () => createStore(database as unknown as SqliteDatabase).consume(entry('a', 60))
  expect(use).toThrow(message)
})
