import { ownMachine } from '#model/node/claim.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { PassOutcome } from '#ports/controller.ts'
import { StaleRevision, type Sight } from '#ports/store.ts'
import { decideNode } from './decide.ts'
import { askedForSilence, asksItself, seenFrom } from './observe.ts'
import type { NodePorts } from './ports.ts'
import type { NodePassSeen } from './seen.ts'
import { changeOf, dueAfter, writeChange, type NodeChange } from './write.ts'

type Outcomes = Map<string, PassOutcome>

/**
 * Passes over many nodes: one look at all of them, a decision for each, one write. Nodes whose cluster has to be asked for them, or for which something is to be done, and
 * those whose machines ran a script, are left to passes of their own.
 */
export async function reconcileNodes(ids: readonly string[], ports: NodePorts): Promise<ReadonlyMap<string, PassOutcome>> {
  const records = new Map((await ports.store.nodesById(ids)).map(record => [record.id, record]))
  const seen = await observeTogether([...records.values()].filter(record => record.spec.machine !== undefined && !record.facts.deletion), ports)
  const outcomes: Outcomes = new Map()
  const changes = new Map<string, { readonly record: NodeRecord; readonly change: NodeChange }>()
  for (const id of ids) {
    const record = records.get(id), look = seen.get(id)
    const decision = look && !asksItself(look) ? decideNode(look) : undefined
    if (!record) outcomes.set(id, {})
    if (!record || !look || !decision || decision.step) continue
    ports.onDecision?.({ by: 'decideNode', about: id, seen: look, decided: decision })
    const change = changeOf(record, look, decision)
    if (change) changes.set(id, { record, change })
    outcomes.set(id, { lookAgainAt: dueAfter(look, decision) })
  }
  if (changes.size > 0) await writeTogether([...changes.values()], outcomes, ports)
  return outcomes
}

async function observeTogether(records: readonly NodeRecord[], ports: NodePorts): Promise<ReadonlyMap<string, NodePassSeen>> {
  if (records.length === 0) return new Map()
  const { store } = ports
  const unique = (of: (record: NodeRecord) => string | undefined) => [...new Set(records.flatMap(record => of(record) ?? []))]
  const [clusters, pools, machines, objects, powers] = await Promise.all([
    store.clustersById(unique(record => record.clusterId)).then(byId), store.nodePoolsById(unique(record => record.nodePoolId)).then(byId), store.machinesById(unique(record => record.spec.machine)).then(byId),
    store.sights('KubernetesNode', records.map(record => record.id)).then(byId<Sight>), store.sights('MachinePower', unique(record => record.spec.machine)).then(byId<Sight>),
  ])
  const looks = await Promise.all(records.map(async record => {
    const seen = seenFrom(record, ports.regionOf(record.region), {
      cluster: clusters.get(record.clusterId), pool: pools.get(record.nodePoolId), machine: ownMachine(machines.get(record.spec.machine ?? ''), { nodeId: record.id }), object: objects.get(record.id), power: powers.get(record.spec.machine ?? ''),
    })
    return [record.id, await askedForSilence(record, seen, ports).catch(() => undefined)] as const // its own pass asks again, and says what stands in the way
  }))
  return new Map(looks.flatMap(([id, look]) => (look ? [[id, look] as const] : [])))
}

/** A record that has moved on since it was read is that node's affair alone. */
async function writeTogether(changes: readonly { readonly record: NodeRecord; readonly change: NodeChange }[], outcomes: Outcomes, ports: NodePorts): Promise<void> {
  const [first] = changes
  if (!first) return
  const moved = await ports.store.write(ports.regionOf(first.record.region).clock.now(), async tx => {
    const locked = new Map((await tx.lockNodes(changes.map(({ record }) => record.id))).map(node => [node.id, node]))
    const late: string[] = []
    for (const { record, change } of changes) {
      const node = locked.get(record.id)
      if (node?.revision === record.revision) await writeChange(tx, record, change)
      else if (node) late.push(record.id)
    }
    return late
  })
  for (const id of moved) outcomes.set(id, { error: new StaleRevision(`${id} has moved on since it was read`) })
}

function byId<Item extends { readonly id: string }>(items: readonly Item[]): ReadonlyMap<string, Item> {
  return new Map(items.map(item => [item.id, item]))
}
