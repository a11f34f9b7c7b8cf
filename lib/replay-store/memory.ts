import { ClientAuthError } from '../errors'
import { checkOptions, isInteger } from '../option-checks'
import type { ReplayEntry, ReplayStore } from '../types'
import { digest } from './digest'

/** Options of `createMemoryReplayStore`. */
export interface MemoryReplayStoreOptions {
  /**
   * Most entries remembered at once, 1 to 16,000,000. Default 1,000,000: some 105 MB when full, 250 MB were
   * each of another client. When full, requests are refused (503) until entries expire: forgetting one
   * early would let its assertion in again.
   */
  maxEntries?: number | undefined
  /**
   * Most entries of one client, so that no client can fill the store and lock the others out.
   * Default a tenth of `maxEntries`.
   */
  maxEntriesPerClient?: number | undefined
}

/** What one client has in the memory store. */
interface Share {
  readonly key: string
  used: number
}

/**
 * Remembers used assertions in this process: enough for a server of one process, and for no other.
 * A second process does not know what this one has seen, and a restart forgets everything.
 * Never forgets an entry before it expires. No timers: expired entries are dropped on use.
 *
 * `consume` throws a `ClientAuthError` with reason `replay_store_full` when the store, or the client's
 * share of it, is full.
 *
 * @throws TypeError on unknown or unfit options
 */
export function createMemoryReplayStore(options: MemoryReplayStoreOptions = {}): ReplayStore {
  // 16 million: a Map holds at most 2^24 entries.
  const count = isInteger('a number of entries', 1, 16_000_000)
  checkOptions('createMemoryReplayStore', options, { maxEntries: count, maxEntriesPerClient: count })
  const { maxEntries = 1_000_000 } = options
  const { maxEntriesPerClient = Math.ceil(maxEntries / 10) } = options

  const entries = new Map<string, Share>()
  const shares = new Map<string, Share>()
  const keysByEnd = new Map<number, string[]>()
  let swept = 0

  function forget(second: number): void {
    for (const key of keysByEnd.get(second) ?? []) {
      const share = entries.get(key)
      entries.delete(key)
      if (share !== undefined && --share.used === 0) shares.delete(share.key)
    }
    keysByEnd.delete(second)
  }

  /** Each entry is dropped once, and a second passes once: O(1) per use in the long run. */
  function sweep(now: number): void {
    if (now - swept > keysByEnd.size) {
      for (const second of keysByEnd.keys()) if (second <= now) forget(second)
    } else {
      for (let second = swept + 1; second <= now; second++) forget(second)
    }
    swept = now
  }

  function makeRoom(clientId: string): Share {
    const key = digest(clientId) // a part of a longer string would keep all of it in memory
    const share = shares.get(key) ?? { key, used: 0 }
    if (entries.size >= maxEntries) throw full('maxEntries', maxEntries)
    if (share.used >= maxEntriesPerClient) throw full('maxEntriesPerClient', maxEntriesPerClient)
    shares.set(key, share)
    return share
  }

  function consume({ clientId, id, expiresAt }: ReplayEntry): boolean {
    const now = Math.floor(Date.now() / 1000)
    sweep(now)
    const end = Math.ceil(expiresAt)
    const key = digest(clientId, id)
    // One that has expired meanwhile may have been used and forgotten.
    if (!(end > now) || entries.has(key)) return false
    const share = makeRoom(clientId)
    share.used++
    entries.set(key, share)
    const keys = keysByEnd.get(end)
    if (keys === undefined) keysByEnd.set(end, [key])
    else keys.push(key)
    return true
  }

  return { consume, has: ({ clientId, id }) => entries.has(digest(clientId, id)) }
}

const full = (option: string, value: number): ClientAuthError =>
  new ClientAuthError('replay_store_full', {
    cause: new Error(`createMemoryReplayStore: ${option} (${value}) is reached`)
  })
