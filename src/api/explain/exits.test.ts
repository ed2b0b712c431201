import assert from 'node:assert/strict'
import { test } from 'node:test'
import { API_SILENT } from '#model/addon/record.ts'
import { ITS_COPY, THE_DATA, type ClusterRecord } from '#model/cluster/record.ts'
import { NO_NODES } from '#model/counts.ts'
import { exitsOf as tableOf } from '#model/status/exits.ts'
import type { NodeFacts, NodeRecord } from '#model/node/record.ts'
import type { Explained } from './explained.ts'
import { exitsOf } from './exits.ts'

const NOW = 1_800_000_000_000

function explained(power: NodeFacts['power']): Explained {
  const status = { phase: 'Failed', conditions: ['NotReady'] } as const
  const node = { id: 'n', said: { status }, spec: { name: 'till-1' }, facts: { power, obstacles: [] } } as unknown as NodeRecord
  return { resource: { kind: 'Node', id: 'n', name: 'till-1' }, status, since: NOW, rule: '', because: '', evidence: [], records: { nodes: [node] } }
}

test('what leads out is told by the tables of the model: causes in sentences, and calls that are accepted here and now', () => {
  const status = { phase: 'Creating', conditions: ['Progressing'] } as const
  const cluster = { id: 'c', spec: { name: 'shop' }, facts: { obstacles: [] }, said: { status } } as unknown as ClusterRecord
  const creating: Explained = { resource: { kind: 'Cluster', id: 'c', name: 'shop' }, status, since: NOW, rule: '', because: '', evidence: [], records: { cluster } }
  const causes = tableOf('Cluster', status).filter(exit => exit.By === 'cause').map(exit => ({ by: 'cause', what: `${exit.What.charAt(0).toUpperCase()}${exit.What.slice(1)}.` }))
  assert.ok(causes.length > 0)
  assert.deepEqual(exitsOf(creating, NOW), causes, 'a cluster that is being created takes no call')

  const failed = { phase: 'Failed', conditions: ['ResourceCleanupFailed'] } as const
  const stuck = { ...creating, status: failed, records: { cluster: { ...cluster, said: { status: failed } } as unknown as ClusterRecord } }
  assert.deepEqual(exitsOf(stuck, NOW), [{ by: 'call', what: 'DeleteCluster' }])
})

test('a machine that is off may come back; one that was removed may not, and no sentence says so', () => {
  const off = { state: 'off', since: NOW, machine: 'till-1' } as const
  assert.deepEqual(exitsOf(explained(off), NOW).map(exit => exit.by), ['cause', 'call'])
  assert.deepEqual(exitsOf(explained({ ...off, removed: true }), NOW), [{ by: 'call', what: 'DeleteEdgeNodes' }])
})

test('a script that was run is run again on its machine; one that was ordered, or logged in to in vain, begins no second time', () => {
  const status = { phase: 'Failed', conditions: ['InitializeFailed'] } as const
  const causes = (spec: Partial<NodeRecord['spec']>, facts: Partial<NodeFacts> = {}) => {
    const node = { id: 'n', said: { status }, spec: { name: 'till-1', ...spec }, facts: { obstacles: [], initialiseFailed: { step: 'login', text: '', at: NOW }, ...facts } } as unknown as NodeRecord
    const ways = exitsOf({ ...explained(undefined), status, records: { nodes: [node] } }, NOW).filter(({ by }) => by === 'cause')
    return ways.map(({ what }) => what.split(' ').slice(0, 3).join(' '))
  }
  const login = { address: '10.0.0.2', port: 22, user: 'root' }
  assert.deepEqual(causes({}), ['The same machine', 'It becomes a'])
  assert.deepEqual(causes({ machine: 'm1' }), ['It becomes a'])
  assert.deepEqual(causes({ login }), [])
  assert.deepEqual(causes({ login }, { joinedAt: NOW }), ['The same machine', 'It becomes a'])
})

test('a pool whose creation failed in a cluster that takes no calls waits for its cluster, or goes with it', () => {
  const status = { phase: 'Failed', conditions: ['Unknown'] } as const
  const of = (phase: string, condition: string): Explained => {
    const cluster = { id: 'c', spec: { name: 'shop' }, facts: { obstacles: [] }, said: { status: { phase, conditions: [condition] } } } as unknown as ClusterRecord
    const nodePool = { id: 'p', spec: { name: 'counters' }, facts: { obstacles: [], creationEnded: { because: '' } }, said: { status } } as unknown as NonNullable<Explained['records']['nodePool']>
    return { resource: { kind: 'NodePool', id: 'p', name: 'counters' }, status, since: NOW, rule: '', because: '', evidence: [], records: { cluster, nodePool } }
  }
  assert.deepEqual(exitsOf(of('Running', 'Ok'), NOW), [{ by: 'call', what: 'DeleteNodePool' }])
  assert.deepEqual(exitsOf(of('Failed', 'Unknown'), NOW), [{ by: 'cause', what: 'Its cluster is {Failed,[Unknown]} no longer, and calls are accepted again.' }, { by: 'call', what: 'DeleteCluster' }])
  assert.deepEqual(exitsOf(of('Starting', 'Progressing'), NOW), [{ by: 'cause', what: 'Its cluster is {Starting,[Progressing]} no longer, and calls are accepted again.' }])
})

