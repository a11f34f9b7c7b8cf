import { setTimeout } from 'node:timers/promises'
import { attempt } from '../basics/attempt'
import { checkOptions, isText, optionRule, type OptionRule, requireOptions } from '../basics/option-checks'
import { fixObject } from '../basics/option-fixes'
import type { ReplayEntry, ReplayStore } from '../types'
import { digest } from '../basics/digest'
import { warnIfOneOfSeveral } from './several-processes'

/** What the SQLite store uses of a database handle: `node:sqlite`, `better-sqlite3` and `libsql` fit. */
export interface SqliteDatabase {
  /** Runs statements that take no parameters. */
  exec(sql: string): unknown
  /** Prepares one statement. `changes` is how many rows its run has changed. */
  prepare(sql: string): { run(...parameters: (string | number)[]): { changes: number | bigint } }
}

/** Options of {@link createSqliteReplayStore}. */
export interface SqliteReplayStoreOptions {
  /**
   * Your own open handle: `new DatabaseSync(file)` of `node:sqlite` (Node 22.13 and newer), `new Database(file)` of
   * `better-sqlite3` or `libsql`. A file on a local disk: SQLite's locks do not hold on network file systems. With
   * `:memory:` each process has a store of its own.
   */
  database: SqliteDatabase
  /** The table, created if it is absent. Default `oauth_client_auth_replay`: letters, digits and `_`. */
  table?: string | undefined
}

/** Rows outlive their assertion by this, so that a clock that is ahead for a short time has nothing deleted. */
const marginSeconds = 3600
/** Every so many uses, up to two times this many expired rows are deleted: the table shrinks again after a burst. */
const batch = 16

/**
 * Remembers used assertions in SQLite (RFC 7523 §3 item 7), for the processes of one machine and across restarts. It
 * creates its table, switches the file to WAL and sets `busy_timeout` to 0. A use is one `INSERT … ON CONFLICT DO NOTHING`.
 * It blocks the event loop while it writes, and not while it waits for the lock of another connection, up to 2 s.
 * `consume` throws what the database throws (busy, disk full), and the request is refused with 503.
 *
 * Give it a handle of its own. Inside of a transaction that is open on its handle a use is refused with 503, since a
 * rollback would forget it.
 *
 * An assertion passes once, whatever the system clock does. Rows are kept for an hour beyond their assertion. Before
 * some are deleted, 32 at a time by every 16th use, the latest end among them is written down, and nothing that ends as
 * early is accepted any more.
 *
 * @throws TypeError on unknown, missing or unfit options
 *
 * @example
 * const database = new DatabaseSync('/var/lib/as/replay.db') // from node:sqlite
 * const replayStore = createSqliteReplayStore({ database })
 */
export function createSqliteReplayStore(options: SqliteReplayStoreOptions): ReplayStore {
  refuseHandle(options)
  const rules = { database: isDatabase, table: isTable }
  checkOptions('createSqliteReplayStore', options, rules, usage)
  requireOptions('createSqliteReplayStore', options, rules, 'database')
  const { database, table = 'oauth_client_auth_replay' } = options
  refuseTransaction(database)
  database.exec(`PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS ${table} (key TEXT PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS ${table}_expires_at ON ${table} (expires_at);
    PRAGMA busy_timeout = 0`) // from here on, whoever finds it locked waits without holding the event loop
  // The row with the empty key holds the latest end of all rows that were deleted. No digest is empty.
  const deletedUntil = `coalesce((SELECT expires_at FROM ${table} WHERE key = ''), 0)`
  const expired = (limit: string) =>
    `FROM ${table} WHERE key <> '' AND expires_at <= ? ORDER BY expires_at LIMIT ${limit}`
  const insert = database.prepare(
    `INSERT INTO ${table} SELECT ?, ? WHERE ? > ${deletedUntil} ON CONFLICT (key) DO NOTHING`
  )
  const noteDeletion = database.prepare(
    `INSERT INTO ${table} SELECT '', expires_at ${expired(`1 OFFSET ${batch - 1}`)}
      ON CONFLICT (key) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`
  )
  const deleteNoted = database.prepare(
    `DELETE FROM ${table} WHERE key IN (SELECT key ${expired(String(batch * 2)).replace('?', deletedUntil)})`
  )
  if (typeof (insert as { run: unknown }).run !== 'function') {
    throw new TypeError(
      `createSqliteReplayStore: option "database" must be ${isDatabase.must}; this one answers by promises`
    )
  }
  const isInMemory = fileOf(database) === ''
  let uses = 0

  function use({ clientId, id, expiresAt }: ReplayEntry): boolean {
    const nowSeconds = Date.now() / 1000
    if (!(expiresAt > nowSeconds)) return false
    refuseTransaction(database)
    if (isInMemory) warnIfOneOfSeveral()
    const { changes } = insert.run(digest(clientId, id), expiresAt, expiresAt)
    // The assertion is written down already: a sweep that fails (busy) must not refuse its request. The next one does it.
    if (uses++ % batch === 0) attempt(() => sweep(nowSeconds - marginSeconds))
    if (Number(changes) === 1 || Number(changes) === 0) return Number(changes) === 1
    throw new TypeError('createSqliteReplayStore: run() of a prepared statement must tell how many rows it changed')
  }

  /** Only rows up to the noted end are deleted, so a process that dies between the two has forgotten nothing. */
  function sweep(before: number): void {
    if (Number(noteDeletion.run(before).changes) > 0) deleteNoted.run()
  }

  return {
    consume: (entry) => {
      try {
        return use(entry)
      } catch (error) {
        if (!isLocked(error)) throw error
        return useWhenFree(() => use(entry))
      }
    }
  }
}

