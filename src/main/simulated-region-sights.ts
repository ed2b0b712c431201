import { hash } from 'node:crypto'
import { kubernetesNodeFact, machinePowerFact, NODE_GONE } from '#controllers/node/sights.ts'
import type { HeldWatch } from '#kernel/watching.ts'
import { letMachineIn } from '#join/let-machine-in.ts'
import { takeConfirmation, takeReport, tellMembership } from '#join/machine-reports.ts'
import { findInvitation } from '#join/onboarding-token.ts'
import { JoinRefused } from '#join/refused.ts'
import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { Queue } from '#ports/queue.ts'
import type { RegionChange } from '#ports/region-events.ts'
import type { SightKind, Store, WorkKey } from '#ports/store.ts'
import type { TenantCluster, TenantClusterAddress } from '#ports/tenant-cluster.ts'
import type { SimulatedRegion } from '#providers/simulated/simulated-region.ts'

export interface SightsParts {
  readonly region: string
  readonly store: Store
  readonly queue: Queue
  readonly watch: HeldWatch
  /** The region's. */
  readonly clock: Clock
  readonly log: Log
  readonly tenant: TenantCluster
  readonly onboarding: SimulatedRegion['onboarding']
  readonly randomBytes: (count: number) => Uint8Array
  /** How many machines are answered at once. */
  readonly hands: () => number
  tenantAddressOf(cluster: { readonly id: string; readonly address?: string }): Promise<TenantClusterAddress | undefined>
}

type RegionKey = WorkKey & { readonly region: string }
interface Put { readonly kind: SightKind; readonly id: string; readonly fact: unknown; readonly seenAt: number; readonly observer: string; readonly key: RegionKey | undefined }
type OfKind<Kind extends RegionChange['kind']> = Extract<RegionChange, { kind: Kind }>

/** What a machine says or asks. */
type Asking = OfKind<'Join' | 'Report' | 'Membership'>

const SIGHTS_AT_ONCE = 500

/**
 * What a simulated region tells of itself, made into what passes see: the same sights with the same keys as the watches of a real region write, and machines that ask are
 * answered by the same rules as at a join endpoint.
 */
export class RegionSights {
  readonly #parts: SightsParts
  /** A cluster's own name, and the ids of its nodes by theirs, as they were last read. */
  readonly #clusters = new Map<string, { readonly name: string; readonly nodes: Map<string, string> }>()

  constructor(parts: SightsParts) {
    this.#parts = parts
  }

  /** Machines are answered first, each in the order in which it asked; then all that was seen is written in one go. Safe to repeat. */
  async tell(changes: readonly RegionChange[]): Promise<void> {
    const asked = new Map<string, Asking[]>(), seen: RegionChange[] = []
    for (const change of changes) {
      if (change.kind !== 'Join' && change.kind !== 'Report' && change.kind !== 'Membership') seen.push(change)
      else if (!asked.get(change.secret)?.push(change)) asked.set(change.secret, [change])
    }
    const waiting = asked.values()
    await Promise.all(Array.from({ length: Math.min(this.#parts.hands(), asked.size) }, async () => {
      for (const one of waiting) for (const change of one) await this.#answer(change)
    }))
    await this.#see(seen)
  }

  async #see(changes: readonly RegionChange[]): Promise<void> {
    const { queue, watch, store, clock, region } = this.#parts
    const puts = new Map<string, Put>(), gone = new Map<string, Put>(), keys = new Map<string, RegionKey>()
    const note = (put: Put): void => {
      const name = `${put.kind}/${put.id}`
      puts.delete(name)
      gone.delete(name)
      ;(put.fact === undefined ? gone : puts).set(name, put)
    }
    for (const change of changes) {
      if (change.kind === 'Node') for (const put of await this.#node(change)) note(put)
      else if (change.kind === 'Machine') {
        const [put, others] = await this.#machine(change)
        note(put)
        for (const key of others) keys.set(`${key.kind}/${key.id}`, key)
      } else if (change.kind === 'Room') for (const key of await this.#scaling(change)) keys.set(`${key.kind}/${key.id}`, key)
      else if (change.kind === 'Workload') keys.set(`addon/${change.clusterId}:${change.addon}`, { kind: 'addon', id: `${change.clusterId}:${change.addon}`, region })
      else if (change.kind === 'ControlPlane') keys.set(`cluster/${change.clusterId}`, { kind: 'cluster', id: change.clusterId, region })
    }
    const all = [...puts.values()]
    for (let at = 0; at < all.length; at += SIGHTS_AT_ONCE) await queue.putSights(watch, all.slice(at, at + SIGHTS_AT_ONCE))
    if (gone.size > 0) await queue.putSights(watch, [], [...gone.values()])
    if (keys.size > 0) await store.write(clock.now(), async tx => { for (const key of keys.values()) await tx.enqueue(key) })
  }

  async #node({ clusterId, name, seen }: OfKind<'Node'>): Promise<Put[]> {
    const { region, clock } = this.#parts
    const id = await this.#idOf(clusterId, name)
    if (id === undefined) {
      if (seen) await this.#takeOff(clusterId, name)
      return []
    }
    const cluster = this.#clusters.get(clusterId)
    if (!seen) cluster?.nodes.delete(name)
    return [{ kind: 'KubernetesNode', id, fact: seen ? kubernetesNodeFact(seen) : NODE_GONE, seenAt: clock.now(), observer: `watch on cluster ${cluster?.name ?? clusterId}`, key: { kind: 'node', id, region } }]
  }

  /** Pools that may grow or shrink by what finds no room. */
  async #scaling({ clusterId }: OfKind<'Room'>): Promise<readonly RegionKey[]> {
    const { store, region } = this.#parts
    return (await store.nodePoolsOf(clusterId)).filter(({ spec }) => spec.scaling?.enabled).map(({ id }) => ({ kind: 'node-pool' as const, id, region }))
  }

