import type { AddonRecord } from '#model/addon/record.ts'
import type { ClusterRecord, ClusterSpec } from '#model/cluster/record.ts'
import type { NodePoolRecord, NodePoolSpec } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { MachineRecord, Transaction } from '#ports/store.ts'
import { ACCOUNT, REGION, type World } from '../world.ts'

export const SPEC: ClusterSpec = {
  name: 'shop', description: '', profile: 'Edge', kubernetesVersion: undefined, servedVersion: 'v1.35.4', deleteProtectionEnabled: false, edgeTunnelEnabled: false, subnetIds: ['subnet-1'],
  apiServerPublicAccessEnabled: false, publicAccess: { billingType: 1, bandwidth: 1 }, resourcePublicAccessDefaultEnabled: false, podNetworkMode: 'Flannel', podCidrs: ['10.0.0.0/16'],
  maxPodsPerNode: 64, vpcCniSubnetIds: [], serviceCidrs: ['10.1.0.0/16'], tags: [],
}
const POOL: NodePoolSpec = { name: 'counters', type: 'edge-machine-set', labels: [], taints: [], kubernetesConfigSent: false }

type MachineFate = 'Destroy' | 'Retain'

/** What callers of the API, of the join endpoint and of the machine actions write, as those parts do it. */
export class Users {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  async createCluster(spec: Partial<ClusterSpec> = {}): Promise<string> {
    const id = this.#world.newId('cluster')
    await this.#write(async tx => {
      await tx.insertCluster({ id, accountId: ACCOUNT, region: REGION, spec: { ...SPEC, ...spec }, facts: { controlPlane: 'absent', obstacles: [], unpaid: false } }, { evidence: [], operation: 'CreateCluster' })
      await tx.enqueue({ kind: 'cluster', id, region: REGION })
    })
    return id
  }

  async createPool(clusterId: string, spec: Partial<NodePoolSpec> = {}): Promise<string> {
    const id = this.#world.newId('node-pool')
    await this.#write(async tx => {
      await tx.lockCluster(clusterId)
      await tx.insertNodePool({ id, accountId: ACCOUNT, region: REGION, clusterId, spec: { ...POOL, ...spec }, facts: { ready: false, obstacles: [], openClaims: 0 } }, { evidence: [], operation: 'CreateEdgeNodePool' })
      await tx.enqueue({ kind: 'node-pool', id, region: REGION })
    })
    return id
  }

  async updatePool(id: string, spec: Partial<NodePoolSpec>): Promise<void> {
    await this.#write(async tx => {
      const pool = (await tx.lockNodePool(id))!
      await tx.changeNodePool(id, { spec: { ...pool.spec, ...spec }, facts: { ...pool.facts, updating: { since: this.#world.clock.now(), waitsFor: [], off: [] } } }, { evidence: [], operation: 'UpdateEdgeNodePoolConfig' })
      await tx.enqueue({ kind: 'node-pool', id, region: REGION })
    })
  }

  async addMachine(name: string): Promise<string> {
    const id = this.#world.newId('machine')
    const machine: MachineRecord = { id, accountId: ACCOUNT, region: REGION, name, address: '10.213.4.9', power: 'on', link: 'up', createdAt: this.#world.clock.now() }
    await this.#write(async tx => {
      await tx.insertMachine(machine)
      await tx.enqueue({ kind: 'machine', id, region: REGION })
    })
    return id
  }

  async orderMachine(id: string, change: Partial<Pick<MachineRecord, 'power' | 'link' | 'deletionRequestedAt'>>): Promise<void> {
    await this.#write(async tx => {
      await tx.lockMachine(id)
      await tx.changeMachine(id, change)
      await tx.enqueue({ kind: 'machine', id, region: REGION })
    })
  }

  /** The machine runs the script: it joins, and its kubelet registers. */
  async runScript(machineId: string, clusterId: string, nodePoolId: string, name: string): Promise<string> {
    const world = this.#world, now = world.clock.now(), id = world.newId('node')
    await this.#write(async tx => {
      await tx.lockCluster(clusterId)
      await tx.lockNodePool(nodePoolId)
      await tx.insertNode({
        id, accountId: ACCOUNT, region: REGION, clusterId, nodePoolId, spec: { name, architecture: 'amd64', machineId: `machine-id-of-${machineId}` },
        facts: { claimedAt: now, machineExistsAt: now, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false },
      }, { evidence: [], operation: 'Join' })
      await tx.putMachineSecret({ secretHash: `secret of ${id}`, clusterId, nodePoolId, nodeId: id, nodeName: name, onboardingId: 'n1', state: 'member', changedAt: now })
      await tx.enqueue({ kind: 'node', id, region: REGION })
    })
    const inside = world.tenant.inside(clusterId)
    inside.members = [...inside.members, name]
    return id
  }

  async createKubeconfig(clusterId: string): Promise<string> {
    const id = this.#world.newId('kubeconfig'), createdAt = this.#world.clock.now()
    await this.#write(async tx => {
      await tx.insertKubeconfig({ id, accountId: ACCOUNT, region: REGION, clusterId, type: 'Private', userId: 1, roleId: 0, createdAt, expiresAt: createdAt + 3_600_000 })
      await tx.enqueue({ kind: 'kubeconfig', id, region: REGION })
    })
    return id
  }

  async deleteKubeconfig(clusterId: string, id: string): Promise<void> {
    await this.#write(async tx => {
      await tx.lockKubeconfigs(clusterId, [id])
      await tx.changeKubeconfig(id, { deletionRequestedAt: this.#world.clock.now() })
      await tx.enqueue({ kind: 'kubeconfig', id, region: REGION })
    })
  }

  /** `machine`: what becomes of machines that the pool ordered. */
  async deleteNodes(ids: readonly string[], machine?: MachineFate): Promise<void> {
    await this.#write(async tx => {
      for (const node of await tx.lockNodes(ids)) {
        await tx.changeNode(node.id, { facts: { ...node.facts, obstacles: [], deletion: { requestedAt: this.#world.clock.now(), by: 'call', done: node.facts.deletion?.done ?? [], ...machine && { machine } } } }, { evidence: [], operation: 'DeleteEdgeNodes' })
        await tx.enqueue({ kind: 'node', id: node.id, region: REGION })
      }
    })
  }

  async deletePool(id: string, machine?: MachineFate): Promise<void> {
    const requestedAt = this.#world.clock.now()
    await this.#write(async tx => {
      const pool = (await tx.lockNodePool(id))!
      await tx.changeNodePool(id, { facts: { ...pool.facts, obstacles: [], deletion: { requestedAt, by: 'call', cascading: [], retain: [] } } }, { evidence: [], operation: 'DeleteNodePool' })
      await tx.enqueue({ kind: 'node-pool', id, region: REGION })
      for (const node of await tx.lockNodes((await tx.nodesOf({ nodePoolId: id })).map(one => one.id))) {
        await tx.changeNode(node.id, { facts: { ...node.facts, obstacles: [], deletion: { requestedAt, by: 'pool', done: node.facts.deletion?.done ?? [], ...machine && { machine } } } }, { evidence: [], operation: 'DeleteNodePool' })
        await tx.enqueue({ kind: 'node', id: node.id, region: REGION })
      }
    })
  }

  async deleteCluster(id: string, { machine, ...how }: { machine?: MachineFate; cascading?: readonly string[]; retain?: readonly string[] } = {}): Promise<void> {
    const requestedAt = this.#world.clock.now()
    await this.#write(async tx => {
      const cluster = (await tx.lockCluster(id))!
      await tx.changeCluster(id, { facts: { ...cluster.facts, obstacles: [], deletion: { requestedAt, cascading: [], retain: [], force: false, ...how } } }, { evidence: [], operation: 'DeleteCluster' })
      await tx.enqueue({ kind: 'cluster', id, region: REGION })
      for (const { id: poolId } of await tx.nodePoolsOf(id)) {
        const pool = (await tx.lockNodePool(poolId))!
        await tx.changeNodePool(poolId, { facts: { ...pool.facts, deletion: { requestedAt, by: 'cluster', cascading: [], retain: [] } } }, { evidence: [], operation: 'DeleteCluster' })
        await tx.enqueue({ kind: 'node-pool', id: poolId, region: REGION })
      }
      for (const node of await tx.lockNodes((await tx.nodesOf({ clusterId: id })).map(one => one.id))) {
        await tx.changeNode(node.id, { facts: { ...node.facts, deletion: { requestedAt, by: 'cluster', done: [], ...machine && { machine } } } }, { evidence: [], operation: 'DeleteCluster' })
        await tx.enqueue({ kind: 'node', id: node.id, region: REGION })
      }
    })
  }

  async #write(work: (tx: Transaction) => Promise<void>): Promise<void> {
    await this.#world.store.write(this.#world.clock.now(), work)
  }
}

/** `Phase Condition`, or `gone`. */
export function shows(record: ClusterRecord | NodePoolRecord | NodeRecord | AddonRecord | undefined): string {
  return record ? `${record.said.status.phase} ${record.said.status.conditions.join('+')}` : 'gone'
}