test('what is in a cluster that can only be deleted goes with it, and nothing says that it comes to work', () => {
  const of = (kind: 'Addon' | 'NodePool' | 'Node', phase: string, condition: string, facts: object, unlike: object = {}): readonly string[] => {
    const status = { phase, conditions: [condition] }, record = { id: 'x', spec: { name: 'x' }, said: { status }, counts: NO_NODES, facts: { obstacles: [], ...unlike } } as never
    const cluster = { id: 'c', spec: { name: 'shop' }, facts: { obstacles: [], ...facts }, said: { status: { phase: 'Failed', conditions: ['Unknown'] } } } as unknown as ClusterRecord
    const records = { cluster, ...kind === 'Addon' ? { addon: record } : kind === 'NodePool' ? { nodePool: record } : { nodes: [record] } }
    return exitsOf({ resource: { kind, id: 'x', name: 'x' }, status, since: NOW, rule: '', because: '', evidence: [], records }, NOW).map(({ what }) => what)
  }
  for (const facts of [{ creationEnded: { as: 'CreateError', because: '' } }, { downBy: THE_DATA }]) {
    for (const [kind, phase, condition] of [['Addon', 'Creating', 'Progressing'], ['Addon', 'Running', 'Ok'], ['NodePool', 'Creating', 'Progressing'], ['Node', 'Creating', 'Progressing'], ['Node', 'Failed', 'NotReady']] as const) {
      assert.deepEqual(of(kind, phase, condition, facts), ['DeleteCluster'], `${kind} ${phase}`)
    }
    assert.deepEqual(of('Addon', 'Failed', 'ResourceCleanupFailed', facts, { waitsFor: API_SILENT }), ['Its cluster goes, with everything that is in it.', 'DeleteCluster'])
    assert.deepEqual(of('Node', 'Failed', 'Balance', facts), ['The debt is paid.', 'DeleteCluster'])
  }
  assert.ok(of('Node', 'Failed', 'NotReady', { downBy: 'etcd' }).some(what => what.startsWith('Its kubelet reports Ready again')), 'one that is only down may come back')
})

test('a cluster whose data is lost comes back by a copy of it where its host takes one, and by nothing else but its deletion', () => {
  const of = (phase: 'Failed' | 'Starting', downBy: string): readonly string[] => {
    const status = { phase, conditions: [phase === 'Failed' ? 'Unknown' : 'Progressing'] }
    const cluster = { id: 'c', spec: { name: 'shop' }, facts: { obstacles: [], downBy }, said: { status } } as unknown as ClusterRecord
    return exitsOf({ resource: { kind: 'Cluster', id: 'c', name: 'shop' }, status, since: NOW, rule: '', because: '', evidence: [], records: { cluster } }, NOW).map(({ what }) => what)
  }
  const copied = 'A copy of its data, which is lost, is put back where it was.', overdue = 'It is not usable 15 min after the payment.'
  assert.deepEqual([of('Failed', ITS_COPY), of('Failed', THE_DATA)], [[copied, 'DeleteCluster'], ['DeleteCluster']])
  assert.deepEqual([of('Starting', ITS_COPY), of('Starting', THE_DATA)], [[copied, overdue], [overdue]])
  assert.deepEqual(of('Failed', 'etcd'), ['Its control plane comes back, which is tried again and again.', 'DeleteCluster'])
})

