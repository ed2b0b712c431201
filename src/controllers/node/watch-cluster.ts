import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { HeldWatch } from '#kernel/watching.ts'
import type { Clock } from '#ports/clock.ts'
import type { Queue } from '#ports/queue.ts'
import type { NodeSeen, TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { ensureMembers } from './members.ts'
import type { NodePorts } from './ports.ts'
import type { RouteKeeper } from './routes.ts'
import { kubernetesNodeFact, NODE_GONE, nodeSight, transitionText, type KubernetesNodeFact } from './sights.ts'

/** A watch that broke for less than this is no blindness worth a mark on every node. */
export const BLIND_AFTER_MS = 5_000
/** An API that was away this long may have kept kubelets from being heard. */
const AWAY_MS = 10_000
/** Kubernetes' own grace time (node-monitor-grace-period). */
export const GRACE_MS = 50_000
const SIGHTS_AT_ONCE = 500
/** More names than this are looked up by one list of the cluster's nodes instead of one by one. */
const FEW = 8

/**
 * One cluster's Node objects, turned into sights: what the watch saw is written when it is a transition, with the key of its node. Node objects of nobody we know
 * are taken off (a node that left while the API was away), and the members' list is put right after every full list.
 */
export class ClusterNodesWatch {
  readonly #cluster: ClusterRecord
  readonly #address: TenantClusterAddress
  readonly #watch: HeldWatch
  readonly #queue: Queue
  readonly #ports: NodePorts
  readonly #routes: RouteKeeper
  /** Real time; only slept on. */
  readonly #sleeper: Clock
  readonly #idsByName = new Map<string, string>()
  readonly #toldById = new Map<string, string>()
  #lostAt: number | undefined
  #judgeFrom: number | undefined
  #blindness: AbortController | undefined
  /** What the watch told and is not written yet, the newest of each name; `undefined`: its Node object is gone. */
  readonly #waiting = new Map<string, NodeSeen | undefined>()
  #writing: Promise<void> | undefined

  constructor(parts: { cluster: ClusterRecord; address: TenantClusterAddress; watch: HeldWatch; queue: Queue; ports: NodePorts; routes: RouteKeeper; sleeper: Clock }) {
    this.#cluster = parts.cluster
    this.#address = parts.address
    this.#watch = parts.watch
    this.#queue = parts.queue
    this.#ports = parts.ports
    this.#routes = parts.routes
    this.#sleeper = parts.sleeper
  }

  /** Ends when aborted, and throws when a sight could not be written: the watch is then begun anew with a full list. */
  async run(signal: AbortSignal): Promise<void> {
    const broke = new AbortController()
    const orBreak = <Arguments extends unknown[]>(act: (...given: Arguments) => Promise<void>) => async (...given: Arguments): Promise<void> => {
      try {
        await act(...given)
      } catch (error) {
        broke.abort(error)
      }
    }
    const { tenant } = this.#ports.regionOf(this.#cluster.region)
    const ends = AbortSignal.any([signal, broke.signal])
    // Events do not wait for what came before them to be written: two thousand nodes that fall silent together are then a few writes.
    const write = (): void => {
      this.#writing ??= orBreak(() => this.#writeWaiting(ends))().finally(() => { this.#writing = undefined })
    }
    try {
      await tenant.watch(this.#address, {
        onSync: orBreak(nodes => this.#sync(nodes)),
        onChange: async node => this.#see(node, write),
        onGone: async name => this.#miss(name, write),
        onLost: orBreak(why => this.#lose(why, ends)),
        isMember: name => this.#isMember(name),
      }, ends)
    } finally {
      this.#blindness?.abort()
      await this.#writing
    }
    if (broke.signal.aborted) throw broke.signal.reason
  }

  async #sync(nodes: readonly NodeSeen[]): Promise<void> {
    // The list knows better than what came before it.
    this.#waiting.clear()
    await this.#writing
    const now = this.#now()
    this.#blindness?.abort()
    if (this.#lostAt !== undefined && now - this.#lostAt >= AWAY_MS) this.#judgeFrom = now + GRACE_MS
    this.#lostAt = undefined
    const records = await this.#readNames()
    const seen = new Map(nodes.map(node => [node.name, node]))
    const facts = records.map(record => {
      const node = seen.get(record.spec.name)
      return { id: record.id, fact: node ? this.#judged(kubernetesNodeFact(node)) : NODE_GONE }
    })
    for (let at = 0; at < facts.length; at += SIGHTS_AT_ONCE) await this.#put(facts.slice(at, at + SIGHTS_AT_ONCE))
    await this.#queue.markWatch(this.#watch, undefined)
    this.#routes.all(nodes)
    await ensureMembers(this.#address, this.#ports.store, this.#tenant())
    for (const node of nodes) if (!this.#idsByName.has(node.name)) await this.#takeOff(node.name)
  }

  #see(node: NodeSeen, write: () => void): void {
    this.#routes.one(node)
    const known = this.#idsByName.get(node.name)
    if (!this.#waiting.has(node.name) && known !== undefined && this.#toldById.get(known) === transitionText(this.#judged(kubernetesNodeFact(node)))) return
    this.#waiting.set(node.name, node)
    write()
  }

  #miss(name: string, write: () => void): void {
    this.#routes.gone(name)
    this.#waiting.set(name, undefined)
    write()
  }

  async #writeWaiting(signal: AbortSignal): Promise<void> {
    while (this.#waiting.size > 0 && !signal.aborted) {
      const batch = [...this.#waiting].slice(0, SIGHTS_AT_ONCE)
      for (const [name] of batch) this.#waiting.delete(name)
      const many = batch.length > FEW
      if (many) await this.#readNames()
      const seen: { id: string; fact: KubernetesNodeFact }[] = []
      for (const [name, node] of batch) {
        const id = many ? this.#idsByName.get(name) : await this.#idOf(name)
        if (!node) this.#idsByName.delete(name)
        if (id !== undefined) seen.push({ id, fact: node ? this.#judged(kubernetesNodeFact(node)) : NODE_GONE })
        else if (node) await this.#takeOff(name)
      }
      await this.#put(seen)
    }
  }

  /** Said only if it lasts: an API server that restarts is back in seconds. */
  async #lose(why: string, signal: AbortSignal): Promise<void> {
    if (this.#lostAt !== undefined) return
    const since = this.#now()
    this.#lostAt = since
    this.#ports.log.info({ clusterId: this.#cluster.id, why }, 'Losing sight of nodes')
    const blindness = new AbortController()
    this.#blindness = blindness
    void this.#sleeper.sleep(BLIND_AFTER_MS, AbortSignal.any([blindness.signal, signal])).then(
      () => this.#queue.markWatch(this.#watch, since),
    ).catch(() => undefined) // seen again, or ended: a watch without a living owner reads as stale anyway
  }

  async #isMember(name: string): Promise<boolean | { readonly address: string }> {
    const id = await this.#idOf(name)
    const record = id === undefined ? undefined : await this.#ports.store.findNode(id)
    if (record === undefined || record.facts.deletion) return false
    return record.spec.address === undefined || { address: record.spec.address }
  }

  /** A name may have passed to another node since it was last asked for, so a known id is checked. */
  async #idOf(name: string): Promise<string | undefined> {
    const known = this.#idsByName.get(name)
    if (known !== undefined && await this.#ports.store.findNode(known)) return known
    await this.#readNames()
    return this.#idsByName.get(name)
  }

  async #readNames(): Promise<readonly NodeRecord[]> {
    const records = await this.#ports.store.nodesOf({ clusterId: this.#cluster.id })
    this.#idsByName.clear()
    for (const record of records) this.#idsByName.set(record.spec.name, record.id)
    const there = new Set(this.#idsByName.values())
    for (const id of this.#toldById.keys()) if (!there.has(id)) this.#toldById.delete(id)
    return records
  }

  async #put(seen: readonly { id: string; fact: KubernetesNodeFact }[]): Promise<void> {
    const told = seen.map(({ id, fact }) => ({ id, fact, text: transitionText(fact) })).filter(({ id, text }) => this.#toldById.get(id) !== text)
    if (told.length === 0) return
    const { region, spec } = this.#cluster
    await this.#queue.putSights(this.#watch, told.map(({ id, fact }) => nodeSight({ region, clusterName: spec.name, id, fact, seenAt: this.#now() })))
    for (const { id, text } of told) this.#toldById.set(id, text)
  }

  #judged(fact: KubernetesNodeFact): KubernetesNodeFact {
    const waits = this.#judgeFrom !== undefined && this.#now() < this.#judgeFrom && fact.ready?.status !== 'True'
    return waits ? { ...fact, judgeFrom: this.#judgeFrom! } : fact
  }

  async #takeOff(name: string): Promise<void> {
    this.#ports.log.info({ clusterId: this.#cluster.id, node: name }, 'Taking off a Node object that is no node of ours')
    await this.#tenant().ensureNodeGone(this.#address, name)
  }

  #tenant() {
    return this.#ports.regionOf(this.#cluster.region).tenant
  }

  #now(): number {
    return this.#ports.regionOf(this.#cluster.region).clock.now()
  }
}
