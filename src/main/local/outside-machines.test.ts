import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeRecord } from '#model/node/record.ts'
import { routesThroughOverlay } from './outside-machines.ts'

const network = { hash: '1234abcd', bridge: 'eh1234abcd', cidr: '10.213.16.0/20', open: false, overlay: '10.216.0.0/20' }
const nodeAt = (address: string): NodeRecord => ({ spec: { name: address, address } }) as NodeRecord

test('the host leads into the overlay only to machines of the cluster that asks', async () => {
  const toOverlay: unknown[] = [], toHost: unknown[] = []
  const routes = routesThroughOverlay({
    host: { ensureRoutes: async (id, all) => void toHost.push([id, all]) }, network,
    overlay: { holds: address => address.startsWith('10.216.'), ensurePodRoutes: async (id, all) => void toOverlay.push([id, all]) },
    nodesOf: async () => [nodeAt('10.213.16.5'), nodeAt('10.216.0.2')],
  })
  await routes.ensureRoutes('c-shop', [
    { podCidr: '172.20.0.0/24', via: '10.213.16.5' }, { podCidr: '172.20.1.0/24', via: '10.216.0.2' },
    { podCidr: '172.20.2.0/24', via: '10.216.0.9' }, { podCidr: '172.20.3.0/24', via: '192.0.2.1' },
  ])
  assert.deepEqual(toOverlay, [['c-shop', [{ podCidr: '172.20.1.0/24', via: '10.216.0.2' }]]])
  assert.deepEqual(toHost, [['c-shop', [{ podCidr: '172.20.0.0/24', via: '10.213.16.5' }, { podCidr: '172.20.1.0/24', via: '10.213.16.1' }]]])
})
