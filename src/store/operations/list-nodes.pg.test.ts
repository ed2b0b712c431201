import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { Store } from '#ports/store.ts'
import type { NodeFilter, StatusFilter } from '#ports/store-filters.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, addNode, addNodePool, NEW_NODE, NOON, READY_NODE, SCOPE } from '#test/harness/sample-records.ts'
import type { OpenStore } from '../open.ts'
import { scratchPostgres, type ScratchPostgres } from '../testing/scratch-postgres.ts'

const FACTS = [NEW_NODE, READY_NODE, { ...READY_NODE, unschedulable: true }, { ...READY_NODE, creationEnded: { because: 'no room' } }]
const PHASES = ['Creating', 'Running', 'Failed', 'Gone'], CONDITIONS = ['Progressing', 'Ok', 'Unschedulable', 'NotReady', 'None']

const status: fc.Arbitrary<StatusFilter> = fc.record({ phase: fc.constantFrom(...PHASES), condition: fc.constantFrom(...CONDITIONS) }, { requiredKeys: [] })
const some = (...values: string[]) => fc.uniqueArray(fc.constantFrom(...values, 'nobody'), { minLength: 1, maxLength: 3 })
const MEMBERS = {
  ids: some('n-a1', 'n-b6', 'n-c11'), clusterIds: some('c-a', 'c-b'), nodePoolIds: some('p-a', 'p-c'), name: fc.constantFrom('', 'a', '1', 'b_', '%', 'A'), ips: some('10.0.0.1', '10.0.0.2'),
  instanceIds: some('m-a1', 'm-b6'), statuses: fc.array(status, { maxLength: 3 }), createClientToken: fc.constantFrom('t-1'),
}
/** More at once are mostly nobody's. */
const FILTERS: fc.Arbitrary<NodeFilter> = fc.subarray(Object.keys(MEMBERS) as (keyof typeof MEMBERS)[], { maxLength: 3 }).chain(names => fc.record(MEMBERS, { requiredKeys: names }).map(filter => Object.fromEntries(names.map(name => [name, filter[name]]))))

let postgres: ScratchPostgres, opened: OpenStore
const memory = new MemoryStore(() => NOON)
before(async () => {
  postgres = await scratchPostgres()
  opened = await postgres.openCopy()
  for (const store of [opened.store, memory]) await addFleet(store)
})
after(() => postgres.end())

async function addFleet(store: Store): Promise<void> {
  let number = 0
  for (const name of ['a', 'b', 'c']) await store.write(NOON + number, async tx => {
    const parents = { clusterId: await addCluster(tx, name), nodePoolId: '' }
    parents.nodePoolId = await addNodePool(tx, name, parents.clusterId)
    for (const facts of FACTS) {
      number += 1
      await addNode(tx, `${name}${number}`, parents, facts, SCOPE, { machineId: `m-${name}${number}`, address: `10.0.0.${number % 3}` })
    }
  })
}

test('whatever lists of nodes are asked, they find what the double finds, in its order and with its count', async () => {
  let matched = 0
  await fc.assert(fc.asyncProperty(FILTERS, fc.integer({ min: 1, max: 4 }), fc.constantFrom(1, 3, 20), async (filter, number, size) => {
    const [found, expected] = await Promise.all([opened.store, memory].map(store => store.listNodes(SCOPE, filter, { number, size })))
    assert.deepEqual(found, expected)
    matched += Number((found?.totalCount ?? 0) > 0)
  }), { numRuns: 400 })
  assert.ok(matched > 100, `${matched} of the questions had an answer`)
})