test('a call that is refused for another reason than a status is no way out', () => {
  const cluster = (deleteProtectionEnabled: boolean) => ({ id: 'c', spec: { name: 'shop', deleteProtectionEnabled }, facts: { obstacles: [] }, said: { status: { phase: 'Running', conditions: ['Ok'] } } }) as unknown as ClusterRecord
  const of = (kind: 'Addon' | 'Cluster', phase: string, condition: string, isProtected = false): Explained => {
    const status = { phase, conditions: [condition] }, addon = { id: 'a', spec: { name: 'core-dns' }, facts: { obstacles: [] }, said: { status } } as unknown as NonNullable<Explained['records']['addon']>
    const records = kind === 'Addon' ? { addon, cluster: cluster(isProtected) } : { cluster: { ...cluster(isProtected), said: { status } } as unknown as ClusterRecord }
    return { resource: { kind, id: 'a', name: 'core-dns' }, status, since: NOW, rule: '', because: '', evidence: [], records }
  }
  const calls = (...args: Parameters<typeof exitsOf>) => exitsOf(...args).filter(exit => exit.by === 'call').map(exit => exit.what)

  const running = of('Addon', 'Running', 'Ok'), failed = of('Addon', 'Failed', 'Unknown')
  assert.deepEqual(calls(running, NOW), ['UpdateAddonConfig', 'UpdateAddonVersion', 'DeleteAddon'])
  assert.deepEqual(calls(running, NOW, { isRequired: true }), ['UpdateAddonConfig', 'UpdateAddonVersion'])
  assert.deepEqual(calls(running, NOW, { isRequired: true, hasOneVersion: true }), ['UpdateAddonConfig'])
  assert.deepEqual(calls(running, NOW, { inArrears: true }), ['DeleteAddon'])
  assert.deepEqual(exitsOf(failed, NOW, { inArrears: true, isRequired: true }), [{ by: 'cause', what: 'The debt is paid, and calls that change something are accepted again.' }])
  assert.deepEqual(exitsOf(failed, NOW, { refusesWrites: 'it is being deleted' }), [{ by: 'cause', what: 'Its region accepts calls again, or goes with everything in it; now it is being deleted.' }])

  assert.deepEqual(exitsOf(of('Cluster', 'Failed', 'CreateError', true), NOW), [{ by: 'call', what: 'DeleteCluster with Force' }])
  const node = { ...explained({ state: 'on', since: NOW, machine: 'till-1' }), status: { phase: 'Running', conditions: ['Ok'] } }
  assert.deepEqual(calls(node, NOW), ['SetNodeSchedulable', 'DeleteEdgeNodes'])
  assert.deepEqual(calls(node, NOW, { cannotCordon: true }), ['DeleteEdgeNodes'])
})

test('a pool that was refused machines is asked for fewer only where that is what makes it want fewer', () => {
  const status = { phase: 'Running', conditions: ['StockOut'] } as const
  const calls = (minReplicas: number | undefined, autoscaler?: number, type = 'edge-machine-pool') => {
    const scaling = minReplicas === undefined ? {} : { scaling: { enabled: autoscaler !== undefined, minReplicas, maxReplicas: 5, desiredReplicas: 3, sentDesiredReplicas: 3, priority: 10 } }
    const nodePool = {
      id: 'p', spec: { name: 'burst', type, ...scaling }, said: { status }, counts: { ...NO_NODES, total: 4, running: 2, stopped: 1, deleting: 1 },
      facts: { obstacles: [], ...autoscaler !== undefined && { autoscaler: { target: autoscaler, because: '', since: NOW } } },
    } as unknown as NonNullable<Explained['records']['nodePool']>
    const cluster = { id: 'c', spec: { name: 'shop' }, facts: { obstacles: [] }, said: { status: { phase: 'Running', conditions: ['Ok'] } } } as unknown as ClusterRecord
    const refused: Explained = { resource: { kind: 'NodePool', id: 'p', name: 'burst' }, status, since: NOW, rule: '', because: '', evidence: [], records: { cluster, nodePool } }
    return exitsOf(refused, NOW).filter(exit => exit.by === 'call').map(exit => exit.what)
  }
  assert.deepEqual(calls(2), ['ScaleUpEdgeNodePool', 'DeleteNodePool'])
  assert.deepEqual(calls(3), ['UpdateEdgeNodePoolConfig', 'DeleteNodePool'], 'its least is more than it has')
  assert.deepEqual(calls(0, 2), ['ScaleUpEdgeNodePool', 'DeleteNodePool'])
  assert.deepEqual(calls(0, 3), ['UpdateEdgeNodePoolConfig', 'DeleteNodePool'], 'pods want more than it has')
  assert.deepEqual(calls(3, undefined, 'machine-set'), ['UpdateNodePoolConfig', 'DeleteNodePool'])
  assert.deepEqual(calls(undefined), ['DeleteNodePool'], 'its size is no matter of the pool')
})

test('a pool that was refused machines says what cures it, each refusal by its own cause', () => {
  const of = (condition: 'StockOut' | 'LimitedByQuota' | 'Balance' | 'ScalingFailed') => tableOf('NodePool', { phase: 'Running', conditions: [condition] }).filter(exit => exit.By === 'cause').map(exit => exit.What)
  assert.match(of('StockOut').join(), /stock again \(SetStock\)/)
  assert.match(of('LimitedByQuota').join(), /quota is raised \(SetQuota\) or a machine .* given back/)
  assert.match(of('Balance').join(), /debt is paid \(SetBalance\)/)
  assert.match(of('ScalingFailed').join(), /what refused them is mended/)
  for (const condition of ['StockOut', 'LimitedByQuota', 'Balance', 'ScalingFailed'] as const) assert.match(of(condition).join(), /tries again by itself/)
})
