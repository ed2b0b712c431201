import { isDeepStrictEqual } from 'node:util'
import type { NodeRecord } from '#model/node/record.ts'
import { NODE_RULES, nextInstantOfNode } from '#model/node/rules.ts'
import { nodeSight } from '#model/node/sight.ts'
import { verdict } from '#model/status/rules.ts'
import type { Controller } from '#ports/controller.ts'
import { act, awaitsConfig } from './act.ts'
import { decideNode, type NodeDecision } from './decide.ts'
import { noteObstacle } from './note-obstacle.ts'
import { observeNode } from './observe.ts'
import type { NodePorts } from './ports.ts'
import type { NodePassSeen } from './seen.ts'

/** Tells the truth about nodes, puts their pool's labels and taints on them, and lets them leave. */
export function nodeController(ports: NodePorts): Controller {
  const stuckSince = new Map<string, number>()
  return {
    kind: 'node',
    async reconcile(id) {
      const record = await ports.store.findNode(id)
      if (!record) {
        stuckSince.delete(id)
        return {}
      }
      try {
        const lookAgainAt = await pass(record, ports)
        stuckSince.delete(id)
        return { lookAgainAt }
      } catch (error) {
        await noteObstacle(id, error, stuckSince, ports)
        throw error
      }
    },
  }
}

async function pass(record: NodeRecord, ports: NodePorts): Promise<number | undefined> {
  const seen = await observeNode(record, ports)
  const decision = decideNode(seen)
  await write(record, seen, decision, seen.pool !== undefined && awaitsConfig(seen.pool), ports)
  const due = soonest(decision.lookAgainAt, nextInstantOfNode(nodeSight(decision, seen.now)))
  if (!decision.step) return due
  const { lookAgainAt } = await act(decision.step, { ...record, facts: decision.facts }, seen, seen, ports)
  return decision.step === 'forget' ? undefined : lookAgainAt ?? due
}

/** Writes facts that differ, and lets the rules look again where time alone has changed what they say. A pass with nothing new writes nothing. */
async function write(record: NodeRecord, { now, machine }: NodePassSeen, { facts, evidence }: NodeDecision, poolWaits: boolean, ports: NodePorts): Promise<void> {
  const spec = machine?.machineId !== undefined && record.spec.machineId === '' ? { ...record.spec, machineId: machine.machineId } : record.spec
  const changes = spec !== record.spec || !isDeepStrictEqual(facts, record.facts)
  if (!changes && verdict(NODE_RULES, nodeSight(record, now)).rule === record.said.rule) return
  await ports.store.write(now, async tx => {
    if (!(await tx.lockNode(record.id))) return
    await tx.changeNode(record.id, { revision: record.revision, spec, facts }, { evidence })
    if (poolWaits && facts.outOfSync !== record.facts.outOfSync) await tx.enqueue({ kind: 'node-pool', id: record.nodePoolId, region: record.region })
  })
}

function soonest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? one ?? other : Math.min(one, other)
}
