import { withFacts } from '#model/with-facts.ts'
import type { NodeFacts } from '#model/node/record.ts'
import type { MachineSeen } from '#ports/machines.ts'
import { isOfOurStore } from '#ports/of-our-store.ts'
import { messageOf } from './message-of.ts'
import type { OrderedMachine } from './ordered-machine.ts'
import type { MachinePassPorts } from './ports.ts'
import { makeForOwner } from './take-down-lost.ts'

/** Asks for a machine that is there to be as it is ordered. Where its provider fails at switching it on or off, its node is told why, and its own passes forget that once the machine is as ordered. */
export async function beAsOrdered(record: OrderedMachine, ask: () => Promise<MachineSeen>, ports: MachinePassPorts, signal: AbortSignal): Promise<void> {
  try {
    await makeForOwner(record, ask, ports)
  } catch (error) {
    if (!signal.aborted && !isOfOurStore(error)) await noteNotSwitched(record, messageOf(error), ports)
    throw error
  }
}

/** Since when the same was answered: nothing is written for one try more. */
async function noteNotSwitched({ ownedBy: { nodeId }, name, power, region }: OrderedMachine, text: string, ports: MachinePassPorts): Promise<void> {
  const isNews = ({ power: seen, notSwitched }: NodeFacts) => seen !== undefined && !seen.removed && seen.state !== power && (notSwitched?.to !== power || notSwitched.text !== text)
  const node = nodeId === undefined ? undefined : await ports.store.findNode(nodeId)
  if (!node || !isNews(node.facts)) return
  const now = ports.regionOf(region).clock.now()
  await ports.store.write(now, async tx => {
    const locked = await tx.lockNode(node.id)
    if (!locked || !isNews(locked.facts)) return
    const since = locked.facts.notSwitched?.to === power ? locked.facts.notSwitched.since : now
    const evidence = { observer: 'machine controller', source: `machine ${name}`, observedAt: now, fact: `Switching it ${power} did not succeed: ${text}` }
    await tx.changeNode(node.id, { facts: withFacts(locked.facts, { notSwitched: { to: power, text, since, evidence } }) }, { evidence: [evidence] })
  })
}
