import type { OrderedMachine } from './ordered-machine.ts'
import type { MachinePorts } from './ports.ts'

/**
 * A machine that is wanted on and never went off changes by nothing, so nobody tells of it: its node, whose pool ordered it off in vain, hears of it from here. Nodes of other machines are not woken, since what changes is told of each. All are of one
 * region.
 */
export async function wakeStopping(records: readonly OrderedMachine[], ports: MachinePorts): Promise<void> {
  const wanted = records.flatMap(({ power, machineId, ownedBy: { nodeId } }) => (power === 'on' && machineId !== undefined && nodeId !== undefined ? [nodeId] : []))
  if (wanted.length === 0) return
  const stopping = (await ports.store.nodesById(wanted)).filter(({ facts: { deletion, ordered } }) => !deletion && ordered?.power === 'off' && !ordered.emptying)
  const [first] = stopping
  if (first) await ports.store.write(ports.regionOf(first.region).clock.now(), async tx => { for (const { id, region } of stopping) await tx.enqueue({ kind: 'node', id, region }) })
}
