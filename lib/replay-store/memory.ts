import { ClientAuthError } from '../refusals/errors'
import { checkOptions, isInteger } from '../basics/option-checks'
import type { ReplayEntry, ReplayStore } from '../types'
import { compactKey, copyOfKey } from './compact-key'
import { createCautiousClock } from './cautious-clock'
import { warnIfOneOfSeveral } from './several-processes'

/** Options of {@link createMemoryReplayStore}. */
export interface MemoryReplayStoreOptions {
  /**
   * Most entries remembered at once, 1 to 16,000,000. Default 1,000,000: about 100 MB when full, or 400 MB if every
   * entry is of another client. When the store is full, requests are refused (503) until entries expire. A larger
   * number costs memory; a smaller one refuses requests sooner. Neither lets an assertion pass twice.
   */
  maxEntries?: number | undefined
  /**
   * Most entries of one client, so that no client can fill the store and lock the others out.
   * Default a tenth of `maxEntries`. All clients from documents (`createClientDocuments`) together have at most half of
   * `maxEntries`, and those of one host a tenth of that half.
   */
  maxEntriesPerClient?: number | undefined
}

/** What {@link createMemoryReplayStore} returns. */
export interface MemoryReplayStore extends ReplayStore {
  /** How many entries are held now, for a gauge: at `maxEntries` requests are refused. Some may have expired already. */
  readonly size: number
}

/** What is remembered of one client. */
interface Share {
  readonly key: string
  readonly ids: Set<string>
  /** The clients that share one limit with this one. Absent for registered clients. */
  readonly group: Group | undefined
}

/** The clients that share a `group`, and how many entries they have together. */
interface Group {
  readonly name: string
  size: number
}

/** The entries that expire in one second: the share and the id of each, in turns in one list to save memory. */
type Bucket = (Share | string)[]

/**
 * Remembers used assertions in the memory of this process (RFC 7523 §3 item 7). It suits a server of one process:
 * another process does not know what this one has seen, and a restart forgets everything. Under `node:cluster` or PM2
 * the first use emits a process warning, `OAUTH_CLIENT_AUTH_MEMORY_STORE`.
 *
 * An assertion passes once, whatever the system clock does: entries are kept until they expire, and once an entry has
 * been dropped, nothing that expires as early as it did is accepted any more. There are no timers; expired entries are
 * dropped by later uses.
 *
 * `consume` throws a `ClientAuthError` with reason `replay_store_full` when the store, or the client's share of it, is
 * full.
 *
 * @throws TypeError on unknown or unfit options
 *
 * @example
 * const replayStore = createMemoryReplayStore({ maxEntries: 200_000 })
 * app.post('/token', clientAuth({ issuer, getClient, replayStore }), handler)
 */
