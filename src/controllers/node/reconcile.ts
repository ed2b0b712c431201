import type { NodeRecord } from '#model/node/record.ts'
import type { Controller } from '#ports/controller.ts'
import { act } from './act.ts'
import { decideNode, type NodeStep } from './decide.ts'
import { noteObstacle } from './note-obstacle.ts'
import { observeNode } from './observe.ts'
import type { NodePorts } from './ports.ts'
import { reconcileNodes } from './reconcile-many.ts'
import { changeOf, dueAfter, writeChange } from './write.ts'

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
      return await passOver(record)
    },
    reconcileMany: ids => reconcileNodes(ids, ports),
  }

  async function passOver(record: NodeRecord): Promise<{ lookAgainAt: number | undefined }> {
    let step: NodeStep | undefined
    try {
      const lookAgainAt = await pass(record, ports, next => { step = next })
      stuckSince.delete(record.id)
      return { lookAgainAt }
    } catch (error) {
      await noteObstacle(record.id, { error, step }, stuckSince, ports)
      throw error
    }
  }
}

/** `onStep` hears what it is about to do. */
async function pass(record: NodeRecord, ports: NodePorts, onStep: (step: NodeStep) => void): Promise<number | undefined> {
  if (record.facts.deletion) ports.regionOf(record.region).logins?.end(record.id)
  const seen = await observeNode(record, ports)
  const decision = decideNode(seen)
  ports.onDecision?.({ by: 'decideNode', about: record.id, seen, decided: decision })
  const change = changeOf(record, seen, decision)
  if (change) await ports.store.write(seen.now, async tx => { if (await tx.lockNode(record.id)) await writeChange(tx, record, change) })
  const due = dueAfter(seen, decision)
  if (!decision.step) return due
  onStep(decision.step)
  const { lookAgainAt } = await act(decision.step, { ...record, facts: decision.facts }, seen, seen, ports)
  return decision.step === 'forget' ? undefined : lookAgainAt ?? due
}