  /** A node's own machine first; a machine that a pool ordered is its node's from the beginning on. */
  async #machine({ id, seen }: OfKind<'Machine'>): Promise<[Put, readonly RegionKey[]]> {
    const { store, region, clock } = this.#parts
    const nodes = seen ? await store.nodesOfMachine(region, seen.machineId) : []
    const [key, ...others] = nodes.map(node => ({ kind: 'node' as const, id: node.id, region }))
    return [{ kind: 'MachinePower', id, fact: seen && machinePowerFact(seen), seenAt: clock.now(), observer: `machines of region ${region}`, key }, others]
  }

  /** A Node object of nobody whom we know: its node left while the API was away. */
  async #takeOff(clusterId: string, name: string): Promise<void> {
    const { store, tenant, log } = this.#parts
    const cluster = await store.findCluster(clusterId)
    const address = cluster && await this.#parts.tenantAddressOf(cluster)
    if (!address) return
    log.info({ clusterId, node: name }, 'Taking off a Node object that is no node of ours')
    await tenant.ensureNodeGone(address, name).catch((error: unknown) => log.warn({ clusterId, node: name, error }, 'Taking off a Node object did not succeed'))
  }

  async #idOf(clusterId: string, name: string): Promise<string | undefined> {
    const { store } = this.#parts
    const known = this.#clusters.get(clusterId)?.nodes.get(name)
    // A name may have passed to another node since it was last asked for.
    if (known !== undefined && await store.findNode(known)) return known
    const [cluster, records] = await Promise.all([store.findCluster(clusterId), store.nodesOf({ clusterId })])
    const nodes = new Map(records.map(record => [record.spec.name, record.id]))
    if (cluster) this.#clusters.set(clusterId, { name: cluster.spec.name, nodes })
    else this.#clusters.delete(clusterId)
    return nodes.get(name)
  }

  async #answer(change: Asking): Promise<void> {
    if (change.kind === 'Join') return this.#join(change)
    const options = this.#parts
    const form = new Map(Object.entries(change.kind === 'Report'
      ? { secret: change.secret, step: change.step, text: change.text, kind: change.outcome === 'failed' ? 'failure' : 'progress' }
      : { secret: change.secret }))
    try {
      if (change.kind === 'Report') await takeReport(options, form)
      else {
        const answer = await tellMembership(options, form)
        await this.#parts.onboarding.membership(change.secret, answer === 'member' || answer === 'removed' ? answer : 'unknown')
        if (answer === 'removed') await takeConfirmation(options, form)
      }
    } catch (error) {
      if (!(error instanceof JoinRefused)) throw error
      this.#parts.log.info({ why: error.message, change: change.kind }, 'Refusing what a machine says')
    }
  }

  async #join({ machineId, token, hostname, architecture, secret, address }: OfKind<'Join'>): Promise<void> {
    const { store, region, clock, onboarding, log } = this.#parts
    const { machineId: etcMachineId } = await store.findMachine(machineId) ?? {}
    // Its controller has not written down yet that it was made.
    if (etcMachineId === undefined) return onboarding.refused(machineId, true)
    const newcomer = { secretHash: hash('sha256', secret, 'hex'), hostname, architecture, address, kernel: '6.1.0', machineId: etcMachineId }
    try {
      const invitation = await findInvitation(store, region, token, clock.now())
      const { cluster, nodeName, nodeId } = await letMachineIn({ ...this.#parts, tenantCluster: this.#parts.tenant }, invitation, newcomer)
      await onboarding.admitted(machineId, { clusterId: cluster.id, nodeName, nodeId })
    } catch (error) {
      if (!(error instanceof JoinRefused)) throw error
      log.info({ machineId, hostname, why: error.message }, 'Refusing a machine')
      await onboarding.refused(machineId, error.status === 503 || error.status === 429)
    }
  }
}
