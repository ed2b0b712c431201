import { hash } from 'node:crypto'
import { newId } from '#model/ids.ts'
import { claimOf, machineEntry, machineIdOf, nodeIdOf } from '#model/node/claim.ts'
import type { MachineTemplate, NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeSpec } from '#model/node/record.ts'
import type { MachineRecord, Transaction } from '#ports/store.ts'
import { hashOf } from './offers.ts'
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
  if (count === 0) return { made: 0 }
  const region = ports.regionOf(pool.region), now = region.clock.now()
  const { prepared, missing } = await prepare(tx, count, region)
  const claims = prepared.map(({ tokenHash, ...wish }) => {
    const { node, machine, ledger } = claimOf({ ...wish, pool, now })
    return { node: ofTemplate(node, pool.spec.template), machine, ledger: { ...ledger, state: 'Intended' as const }, token: { tokenHash, nodeId: node.id, machineId: machine.id } }
  })
  if (claims.length > 0) await tx.insertClaims(claims, { evidence: [{ observer: 'node pool controller', source: `node pool ${pool.spec.name}`, observedAt: now, fact: 'Its pool claimed a machine for it.' }] })
  for (const { machine } of claims) await tx.enqueue({ kind: 'machine', id: machine.id, region: pool.region })
  return { made: claims.length, ...missing && { missing } }
}

/**
 * One claim without a node, to find out whether machines are had again. The machine is not switched on before its node is there. Answers the machine's id, which is
 * `again` where one was tried before and is gone: whatever is tried for years is one row of the ledger. One that was made after its record was gone is still being taken down, and keeps its id.
 */
export async function tryOneClaim(tx: Transaction, pool: NodePoolRecord, ports: NodePoolPorts, again?: string): Promise<string | NoClaim> {
  const region = ports.regionOf(pool.region), now = region.clock.now()
  const isGone = again !== undefined && !(await tx.lockMachine(again))
  const { prepared: [one], missing } = await prepare(tx, 1, region, isGone ? again : undefined)
  if (!one) return missing ?? ADDRESSES_TAKEN
  const { tokenHash, ...wish } = one
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
  const { template = pool.spec.template } = machine
  const { id: _same, ...claimed } = ofTemplate(claimOf({ nodeId, pool, now, address: machine.address, name: machine.name, ...(template && { template }) }).node, template)
  await tx.insertNode({ ...claimed, id: nodeId, spec: { ...claimed.spec, machineId: machine.machineId ?? '' }, facts: { ...claimed.facts, machineExistsAt: now } }, {
    evidence: [{ observer: 'machine controller', source: `machine ${machine.name}`, observedAt: now, fact: `The machine ${machine.name} was had again.` }],
  })
  await tx.changeMachine(machine.id, { ownedBy, power: 'on', deletionRequestedAt: null, refused: null, obstacle: null })
  await tx.putLedger(machineEntry({ ...machine, ownedBy }, 'Held', now, { power: 'on' }))
  await tx.enqueue({ kind: 'machine', id: machine.id, region: pool.region })
}

/** By the newest node of its template a pool knows what the next one offers. */
function ofTemplate<Claimed extends { readonly spec: NodeSpec }>(node: Claimed, template: MachineTemplate | undefined): Claimed {
  return { ...node, spec: { ...node.spec, template: hashOf(template) } }
}

/** Nobody in arrears is given another machine. */
export async function mayAdopt(pool: NodePoolRecord, { store }: NodePoolPorts): Promise<boolean> {
  return (await store.findAccount(pool)).arrearsSince === undefined
}

const WAITS_NO_MORE = 'The claim waits no more'

/** Rows of claims that wait under the pool's name, brought to as many as wait. Those that waited once are taken again first: a need that comes and goes for years leaves as many rows as it had at most. */
export async function keepWaiting(tx: Transaction, pool: NodePoolRecord, count: number, { region: { clock, randomBytes }, because = '' }: { readonly region: NodePoolRegion; readonly because?: string | undefined }): Promise<void> {
  const now = clock.now()
  const own = (await tx.ledgerOf(pool.id)).filter(entry => entry.kind === 'Machine' && entry.providerId === undefined)
  const waiting = own.filter(({ state }) => state === 'Intended')
  for (const entry of waiting.slice(count)) await tx.putLedger({ ...entry, state: 'Released', since: now, because: WAITS_NO_MORE })
  if (waiting.length >= count) return
  const { id: nodePoolId, accountId, region, clusterId, spec: { name } } = pool
  const again = own.filter(entry => entry.state === 'Released' && entry.because === WAITS_NO_MORE).map(({ id }) => id)
  for (let index = 0; index < count - waiting.length; index++) {
    const id = again[index] ?? newId('ledger', now, randomBytes(8))
    await tx.putLedger({ id, accountId, region, kind: 'Machine', clusterId, owner: { kind: 'NodePool', id: nodePoolId, name }, state: 'Intended', deleteProtected: false, since: now, because: `The claim waits: ${because}` })
  }
}

const ADDRESSES_TAKEN: NoClaim = { as: 'LimitedByQuota', because: 'The addresses of the region for machines are all taken' }

async function prepare(tx: Transaction, count: number, region: NodePoolRegion, again?: string): Promise<{ prepared: readonly Prepared[]; missing?: NoClaim }> {
  const drawn = Array.from({ length: count }, () => {
    const nodeId = again === undefined ? newId('node', region.clock.now(), region.randomBytes(8)) : nodeIdOf(again)
    const token = Buffer.from(region.randomBytes(TOKEN_BYTES)).toString('hex')
    return { nodeId, firstBoot: region.bootstrapLine ? region.bootstrapLine(token) : token, tokenHash: hash('sha256', token) }
  })
  if (drawn.some(({ firstBoot }) => firstBoot === undefined)) return { prepared: [], missing: { as: 'ScalingFailed', because: 'The region cannot be reached by machines yet' } }
  const addresses = region.claimMachineAddresses ? await region.claimMachineAddresses(tx, drawn.map(({ nodeId }) => machineIdOf(nodeId))) : drawn.map(() => '')
  const prepared = drawn.flatMap(({ firstBoot = '', ...one }, index) => {
    const address = addresses[index]
    return address === undefined ? [] : [{ ...one, firstBoot, address }]
  })
  return prepared.length === count ? { prepared } : { prepared, missing: ADDRESSES_TAKEN }
}
