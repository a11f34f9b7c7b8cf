import cluster from 'node:cluster'
import { warnOnce } from '../basics/warn-once'

/** PM2 sets these for every process it starts, in cluster mode and in fork mode. */
const isUnderPm2 = (): boolean => process.env.NODE_APP_INSTANCE !== undefined || process.env.pm_id !== undefined

/**
 * Warns, once in each process, that a memory store is used where other processes may answer the same requests. It is
 * called at the first use, not when a store is made: the default store of an application that replaces it stays silent.
 */
export function warnIfOneOfSeveral(): void {
  if (!(cluster.isWorker || isUnderPm2())) return
  warnOnce({
    type: 'SecurityWarning',
    code: 'OAUTH_CLIENT_AUTH_MEMORY_STORE',
    message:
      `oauth-client-auth: used assertions are remembered in the memory of this process, which runs under ${cluster.isWorker ? 'node:cluster' : 'PM2'}. ` +
      'Each of several processes would accept the same assertion once.',
    detail:
      'Pass the option replayStore: createSqliteReplayStore({ database }) over a file for one machine, ' +
      'createRedisReplayStore({ sendCommand }) for several (docs/replay-stores.md). If this is the only process, ' +
      'start Node with --disable-warning=OAUTH_CLIENT_AUTH_MEMORY_STORE.'
  })
}
