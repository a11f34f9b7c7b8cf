import * as ioredis6 from 'ioredis'
import * as ioredis5 from 'ioredis5'
import { GlideClient } from '@valkey/valkey-glide'
import * as iovalkey from 'iovalkey'
import * as redis4 from 'redis4'
import * as redis6 from 'redis'
import * as redis5 from 'redis5'
import { createRedisReplayStore, type ReplayEntry } from '../../lib'

const host = '127.0.0.1'

export interface Connection {
  store: { consume(entry: ReplayEntry): Promise<boolean> }
  close: () => void
}
export type Connect = (ports: number[], timeout?: number) => Promise<Connection>
type SendCommand = Parameters<typeof createRedisReplayStore>[0]['sendCommand']

const storeOver = (sendCommand: SendCommand, timeout = 2) =>
  createRedisReplayStore({ sendCommand, timeout }) as Connection['store']
const ignore = () => undefined

/** A store over each client that the documentation names, by the functions that it gives. */
export const singles: [string, Connect][] = [
  [
    'node-redis 4',
    async ([port = 0], timeout) => {
      const client = redis4.createClient({ socket: { host, port } }).on('error', ignore)
      await client.connect()
      return { store: storeOver((args) => client.sendCommand(args), timeout), close: () => void client.disconnect() }
    }
  ],
  [
    'iovalkey',
    async ([port = 0], timeout) => {
      const valkey = new iovalkey.Redis({ host, port, lazyConnect: true }).on('error', ignore)
      await valkey.connect()
      return { store: storeOver((args) => valkey.call(...args), timeout), close: valkey.disconnect.bind(valkey) }
    }
  ],
  [
    'Valkey GLIDE',
    async ([port = 0], timeout) => {
      // Its own limit is 250 ms, which a busy machine breaks. The store has a limit of its own.
      const glide = await GlideClient.createClient({ addresses: [{ host, port }], requestTimeout: 10_000 })
      return { store: storeOver((args) => glide.customCommand(args), timeout), close: glide.close.bind(glide) }
    }
  ],
  [
    'node-redis 5',
    async ([port = 0], timeout) => {
      const client = redis5.createClient({ socket: { host, port } }).on('error', ignore)
      await client.connect()
      return { store: storeOver((args) => client.sendCommand(args), timeout), close: client.destroy.bind(client) }
    }
  ],
  [
    'node-redis 6',
    async ([port = 0], timeout) => {
      const client = redis6.createClient({ socket: { host, port } }).on('error', ignore)
      await client.connect()
      return { store: storeOver((args) => client.sendCommand(args), timeout), close: client.destroy.bind(client) }
    }
  ],
  [
    'ioredis 5',
    async ([port = 0], timeout) => {
      const redis = new ioredis5.Redis({ host, port, lazyConnect: true }).on('error', ignore)
      await redis.connect()
      return { store: storeOver((args) => redis.call(...args), timeout), close: redis.disconnect.bind(redis) }
    }
  ],
  [
    'ioredis 6',
    async ([port = 0], timeout) => {
      const redis = new ioredis6.Redis({ host, port, lazyConnect: true }).on('error', ignore)
      await redis.connect()
      return { store: storeOver((args) => redis.call(...args), timeout), close: redis.disconnect.bind(redis) }
    }
  ]
]

const nodesAt = (ports: number[]) => ports.map((port) => ({ host, port }))
const rootNodesAt = (ports: number[]) => ports.map((port) => ({ socket: { host, port } }))

/** The same for clusters. */
export const clusters: [string, Connect][] = [
  [
    'node-redis 5, cluster',
    async (ports) => {
      const cluster = redis5.createCluster({ rootNodes: rootNodesAt(ports) }).on('error', ignore)
      await cluster.connect()
      const store = storeOver((args) => cluster.sendCommand(args[1], false, args))
      return { store, close: cluster.destroy.bind(cluster) }
    }
  ],
  [
    'node-redis 6, cluster',
    async (ports) => {
      const cluster = redis6.createCluster({ rootNodes: rootNodesAt(ports) }).on('error', ignore)
      await cluster.connect()
      const store = storeOver((args) => cluster.sendCommand(args[1], false, args))
      return { store, close: cluster.destroy.bind(cluster) }
    }
  ],
  [
    'ioredis 5, cluster',
    async (ports) => {
      const cluster = new ioredis5.Cluster(nodesAt(ports), { lazyConnect: true }).on('error', ignore)
      await cluster.connect()
      return { store: storeOver((args) => cluster.call(...args)), close: cluster.disconnect.bind(cluster) }
    }
  ],
  [
    'ioredis 6, cluster',
    async (ports) => {
      const cluster = new ioredis6.Cluster(nodesAt(ports), { lazyConnect: true }).on('error', ignore)
      await cluster.connect()
      return { store: storeOver((args) => cluster.call(...args)), close: cluster.disconnect.bind(cluster) }
    }
  ]
]