/** Milliseconds that a use waits for the lock of another connection. */
const longestWait = 2000

/** SQLite's SQLITE_BUSY, as each of the packages tells it. */
const isLocked = (error: unknown): boolean => {
  const { code, errcode } = Object(error) as { code?: unknown; errcode?: unknown }
  return (Number(errcode) & 0xff) === 5 || String(code).startsWith('SQLITE_BUSY')
}

/** Tries again and again, in between of which the event loop is free. Rejects with the last error. */
async function useWhenFree(use: () => boolean): Promise<boolean> {
  for (let waited = 0, pause = 1; ; waited += pause, pause = Math.min(pause * 2, 50)) {
    await setTimeout(pause)
    try {
      return use()
    } catch (error) {
      if (!isLocked(error) || waited >= longestWait) throw error
    }
  }
}

/** SQLite begins no transaction within another one. node:sqlite does not tell before Node 22.16. */
function isInTransaction(database: SqliteDatabase & { isTransaction?: boolean; inTransaction?: boolean }): boolean {
  const told = database.isTransaction ?? database.inTransaction
  if (told !== undefined) return told
  return attempt(() => [database.exec('BEGIN'), database.exec('ROLLBACK')]) === undefined
}

/** The file of a database; empty for one in memory, and `undefined` where the handle does not tell. */
function fileOf(database: SqliteDatabase): string | undefined {
  return attempt(() => (database.prepare('PRAGMA database_list') as unknown as { get(): { file: string } }).get().file)
}

function refuseTransaction(database: SqliteDatabase): void {
  if (!isInTransaction(database)) return
  throw new Error(
    'createSqliteReplayStore: the application has a transaction open on this handle, and its rollback would forget the use: give the store a handle of its own'
  )
}

const isTable = optionRule(
  'a name of letters, digits and _ that begins with a letter or _',
  (value) => isText.test(value) && /^[a-z_]\w{0,62}$/i.test(String(value))
)

/** The callback package `sqlite3` has both methods too, but answers later; its `serialize` tells. */
const isDatabase: OptionRule = {
  ...optionRule(
    'an open handle of node:sqlite, better-sqlite3 or libsql; the package sqlite3 answers by callback and does not fit',
    (value) => {
      if (typeof value !== 'object' || value === null) return false
      const { exec, prepare, serialize, parallelize, open, isOpen } = value as Record<string, unknown>
      if (open === false || isOpen === false) return false
      const isCallback = typeof serialize === 'function' && typeof parallelize === 'function'
      return typeof exec === 'function' && typeof prepare === 'function' && !isCallback
    }
  ),
  fix: fixObject('database: new DatabaseSync(file)')
}

const usage = 'createSqliteReplayStore({ database: new DatabaseSync(file) })'

/** A handle that stands for the options: its own methods would only be called unknown options. */
function refuseHandle(options: object | null | undefined): void {
  const { prepare } = Object(options) as { prepare?: unknown }
  if (typeof prepare !== 'function') return
  throw new TypeError('createSqliteReplayStore: give the handle as an option: createSqliteReplayStore({ database })')
}
