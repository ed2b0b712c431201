import { machineEntry } from '#model/node/claim.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { Transaction } from '#ports/store.ts'
import type { NodePorts } from './ports.ts'

const OPERATIONS = { call: 'DeleteEdgeNodes', pool: 'DeleteNodePool', cluster: 'DeleteCluster', scaling: undefined } as const

/**
 * The end of a node, in one transaction: the record goes, the machine's secret stays as a tombstone, so that the machine gets the explicit answer
 * `removed` whenever it asks and its name stays reserved until then; pool and cluster look again.
 */
export async function forgetNode(record: NodeRecord, why: 'left' | 'clusterGoes' | 'apiAway', ports: NodePorts): Promise<void> {
  const { store } = ports
  const now = ports.regionOf(record.region).clock.now()
  const secrets = (await store.machineSecretsOf(record.clusterId)).filter(secret => secret.nodeId === record.id && secret.state === 'member')
  await store.write(now, async tx => {
    const locked = await tx.lockNode(record.id)
    if (!locked) return
    for (const secret of secrets) await tx.putMachineSecret({ ...secret, state: 'removed', changedAt: now })
    const operation = locked.facts.deletion?.action ?? OPERATIONS[locked.facts.deletion?.by ?? 'cluster']
    const kept = await keepMachine(tx, locked, now)
    const text = `${goneText(why, locked.facts.deletion?.done ?? [])}${locked.spec.machine === undefined ? '' : kept ? '; its machine is kept' : '; its machine is gone'}`
    await tx.forget({ kind: 'Node', id: record.id }, {
      evidence: [{ observer: 'node controller', source: `Node/${record.spec.name}`, observedAt: now, fact: `${text}.` }],
      ...operation !== undefined && { operation },
      text,
    })
    await tx.enqueue({ kind: 'node-pool', id: record.nodePoolId, region: record.region })
    await tx.enqueue({ kind: 'cluster', id: record.clusterId, region: record.region })
  })
}

/** A machine that its pool had made and nobody asks to go, or nobody any more, stays, in the ledger and as its account's own, and costs what it costs. Answers whether there is one. */
async function keepMachine(tx: Transaction, { spec, facts }: NodeRecord, now: number): Promise<boolean> {
  const machine = spec.machine === undefined ? undefined : await tx.lockMachine(spec.machine)
  if (!machine?.ownedBy) return false
  const operation = facts.deletion?.action ?? OPERATIONS[facts.deletion?.by ?? 'cluster'] ?? 'the deletion of its node'
  await tx.putLedger({ ...machineEntry({ ...machine, ownedBy: machine.ownedBy }, 'Retained', now, { because: `${operation} did not ask for its machine to go; RemoveMachine removes it`, power: machine.power }), owner: { kind: 'Machine', id: machine.id, name: machine.name } })
  await tx.changeMachine(machine.id, { ownedBy: null, firstBoot: null, obstacle: null, deletionRequestedAt: null })
  return true
}

/** A sentence without its full stop. */
export function goneText(why: 'left' | 'clusterGoes' | 'apiAway', done: readonly string[]): string {
  const steps = done.join(', ')
  switch (why) {
    case 'left': return steps === '' ? 'There was nothing to take off' : `${steps.charAt(0).toUpperCase()}${steps.slice(1)}`
    case 'clusterGoes': return `It goes with its cluster${steps === '' ? '' : `; done before: ${steps}`}`
    case 'apiAway': return `The API of its cluster gave no answer for a minute; its Node object is taken off when it does${steps === '' ? '' : `; done before: ${steps}`}`
  }
}
