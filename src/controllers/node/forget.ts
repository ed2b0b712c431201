import type { NodeRecord } from '#model/node/record.ts'
import type { NodePorts } from './ports.ts'

const OPERATIONS = { call: 'DeleteEdgeNodes', pool: 'DeleteNodePool', cluster: 'DeleteCluster' } as const

/**
 * The end of a node, in one transaction: the record goes, the machine's secret stays as a tombstone, so that the machine gets the explicit answer
 * `removed` whenever it asks and its name stays reserved until then; pool and cluster look again.
 */
export async function forgetNode(record: NodeRecord, ports: NodePorts): Promise<void> {
  const { store } = ports
  const now = ports.regionOf(record.region).clock.now()
  const secrets = (await store.machineSecretsOf(record.clusterId)).filter(secret => secret.nodeId === record.id && secret.state === 'member')
  await store.write(now, async tx => {
    const locked = await tx.lockNode(record.id)
    if (!locked) return
    for (const secret of secrets) await tx.putMachineSecret({ ...secret, state: 'removed', changedAt: now })
    const done = locked.facts.deletion?.done ?? []
    await tx.forget({ kind: 'Node', id: record.id }, {
      evidence: [{ observer: 'node controller', source: `Node/${record.spec.name}`, observedAt: now, fact: done.length > 0 ? `Done: ${done.join(', ')}.` : 'Its cluster goes, or its API was away; there was nothing to take off.' }],
      operation: OPERATIONS[locked.facts.deletion?.by ?? 'cluster'],
      text: done.length > 0 ? done.join(', ') : 'its cluster goes, or its API is away',
    })
    await tx.enqueue({ kind: 'node-pool', id: record.nodePoolId, region: record.region })
    await tx.enqueue({ kind: 'cluster', id: record.clusterId, region: record.region })
  })
}
