/**
 * Machines of claims that a pool tried, and that cannot be taken back. They are the pool's own: they stay in the ledger, are asked to go until they are gone, and go before the pool does. None of them keeps the pool from trying on, and
 * where a machine is wanted, one that is whole becomes its next node's.
 */
import { ownMachine } from '#model/node/claim.ts'
import { isWhole, leftoverText } from '#model/node-pool/leftovers.ts'
import type { NodePoolFacts, NodePoolRecord } from '#model/node-pool/record.ts'
import { withFacts } from '#model/with-facts.ts'
import type { MachineRecord, Transaction } from '#ports/store.ts'
import { adopt, mayAdopt } from './claims.ts'
import type { NodePoolPorts } from './ports.ts'
import { answerRefusal, type Answered } from './refused-claims.ts'

export type Leftovers = NonNullable<NodePoolFacts['leftovers']>

/** Those whose machines are there still, with what stands in the way of each. */
export function stillLeft(nodePoolId: string, known: Leftovers | undefined, machines: readonly MachineRecord[]): Leftovers | undefined {
  const own = new Map(machines.flatMap(machine => (ownMachine(machine, { nodePoolId }) && machine.ownedBy?.nodeId === undefined ? [[machine.id, machine] as const] : [])))
  const left = known?.flatMap(({ claim, because }) => {
    const machine = own.get(claim)
    return machine ? [{ claim, because: machine.obstacle ? leftoverText(machine) : because }] : []
  })
  return left && left.length > 0 ? left : undefined
}

/** As answerRefusal, once those that are whole have become the machines of as many nodes as are missing. */
export async function answerWithLeftovers(tx: Transaction, pool: NodePoolRecord, missing: number, isPaid: boolean, ports: NodePoolPorts): Promise<Answered & { readonly leftovers: Leftovers | undefined }> {
  const { open, left } = await adoptWhole(tx, pool, missing, ports)
  const { parked, ...answered } = await answerRefusal(tx, { ...pool, facts: withFacts(pool.facts, { leftovers: left }) }, open, isPaid, ports)
  return { ...answered, leftovers: parked ? [...left ?? [], parked] : left }
}

async function adoptWhole(tx: Transaction, pool: NodePoolRecord, missing: number, ports: NodePoolPorts): Promise<{ readonly open: number; readonly left: Leftovers | undefined }> {
  const { leftovers } = pool.facts
  if (!leftovers || missing === 0 || !(await mayAdopt(pool, ports))) return { open: missing, left: leftovers }
  const machines = await tx.lockMachines(leftovers.map(({ claim }) => claim)), left = stillLeft(pool.id, leftovers, machines)
  const adopted = machines.filter(machine => isWhole(machine) && left?.some(({ claim }) => claim === machine.id)).slice(0, missing)
  for (const machine of adopted) await adopt(tx, pool, machine, ports)
  return { open: missing - adopted.length, left: stillLeft(pool.id, left, machines.filter(machine => !adopted.includes(machine))) }
}
