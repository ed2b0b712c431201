import type { NodeRecord } from '#model/node/record.ts'
import { doneEvidence } from './evidence.ts'
import type { NodePorts } from './ports.ts'

/** The machine is asked to go, or asked anew after somebody asked for the node's removal again; its own controller takes it down and wakes the node. */
export async function askMachineGone(record: NodeRecord, ports: NodePorts): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  await ports.store.write(now, async tx => {
    const node = await tx.lockNode(record.id)
    if (!node?.facts.deletion || node.spec.machine === undefined) return
    if (await tx.lockMachine(node.spec.machine)) {
      await tx.changeMachine(node.spec.machine, { deletionRequestedAt: now, obstacle: null })
      await tx.enqueue({ kind: 'machine', id: node.spec.machine, region: record.region })
    }
    await tx.changeNode(node.id, { facts: { ...node.facts, deletion: { ...node.facts.deletion, machineAsked: true } } }, {
      evidence: [doneEvidence(node.spec.name, 'its machine was asked to go', now)],
    })
  })
}

/** The machine of a member that its pool switches off goes off, now that it is empty, or its pods are waited for no longer. An order that was taken back meanwhile is none. */
export async function stopEmptied(record: NodeRecord, ports: NodePorts): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  await ports.store.write(now, async tx => {
    const node = await tx.lockNode(record.id)
    if (!node?.facts.ordered?.emptying) return
    const { emptying: _over, ...ordered } = node.facts.ordered
    await tx.changeNode(node.id, { facts: { ...node.facts, ordered } }, { evidence: [doneEvidence(node.spec.name, 'its machine was asked to go off', now)] })
    if (node.spec.machine !== undefined && await tx.lockMachine(node.spec.machine)) {
      await tx.changeMachine(node.spec.machine, { power: 'off' })
      await tx.enqueue({ kind: 'machine', id: node.spec.machine, region: record.region })
    }
    await tx.enqueue({ kind: 'node', id: node.id, region: record.region })
  })
}

/** Switches the node's machine as arrears, or their end, ask for. */
export async function switchMachine(record: NodeRecord, power: 'on' | 'off', ports: NodePorts): Promise<void> {
  await ports.store.write(ports.regionOf(record.region).clock.now(), async tx => {
    const machine = record.spec.machine === undefined ? undefined : await tx.lockMachine(record.spec.machine)
    if (!machine || machine.power === power) return
    await tx.changeMachine(machine.id, { power })
    await tx.enqueue({ kind: 'machine', id: machine.id, region: record.region })
    await tx.enqueue({ kind: 'node', id: record.id, region: record.region })
  })
}
