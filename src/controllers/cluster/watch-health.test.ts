import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { ProcessLease, Queue } from '#ports/queue.ts'
import type { TenantClusterProbe } from '#ports/tenant-cluster.ts'
import { SteppedClock } from '#test/harness/stepped-clock.ts'
import { watchHealth } from './watch-health.ts'

const SECOND = 1_000
const healthy: TenantClusterProbe = { ready: true, says: 'ok', scheduler: true, controllerManager: true, defaultServiceAccount: true, baseApplied: true, dns: { available: 1, wanted: 1, schedulableNodes: 1 } }

test('a healthy cluster is probed on and on, and its controller is called only when the answer changes', async () => {
  const clock = new SteppedClock()
  let answer: () => Promise<TenantClusterProbe> = async () => healthy
  let probes = 0
  const called: string[] = []
  const lease: ProcessLease = { name: 'p', epoch: 1, lost: new AbortController().signal, release: async () => undefined }
  const queue = { claimWatch: async () => 1, releaseWatch: async () => undefined, enqueue: async (key: { id: string }) => void called.push(key.id) } as unknown as Queue
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
  const cluster = { id: 'c1', facts: { firstReadyAt: 1, obstacles: [], unpaid: false, controlPlane: 'usable' } } as unknown as ClusterRecord
  const stop = new AbortController()
  const watches = watchHealth('local-1', {
    queue, clock, log, lease: () => lease, everyMs: 15 * SECOND,
    store: { clustersOfRegion: async () => [cluster] },
    tenantAddressOf: async () => ({ clusterId: 'c1', address: '10.0.0.2', pki: {} as never }),
    tenant: { probe: async () => { probes++; return answer() } },
  }, stop.signal)

  const pass = async (ms: number) => { 
    for (let done = 0; done < ms; done += SECOND) {
      clock.moveTo(clock.now() + SECOND)
      await new Promise(resolve => setImmediate(resolve)) // what was woken runs
    }
  }
  await pass(5 * 60 * SECOND)
  assert.ok(probes >= 19, `${probes} probes in five minutes`)
  assert.deepEqual(called, ['c1'], 'the first answer is looked at once, the same ones are not')

  answer = async () => ({ ...healthy, scheduler: false })
  await pass(20 * SECOND)
  assert.equal(called.length, 2, 'a lost scheduler')
  answer = async () => { throw new Error('no answer in time') }
  await pass(60 * SECOND)
  assert.equal(called.length, 3, 'a server that hangs, once')
  answer = async () => healthy
  await pass(20 * SECOND)
  assert.equal(called.length, 4, 'and its return')

  stop.abort()
  await watches.done
})
