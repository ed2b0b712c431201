import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { storeWith } from '#ports/store-with.ts'
import type { Store } from '#ports/store.ts'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

const REGION = 'ci-7'
/** More than the region's own work needs to run whatever is due. */
const LONG = 2_000

interface Told { readonly story: readonly string[]; /** Who wrote from the beginning of the call on until its answer. */ readonly writers: readonly ('call' | 'region')[] }

/** Pools wait for machines that the quota refuses, and it then leaves room for one. `isSlow`: each write of that call takes so long that whatever else can go on does. */
async function story(isSlow: boolean): Promise<Told> {
  const memory = new MemoryStore(() => Date.now()), ofCall = new AsyncLocalStorage<true>(), writers: ('call' | 'region')[] = []
  const write: Store['write'] = async (now, work, instants) => {
    const isCalls = ofCall.getStore() === true
    for (let turn = 0; isCalls && isSlow && turn < LONG; turn++) await new Promise(resolve => setImmediate(resolve))
    writers.push(isCalls ? 'call' : 'region')
    return memory.write(now, work, instants)
  }
  const server = await SimulatedServer.open({ store: storeWith(memory, () => ({ write })), queue: memory.queue, worldStore: new MemoryWorldStore() })
  try {
    const done = (action: string, body: object) => server.done(action, body, REGION)
    await server.done('CreateRegion', { Region: REGION, Seed: 7, Paused: true })
    await done('SetQuota', { Kind: 'Machine', Limit: 0 })
    const { Id: ClusterId } = await done('CreateCluster', {
      Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] }, PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] },
    })
    await done('SetClock', { Step: '60s' })
    for (const Name of ['one', 'two', 'three', 'four']) {
      await done('CreateEdgeNodePool', { ClusterId, Name, NodePoolType: 'edge-machine-pool', ElasticConfig: { CloudServerIdentity: 'ecs.g1', AutoScaleConfig: { Enabled: false, DesiredReplicas: 1, MinReplicas: 0, MaxReplicas: 2 } } })
    }
    // Between two of their own tries.
    await done('SetClock', { Step: '60s' })
    writers.length = 0
    await ofCall.run(true, () => done('SetQuota', { Kind: 'Machine', Limit: 1 }))
    const during = [...writers]
    await done('SetClock', { Step: '60s' })
    return { story: (await server.history(REGION)).map(row => `${row.At} ${row.Kind} ${row.Name} ${row.Id} ${row.Status?.Phase} ${row.Because}`), writers: during }
  } finally {
    await server.close()
  }
}

test('what a call sets off in a paused region begins when the call has done all that it does, however slow the database is', async () => {
  const fast = await story(false), slow = await story(true)
  assert.equal(fast.story.filter(line => / Node .* Running /.test(line)).length, 1, fast.story.join('\n'))
  assert.deepEqual(slow.story, fast.story)
  assert.match(slow.writers.join(' '), /^(call )+region( region)*$/, 'each of the pools is woken before one of them tries again')
})
