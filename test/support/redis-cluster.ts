import type { RunningRedis } from './redis'
import Redis from 'ioredis'
import { freePort } from './ports'
import { startRedis } from './redis'

const NODES = 3
const SLOTS = 16_384

/** A Redis Cluster of the test's own, on 127.0.0.1. */
export interface RunningCluster {
  nodes: { host: string, port: number }[]
  stop(): Promise<void>
}

/** Starts three nodes that share the slots. Resolves when each of them knows all slots. */
export async function startRedisCluster(): Promise<RunningCluster> {
  const servers = await Promise.all(Array.from({ length: NODES }, startNode))
  const clients = servers.map(({ redis }) => new Redis(redis.url))
  const [first] = servers
  await Promise.all(clients.map(async (client, index) => {
    await client.cluster('ADDSLOTSRANGE', Math.ceil(SLOTS * index / NODES), Math.ceil(SLOTS * (index + 1) / NODES) - 1)
    await client.call('CONFIG', 'SET', 'cluster-announce-ip', '127.0.0.1')
    if (index > 0)
      await client.call('CLUSTER', 'MEET', '127.0.0.1', String(first!.redis.port), String(first!.busPort))
  }))
  while (!(await Promise.all(clients.map(isReady))).every(Boolean))
    await new Promise(resolve => setTimeout(resolve, 50))
  clients.forEach(client => client.disconnect())
  return {
    nodes: servers.map(({ redis: { port } }) => ({ host: '127.0.0.1', port })),
    async stop() {
      await Promise.all(servers.map(({ redis }) => redis.stop()))
    },
  }
}

/** The usual port of the bus is 10,000 above the other, which not every free port allows. */
async function startNode(): Promise<{ redis: RunningRedis, busPort: number }> {
  const busPort = await freePort()
  const redis = await startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '60000'] })
  return { redis, busPort }
}

async function isReady(client: Redis): Promise<boolean> {
  const info = await client.cluster('INFO')
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${NODES}`) && info.includes(`cluster_slots_assigned:${SLOTS}`)
}
