import { createHash } from 'node:crypto'
import { newId } from '#model/ids.ts'
import { claimOf, machineEntry, machineIdOf, nodeIdOf } from '#model/node/claim.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { MachineRecord, Transaction } from '#ports/store.ts'
import type { NodePoolPorts, NodePoolRegion } from './ports.ts'

/** Why a claim cannot even be made. */
export interface NoClaim {
  readonly as: 'LimitedByQuota' | 'ScalingFailed'
  readonly because: string
}

interface Prepared {
  readonly nodeId: string
  readonly address: string
  readonly tokenHash: string
  readonly firstBoot: string
}

const TOKEN_BYTES = 24

/** Claims machines: node, machine record, ledger row and token of each in this transaction. Answers how many, and what stood in the way of the others. */
export async function claimMachines(tx: Transaction, pool: NodePoolRecord, count: number, ports: NodePoolPorts): Promise<{ made: number; missing?: NoClaim }> {
  const region = ports.regionOf(pool.region), now = region.clock.now()
  for (let made = 0; made < count; made++) {
    const prepared = await prepare(tx, pool, region)
    if ('because' in prepared) return { made, missing: prepared }
    const { tokenHash, ...wish } = prepared
    const { node, machine, ledger } = claimOf({ ...wish, pool, now })
    await tx.insertNode(node, { evidence: [{ observer: 'node pool controller', source: `node pool ${pool.spec.name}`, observedAt: now, fact: `The pool claimed the machine ${machine.name}.` }] })
    await tx.insertMachine(machine)
    await tx.putLedger(ledger)
    await tx.putNodeToken({ tokenHash, nodeId: node.id, machineId: machine.id })
    await tx.enqueue({ kind: 'machine', id: machine.id, region: pool.region })
  }
  return { made: count }
}

/** One claim without a node, to find out whether machines are had again. The machine is not switched on before its node is there. Answers the machine's id. */
export async function tryOneClaim(tx: Transaction, pool: NodePoolRecord, ports: NodePoolPorts): Promise<string | NoClaim> {
  const region = ports.regionOf(pool.region), now = region.clock.now()
  const prepared = await prepare(tx, pool, region)
  if ('because' in prepared) return prepared
  const { tokenHash, ...wish } = prepared
  const { machine } = claimOf({ ...wish, pool, now })
  const { nodeId, ...ownedBy } = machine.ownedBy
  const bare = { ...machine, power: 'off' as const, ownedBy }
  await tx.insertMachine(bare)
  await tx.putLedger(machineEntry({ ...bare, name: pool.spec.name }, 'Intended', now))
  await tx.putNodeToken({ tokenHash, nodeId, machineId: bare.id })
  await tx.enqueue({ kind: 'machine', id: bare.id, region: pool.region })
  return bare.id
}

/** The machine of a bare claim was had: its node comes into being, and it is switched on. */
export async function adopt(tx: Transaction, pool: NodePoolRecord, machine: MachineRecord, ports: NodePoolPorts): Promise<void> {
  const now = ports.regionOf(pool.region).clock.now()
  const nodeId = nodeIdOf(machine.id), ownedBy = { nodeId, nodePoolId: pool.id, clusterId: pool.clusterId }
  const { id: _same, ...claimed } = claimOf({ nodeId, pool, now, address: machine.address, name: machine.name, ...(machine.template && { template: machine.template }) }).node
  await tx.insertNode({ ...claimed, id: nodeId, spec: { ...claimed.spec, machineId: machine.machineId ?? '' }, facts: { ...claimed.facts, machineExistsAt: now } }, {
    evidence: [{ observer: 'machine controller', source: `machine ${machine.name}`, observedAt: now, fact: `The machine ${machine.name} was had again.` }],
  })
  await tx.changeMachine(machine.id, { ownedBy, power: 'on' })
  await tx.putLedger(machineEntry({ ...machine, ownedBy }, 'Held', now, { power: 'on' }))
  await tx.enqueue({ kind: 'machine', id: machine.id, region: pool.region })
}

/** Rows of claims that wait under the pool's name, brought down to as many as still wait. */
export async function keepWaiting(tx: Transaction, pool: NodePoolRecord, count: number, now: number): Promise<void> {
  const waiting = (await tx.ledgerOf(pool.id)).filter(entry => entry.kind === 'Machine' && entry.state === 'Intended' && entry.providerId === undefined)
  for (const entry of waiting.slice(count)) await tx.putLedger({ ...entry, state: 'Released', since: now, because: 'The claim waits no more' })
}

async function prepare(tx: Transaction, pool: NodePoolRecord, region: NodePoolRegion): Promise<Prepared | NoClaim> {
  const nodeId = newId('node', region.clock.now(), region.randomBytes(8))
  const token = Buffer.from(region.randomBytes(TOKEN_BYTES)).toString('hex')
  const firstBoot = region.bootstrapLine ? region.bootstrapLine(token) : token
  if (firstBoot === undefined) return { as: 'ScalingFailed', because: 'The region cannot be reached by machines yet' }
  const address = region.claimMachineAddress ? await region.claimMachineAddress(tx, machineIdOf(nodeId)) : ''
  if (address === undefined) return { as: 'LimitedByQuota', because: 'The addresses of the region for machines are all taken' }
  return { nodeId, address, firstBoot, tokenHash: createHash('sha256').update(token).digest('hex') }
}
