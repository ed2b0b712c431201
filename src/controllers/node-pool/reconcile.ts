import { isDeepStrictEqual } from 'node:util'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import { NODE_POOL_RULES, nextInstantOfNodePool } from '#model/node-pool/rules.ts'
import { nodePoolSight } from '#model/node-pool/sight.ts'
import type { Evidence } from '#model/evidence.ts'
import { verdict } from '#model/status/rules.ts'
import type { Controller } from '#ports/controller.ts'
import { act } from './act.ts'
import { decideNodePool, type NodePoolDecision, type NodePoolPassSeen } from './decide.ts'
import type { NodePoolPorts } from './ports.ts'

/** Admits members, follows an update until it is on every node, and takes a pool down after its nodes. */
export function nodePoolController(ports: NodePoolPorts): Controller {
  return {
    kind: 'node-pool',
    async reconcile(id) {
      const record = await ports.store.findNodePool(id)
      if (!record) return {}
      return { lookAgainAt: await pass(record, ports) }
    },
  }
}

async function pass(record: NodePoolRecord, ports: NodePoolPorts): Promise<number | undefined> {
  const { store } = ports
  const [cluster, nodes] = await Promise.all([store.findCluster(record.clusterId), store.nodesOf({ nodePoolId: record.id })])
  const seen = { now: ports.regionOf(record.region).clock.now(), record, cluster, nodes }
  const decision = decideNodePool(seen)
  await write(record, seen, decision, ports)
  if (decision.step) await act(decision.step, record, ports)
  if (decision.step === 'forget') return undefined
  const instant = nextInstantOfNodePool({ now: seen.now, facts: decision.facts, counts: record.counts, clusterPhase: cluster?.said.status.phase ?? 'Deleting' })
  return decision.lookAgainAt === undefined || instant === undefined ? decision.lookAgainAt ?? instant : Math.min(decision.lookAgainAt, instant)
}

/** Writes facts that differ, wakes nodes, and lets the rules look again where time alone has changed what they say. A pass with nothing new writes nothing. */
async function write(record: NodePoolRecord, { now, cluster }: NodePoolPassSeen & { cluster: Parameters<typeof nodePoolSight>[1] | undefined }, { facts, saw, wake }: NodePoolDecision, ports: NodePoolPorts): Promise<void> {
  const changes = !isDeepStrictEqual(facts, record.facts)
  const says = cluster && verdict(NODE_POOL_RULES, nodePoolSight(record, cluster, now)).rule
  if (!changes && wake.length === 0 && (says === undefined || says === record.said.rule)) return
  const evidence: Evidence[] = [{ observer: 'node pool controller', source: saw.source, observedAt: now, fact: saw.fact }]
  await ports.store.write(now, async tx => {
    await tx.lockCluster(record.clusterId)
    if (!(await tx.lockNodePool(record.id))) return
    await tx.changeNodePool(record.id, { revision: record.revision, facts }, { evidence })
    for (const id of wake) await tx.enqueue({ kind: 'node', id, region: record.region })
  })
}
