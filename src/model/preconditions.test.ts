import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ClusterRecord, ClusterSpec } from './cluster/record.ts'
import type { ClusterStatus } from './cluster/status.ts'
import { NO_NODES } from './counts.ts'
import { isGentle, isRefusal, soundsGone, type Refusal } from './errors/catalogue.ts'
import type { NodePoolRecord, NodePoolSpec } from './node-pool/record.ts'
import type { NodePoolStatus } from './node-pool/status.ts'
import type { NodeRecord } from './node/record.ts'
import type { NodeStatus } from './node/status.ts'
import { checkPrecondition, PRECONDITIONS, type GuardedAction, type Targets } from './preconditions.ts'
import { STATUS_TABLES } from './status/kinds.ts'
import { allowedSets, statusText } from './status/table.ts'

const NOW = 1_800_000_000_000
const base = { accountId: 'a', region: 'r', revision: 1, createdAt: NOW - 60_000, updatedAt: NOW }
const said = { since: NOW - 30_000, rule: 'works', because: 'kubelet says: object not found, invalid token', evidence: [] }

function cluster(phase: string, conditions: string | readonly string[], facts: Partial<ClusterRecord['facts']> = {}): ClusterRecord {
  return { ...base, id: 'c1', spec: { name: 'shop' } as ClusterSpec, facts: { obstacles: [], unpaid: false, controlPlane: 'usable', firstReadyAt: 1, ...facts }, said: { ...said, status: { phase, conditions: [conditions].flat() } as unknown as ClusterStatus }, counts: NO_NODES }
}
function nodePool(phase: string, conditions: string | readonly string[]): NodePoolRecord {
  return { ...base, id: 'p1', clusterId: 'c1', spec: { name: 'counters' } as NodePoolSpec, facts: { ready: true, obstacles: [], openClaims: 0 }, said: { ...said, status: { phase, conditions: [conditions].flat() } as unknown as NodePoolStatus }, counts: NO_NODES }
}
function node(phase: string, conditions: string | readonly string[], facts: Partial<NodeRecord['facts']> = {}): NodeRecord {
  return {
    ...base, id: 'n1', clusterId: 'c1', nodePoolId: 'p1', spec: { name: 'shop-1', architecture: 'amd64', machineId: 'm' },
    facts: { claimedAt: NOW, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false, ...facts }, said: { ...said, status: { phase, conditions: [conditions].flat() } as unknown as NodeStatus },
  }
}

function refusalOf(action: GuardedAction, targets: Targets): Refusal | undefined {
  try {
    checkPrecondition(action, targets, NOW)
    return undefined
  } catch (error) {
    assert.ok(isRefusal(error), String(error))
    return error
  }
}

/** Phases (and conditions where not all) in which each action is accepted, copied once from status-rules.md and status-model.md 8 by hand. */
const ACCEPTED: Readonly<Record<string, { cluster?: string; pool?: string; node?: string }>> = {
  UpdateClusterConfig: { cluster: 'Running Updating' },
  DeleteCluster: { cluster: 'Running Failed Stopped/Balance' },
  CreateEdgeNodePool: { cluster: 'Running Updating' },
  UpdateEdgeNodePoolConfig: { cluster: 'Running Updating', pool: 'Running Scaling' },
  DeleteNodePool: { cluster: 'Running Updating Stopped/Balance', pool: 'Running Scaling Failed' },
  CreateBatchEdgeMachine: { cluster: 'Running Updating', pool: 'Running Scaling' },
  UpdateBatchEdgeMachine: {},
  DeleteBatchEdgeMachine: {},
  DeleteEdgeNodes: { cluster: 'Running Updating Stopped/Balance', pool: 'Running Scaling Failed', node: 'Creating Running Updating Starting Stopping Stopped Failed' },
  CreateKubeconfig: { cluster: 'Running Updating' },
  DeleteKubeconfigs: {},
}

describe('preconditions', () => {
  test('every action is accepted in exactly the rows, and sets of conditions, that the sources name, at each level', () => {
    const fine = { cluster: cluster('Running', 'Ok'), nodePool: nodePool('Running', 'Ok'), nodes: [node('Running', 'Ok')] }
    for (const [action, levels] of Object.entries(ACCEPTED)) {
      assert.ok(action in PRECONDITIONS, action)
      for (const [level, kind, code] of [['cluster', 'Cluster', 'ClusterStatus'], ['pool', 'NodePool', 'NodePoolStatus'], ['node', 'Node', 'NodeStatus']] as const) {
        for (const [phase, conditions] of allowedSets(STATUS_TABLES[kind].rows, STATUS_TABLES[kind].together)) {
          const targets = { ...fine, ...(level === 'cluster' ? { cluster: cluster(phase, conditions) } : level === 'pool' ? { nodePool: nodePool(phase, conditions) } : { nodes: [node('Running', 'Ok'), node(phase, conditions)] }) }
          const wanted = levels[level]?.split(' ')
          const accepted = wanted === undefined || wanted.includes(phase) || conditions.some(condition => wanted.includes(`${phase}/${condition}`))
          assert.equal(refusalOf(action as GuardedAction, targets)?.wireCode, accepted ? undefined : `OperationDenied.${code}`, `${action} with ${kind} ${statusText({ phase, conditions })}`)
        }
      }
    }
  })

  test('a refusal names the resource, its status, what is in the way, since when and until when', () => {
    const deletion = { requestedAt: NOW - 60_000, cascading: [], retain: [], force: false }
    assert.equal(refusalOf('CreateEdgeNodePool', { cluster: cluster('Deleting', 'Progressing', { deletion }) })?.message,
      'CreateEdgeNodePool needs the cluster shop (c1) to be {Running,[*]} or {Updating,[*]}; it is {Deleting,[Progressing]} since 2027-01-15T07:59:30Z: DeleteCluster is under way since 2027-01-15T07:59:00Z, until 2027-01-15T08:07:00Z at the latest.')
    assert.equal(refusalOf('DeleteEdgeNodes', { cluster: cluster('Running', 'Ok'), nodePool: nodePool('Running', 'Ok'), nodes: [node('Deleting', 'Progressing', { deletion: { by: 'pool', requestedAt: NOW, done: [] } })] })?.message,
      'DeleteEdgeNodes needs the node shop-1 (n1) to be {Creating,[*]}, {Running,[*]}, {Updating,[*]}, {Starting,[*]}, {Stopping,[*]}, {Stopped,[*]} or {Failed,[*]}; it is {Deleting,[Progressing]} since 2027-01-15T07:59:30Z: DeleteNodePool is under way since 2027-01-15T08:00:00Z, until 2027-01-15T08:04:00Z at the latest.')
  })

  test('no refusal of a delete call sounds as if the thing were gone, whatever it is called and whatever its components say', () => {
    let refusals = 0
    for (const action of (Object.keys(PRECONDITIONS) as GuardedAction[]).filter(isGentle)) {
      for (const [phase, conditions] of allowedSets(STATUS_TABLES.Cluster.rows, STATUS_TABLES.Cluster.together)) {
        const target = cluster(phase, conditions, { controlPlaneSays: 'invalid token', waitsFor: 'not found' })
        const refusal = refusalOf(action, { cluster: { ...target, spec: { ...target.spec, name: 'notfound-invalid' } } })
        if (refusal) assert.ok(!soundsGone(`${refusal.wireCode}: ${refusal.message}`), refusal.message)
        if (refusal) refusals += 1
      }
    }
    assert.ok(refusals > 20)
  })

  test('what is not given is not looked at', () => assert.equal(refusalOf('DeleteEdgeNodes', {}), undefined))
})
