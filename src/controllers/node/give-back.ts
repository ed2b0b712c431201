import { balanceEvidence } from '#model/account/evidence.ts'
import { machineEntry } from '#model/node/claim.ts'
import { refusalEvidence, refusedOnceMore } from '#model/node-pool/refusal.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { withFacts } from '#model/with-facts.ts'
import type { NodePorts } from './ports.ts'

/**
 * A refused machine leaves no node behind: record and machine record go in one transaction, the claim waits in the ledger under the pool's name, and the pool says
 * by what it was refused and when it tries again.
 */
export async function giveBack(record: NodeRecord, ports: NodePorts): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  const account = await ports.store.findAccount(record)
  await ports.store.write(now, async tx => {
    await tx.lockCluster(record.clusterId)
    const pool = await tx.lockNodePool(record.nodePoolId)
    const node = await tx.lockNode(record.id)
    const machine = node?.spec.machine === undefined ? undefined : await tx.lockMachine(node.spec.machine)
    if (!pool || !node || !machine?.refused || machine.machineId !== undefined) return
    const { refused } = machine
    const evidence = [refusalEvidence(machine.name, refused), ...refused.as === 'Balance' ? [balanceEvidence(account, await tx.meterOf(record), { now })] : []]
    await tx.releaseAddress(record.region, machine.id)
    await tx.forgetMachine(machine.id)
    const { providerId: _gone, ...entry } = machineEntry({ ...machine, name: pool.spec.name, ownedBy: { nodePoolId: pool.id, clusterId: pool.clusterId } }, 'Intended', now, { because: `Its machine was refused, and the claim waits: ${refused.because}` })
    await tx.putLedger(entry)
    await tx.forget({ kind: 'Node', id: node.id }, { evidence, text: `The machine was refused: ${refused.because}` })
    const next = refusedOnceMore(pool.facts.refused, { ...refused, evidence }, now)
    await tx.changeNodePool(pool.id, { facts: withFacts(pool.facts, { refused: next }) }, { evidence })
    await tx.enqueue({ kind: 'node-pool', id: pool.id, region: record.region }, next.retryAt)
  })
}
