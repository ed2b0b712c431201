import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeSeen } from '#ports/tenant-cluster.ts'
import { RouteKeeper } from './routes.ts'

const node = (name: string, podCidr: string, internalIp: string): NodeSeen =>
  ({ name, uid: name, ready: undefined, unschedulable: false, podCidr, internalIp, labels: {}, taints: [], createdAt: 0, pressures: [] })

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

test('a Node object leads only to the pods of its own cluster, whatever range it names', async () => {
  const placed: (readonly { podCidr: string; via: string }[])[] = []
  const routes = new RouteKeeper({
    clusterId: 'c-shop', podCidrs: ['172.20.0.0/16', '10.40.0.0/20'], host: { ensureRoutes: async (_id, all) => void placed.push(all) },
    clock: { now: () => 0, sleep: async () => {} }, log: silent, signal: new AbortController().signal,
  })
  routes.all([
    node('everything', '0.0.0.0/1', '10.216.0.2'), node('neighbours', '172.21.3.0/24', '10.216.0.3'), node('wider', '172.20.0.0/15', '10.216.0.4'), node('six', 'fd00::/64', '10.216.0.5'),
    node('right', '172.20.3.0/24', '10.216.0.6'), node('other', '10.40.1.0/25', '10.216.0.7'),
  ])
  await new Promise(setImmediate)
  assert.deepEqual(placed, [[{ podCidr: '10.40.1.0/25', via: '10.216.0.7' }, { podCidr: '172.20.3.0/24', via: '10.216.0.6' }]])
  routes.one(node('right', '0.0.0.0/0', '10.216.0.6'))
  await new Promise(setImmediate)
  assert.deepEqual(placed[1], [{ podCidr: '10.40.1.0/25', via: '10.216.0.7' }])
})