export function createMemoryReplayStore(options: MemoryReplayStoreOptions = {}): MemoryReplayStore {
  // A Set holds at most 2^24 entries.
  const count = isInteger('a number of entries', 1, 16_000_000)
  checkOptions('createMemoryReplayStore', options, { maxEntries: count, maxEntriesPerClient: count })
  const { maxEntries = 1_000_000 } = options
  const { maxEntriesPerClient = Math.ceil(maxEntries / 10) } = options
  // Anybody can be a client from a document: neither registered clients nor one another may pay for it
  const maxGrouped = Math.ceil(maxEntries / 2)
  const maxPerGroup = Math.ceil(maxGrouped / 10)

  const shares = new Map<string, Share>()
  const groups = new Map<string, Group>()
  const buckets = new Map<number, Bucket>()
  const cautiousTime = createCautiousClock()
  let size = 0
  let grouped = 0
  // All in seconds since the epoch. No bucket is at or before `swept`; no entry that was dropped ended after `dropped`.
  let swept = 0
  let dropped = -Infinity
  let isFirst = true

  function drop(second: number): void {
    const bucket = buckets.get(second)
    if (bucket === undefined) return
    for (let index = 0; index < bucket.length; index += 2) {
      const { key, ids, group } = bucket[index] as Share
      ids.delete(bucket[index + 1] as string)
      if (ids.size === 0) shares.delete(key)
      if (group !== undefined) leave(group)
    }
    size -= bucket.length / 2
    buckets.delete(second)
    dropped = Math.max(dropped, second)
  }

  /** Drops what ends at or before `time`. Each entry is dropped once and each second passes once: O(1) per use. */
  function sweep(time: number): void {
    if (time <= swept) return
    if (time - swept > buckets.size) {
      for (const second of buckets.keys()) if (second <= time) drop(second)
    } else {
      for (let second = swept + 1; second <= time; second++) drop(second)
    }
    swept = time
  }

  function join(group: Group): void {
    if (group.size === 0) groups.set(group.name, group)
    group.size++
    grouped++
  }

  function leave(group: Group): void {
    group.size--
    grouped--
    if (group.size === 0) groups.delete(group.name)
  }

  function remember(share: Share, id: string, end: number): void {
    if (share.ids.size === 0) shares.set(share.key, share)
    if (share.group !== undefined) join(share.group)
    share.ids.add(id)
    size++
    const bucket = buckets.get(end)
    if (bucket === undefined) buckets.set(end, [share, id])
    else bucket.push(share, id)
  }

  function shareOf(clientId: string, name?: string): Share {
    const key = compactKey(clientId)
    const group = name === undefined ? undefined : (groups.get(name) ?? { name, size: 0 })
    return shares.get(key) ?? { key: copyOfKey(key), ids: new Set(), group }
  }

  /** What the time of one use does: drops what has surely ended. Returns the second that the system clock shows. */
  function start(): number {
    if (isFirst) warnIfOneOfSeveral()
    isFirst = false
    const time = Date.now() / 1000
    const now = Math.floor(time)
    swept = Math.min(swept, now) // a clock set back: the seconds since then come again
    sweep(Math.floor(cautiousTime(time)))
    return now
  }

  /** An entry that was dropped may have been this one: nothing that ends as early as a dropped one is new. */
  const isNew = ({ ids }: Share, id: string, end: number, now: number): boolean =>
    end > now && end > dropped && !ids.has(id)

  /** The limit that is reached. */
  const limitReached = ({ ids, group }: Share): [option: string, value: number] | undefined => {
    if (size >= maxEntries) return ['maxEntries', maxEntries]
    if (group !== undefined && grouped >= maxGrouped) return ['half of maxEntries for client documents', maxGrouped]
    if (group !== undefined && group.size >= maxPerGroup) return ['share of a host of client documents', maxPerGroup]
    return ids.size >= maxEntriesPerClient ? ['maxEntriesPerClient', maxEntriesPerClient] : undefined
  }

  /** If the room is needed, drops at once what the system clock says has ended. Returns whether it was needed. */
  function makeRoom(share: Share, now: number): boolean {
    if (limitReached(share) === undefined) return false
    sweep(now)
    const limit = limitReached(share)
    if (limit !== undefined) throw full(...limit)
    return true
  }

  function consume({ clientId, id, expiresAt, group }: ReplayEntry): boolean {
    const now = start()
    const end = Math.ceil(expiresAt)
    const key = copyOfKey(compactKey(id))
    const share = shareOf(clientId, group)
    if (!isNew(share, key, end, now)) return false
    if (makeRoom(share, now) && !isNew(share, key, end, now)) return false
    remember(share, key, end)
    return true
  }

  return {
    consume,
    has: ({ clientId, id }) => shareOf(clientId).ids.has(compactKey(id)),
    get size() {
      return size
    }
  }
}

const full = (option: string, value: number): ClientAuthError =>
  new ClientAuthError('replay_store_full', {
    cause: new Error(`createMemoryReplayStore: ${option} (${value}) is reached`)
  })
