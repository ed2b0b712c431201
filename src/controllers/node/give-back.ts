import { balanceEvidence } from '#model/account/evidence.ts'
import { machineEntry } from '#model/node/claim.ts'
import { mayBeLeft, refusalEvidence, refusedOnceMore } from '#model/node-pool/refusal.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { withFacts } from '#model/with-facts.ts'
import { supplyOf } from '#ports/machines.ts'
import { retryRefused } from '#ports/refused-pools.ts'
import { wakeSharers } from '#ports/sharing-pools.ts'
import type { MachineRecord } from '#ports/store.ts'
import type { NodePorts } from './ports.ts'

const PAGE = 100

/**
 * A refused machine leaves no node behind: record and machine record go in one transaction, the claim waits in the ledger under the pool's name, and the pool says
 * by what it was refused and when it tries again; a pool that is to go waits for none. What others gave back, or what was set otherwise or paid, between the asking and this was offered to nobody, as no pool said that it waits: it is tried for at once, after the
 * first refusal only.
 */
export async function giveBack(record: NodeRecord, ports: NodePorts): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  const account = await ports.store.findAccount(record)
  const first = await ports.store.write(now, async tx => {
    await tx.lockCluster(record.clusterId)
    const pool = await tx.lockNodePool(record.nodePoolId)
    const node = await tx.lockNode(record.id)
    const machine = node?.spec.machine === undefined ? undefined : await tx.lockMachine(node.spec.machine)
    if (!pool || !node || !machine?.refused || machine.machineId !== undefined) return undefined
    const { refused } = machine
    const evidence = [refusalEvidence(machine.name, refused), ...refused.as === 'Balance' ? [balanceEvidence(account, await tx.meterOf(record), { now })] : []]
    await tx.releaseAddress(record.region, machine.id)
    await tx.forgetMachine(machine.id)
    const waits = pool.facts.deletion === undefined
    const { providerId: _gone, ...entry } = machineEntry({ ...machine, name: pool.spec.name, ownedBy: { nodePoolId: pool.id, clusterId: pool.clusterId } }, waits ? 'Intended' : 'Released', now, { because: waits ? `Its machine was refused, and the claim waits: ${refused.because}` : `Its machine was refused: ${refused.because}` })
    await tx.putLedger(entry)
    await tx.forget({ kind: 'Node', id: node.id }, { evidence, text: `The machine was refused: ${refused.because}` })
    if (!waits) {
      await tx.enqueue({ kind: 'node-pool', id: pool.id, region: record.region })
      return undefined
    }
    const known = pool.facts.refused
    // A pool that makes its own machines asks for one only while it waits, so this one was refused together with those that it knows of, and says nothing new.
    const next = known && pool.spec.scaling ? known : refusedOnceMore(known, { ...refused, evidence }, now)
    await tx.changeNodePool(pool.id, { facts: withFacts(pool.facts, { refused: next }) }, { evidence })
    await tx.enqueue({ kind: 'node-pool', id: pool.id, region: record.region }, next.retryAt)
    // One that is on its way is counted on by the others, so each that does not come is news to them.
    await wakeSharers(tx, pool)
    return known || !pool.spec.scaling ? undefined : { pool, refused, machineId: machine.id }
  })
  if (first && await isOutdated(first, ports)) await ports.store.write(now, tx => retryRefused(tx, first.pool, now))
}

interface FirstRefusal {
  readonly pool: NodePoolRecord
  readonly refused: NonNullable<MachineRecord['refused']>
  readonly machineId: string
}

/** What stood in the way when the machine was asked for may have changed before its pool said that it waits: whoever changed it has passed the pool over. */
async function isOutdated(first: FirstRefusal, ports: NodePorts): Promise<boolean> {
  const { pool, refused } = first
  if (refused.as === 'Balance') return (await ports.store.findAccount(pool)).arrearsSince === undefined
  if (!mayBeLeft(refused)) return false
  const supply = await supplyOf(ports.regionOf(pool.region).machines)
  return supply !== refused.asked?.supply || await wasGivenBack(first, ports)
}

async function wasGivenBack({ pool: { accountId, region }, refused: { at, asked = { at } }, machineId }: FirstRefusal, { store }: NodePorts): Promise<boolean> {
  // Claims that waited and were let go are among them, and are no machines.
  for (let number = 1; ; number++) {
    const { items, totalCount } = await store.listLedger({ accountId, region }, { kinds: ['Machine'], states: ['Released'], since: asked.at }, { number, size: PAGE })
    if (items.some(({ providerId }) => providerId !== undefined && providerId !== machineId)) return true
    if (number * PAGE >= totalCount) return false
  }
}
