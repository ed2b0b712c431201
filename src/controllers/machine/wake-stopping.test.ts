import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeFacts } from '#model/node/record.ts'
import type { OrderedMachine } from './ordered-machine.ts'
import type { MachinePorts } from './ports.ts'
import { wakeStopping } from './wake-stopping.ts'

const stopping = { ordered: { power: 'off', since: 0 } } as NodeFacts
const nodes: Readonly<Record<string, NodeFacts>> = {
  runs: {} as NodeFacts, starts: { ordered: { power: 'on', since: 0 } } as NodeFacts, empties: { ordered: { power: 'off', since: 0, emptying: true } } as NodeFacts,
  leaves: { ...stopping, deletion: {} } as NodeFacts, stops: stopping, off: stopping, claimed: stopping,
}

test('of machines that are wanted on, none but those of nodes on their way off wake their nodes, and only theirs are read', async () => {
  const read: string[] = [], woken: string[] = []
  const store = {
    nodesById: (ids: readonly string[]) => Promise.resolve(ids.map(id => (read.push(id), { id, region: 'r1', facts: nodes[id] }))),
    write: (_now: number, work: (tx: object) => Promise<void>) => work({ enqueue: async ({ id }: { id: string }) => { woken.push(id) } }),
  }
  const ports = { store, regionOf: () => ({ clock: { now: () => 0 } }) } as unknown as MachinePorts
  const machines = Object.keys(nodes).map(nodeId => ({ power: nodeId === 'off' ? 'off' : 'on', ...nodeId !== 'claimed' && { machineId: 'i' }, ownedBy: { nodeId } }) as unknown as OrderedMachine)
  await wakeStopping(machines, ports)
  assert.deepEqual([read, woken], [['runs', 'starts', 'empties', 'leaves', 'stops'], ['stops']])
})
