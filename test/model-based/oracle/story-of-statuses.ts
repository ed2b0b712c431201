import { ADDON_WHILE_CLUSTER_STANDS, isSet, POOL_WHILE_CLUSTER_STANDS, seenOtherwise, wrongTurn, type Kind } from './tables.ts'
import { pairOf, type Change } from './view.ts'

interface Told { readonly kind: Kind; readonly name: string; readonly clusterId: string; pair: string; since: string; because: string; poolId?: string }

const STOP = /^(Stopped|Starting)\//

/** What a caller knows of a pool or node beyond its pair. */
export interface Known {
  /** Of every node that was ever listed. */
  readonly poolOf: ReadonlyMap<string, string>
  /** Of every pool that orders its machines: how many Running it is to keep. */
  readonly minReplicas: ReadonlyMap<string, number>
}

/**
 * The statuses of a region as its history tells them, change by change, and what is wrong with it. Parents and children are compared at the end of each instant, where no
 * transaction is half told.
 */
export class StoryOfStatuses {
  position = 0
  readonly #told = new Map<string, Told>()
  /** Clusters that were stopped, and that nobody has seen working since. */
  readonly #notBack = new Set<string>()
  #at = ''
  #unchecked = false

  get(id: string): { readonly pair: string; readonly since: string } | undefined {
    return this.#told.get(id)
  }

  ids(): readonly string[] {
    return [...this.#told].filter(([, { pair }]) => pair !== 'gone').map(([id]) => id)
  }

  /** Takes the next changes, oldest first; what is wrong, as sentences. */
  take(news: readonly Change[], known: Known): string[] {
    const wrong: string[] = []
    for (const change of news) {
      if (change.Kind === 'Onboarding') continue
      if (change.At !== this.#at) wrong.push(...this.#compare())
      const who = `${change.Kind} ${change.Name}`
      if (change.Position <= this.position) wrong.push(`position ${change.Position} of ${who} does not come after ${this.position}`)
      if (change.At < this.#at) wrong.push(`${who} changed at ${change.At}, after something that changed at ${this.#at}`)
      if (!change.Because && change.Status) wrong.push(`${who} is ${pairOf(change.Status)} at ${change.At} without a because`)
      if (change.Evidence.length === 0 && !change.CausedBy) wrong.push(`${who} became ${pairOf(change.Status)} at ${change.At} without evidence: ${change.Because}`)
      const otherwise = seenOtherwise(change.Because, change.Evidence)
      if (otherwise !== undefined) wrong.push(`${who} became ${pairOf(change.Status)} at ${change.At} with "${change.Because}", and what was seen is: ${otherwise}`)
      this.position = change.Position
      this.#at = change.At
      wrong.push(...this.#turn(change, known))
      this.#unchecked = true
    }
    return wrong
  }

  /** At rest between two calls: everything that is told is committed. */
  compare(): string[] {
    return this.#compare()
  }

  #turn(change: Change, known: Known): string[] {
    const kind = change.Kind as Kind, who = `${kind} ${change.Name}`, after = pairOf(change.Status)
    const wrong: string[] = []
    if (after !== 'gone' && !isSet(kind, after)) wrong.push(`${who} showed ${after} at ${change.At}, which no table has`)
    const told = this.#told.get(change.Id)
    const turn = wrongTurn(kind, told?.pair, after)
    // An add-on's id is its name, so another one of that name is told under the same.
    if (turn !== undefined && !(kind === 'Addon' && told?.pair === 'gone' && after === 'Creating/Progressing')) wrong.push(`${who} ${turn} at ${change.At}: ${change.Because}`)
    const ours = change.Operation === undefined && kind === 'Node' && told?.pair.startsWith('Running/') && (after === 'Deleting/Progressing' || after === 'Stopping/Progressing')
    if (kind === 'Cluster' && STOP.test(after)) this.#notBack.add(change.Id)
    else if (kind === 'Cluster' && after !== 'Failed/Unknown') this.#notBack.delete(change.Id)
    this.#told.set(change.Id, { kind, name: change.Name, clusterId: change.ClusterId ?? change.Id, pair: after, since: told?.pair === after ? told.since : change.At, because: change.Because })
    const poolId = ours ? known.poolOf.get(change.Id) : undefined
    const min = poolId === undefined ? undefined : known.minReplicas.get(poolId)
    const pool = poolId === undefined ? undefined : this.#told.get(poolId)
    if (min !== undefined && pool && !pool.pair.startsWith('Deleting/') && pool.pair !== 'Failed/ResourceCleanupFailed') {
      const running = [...this.#told].filter(([id, node]) => node.kind === 'Node' && known.poolOf.get(id) === poolId && node.pair.startsWith('Running/')).length
      if (running < min) wrong.push(`${who} became ${after} at ${change.At} by our own decision, which leaves ${running} Running of at least ${min}: ${change.Because}`)
    }
    return wrong
  }

  #compare(): string[] {
    if (!this.#unchecked) return []
    this.#unchecked = false
    const wrong: string[] = []
    const living = [...this.#told].filter(([, { pair }]) => pair !== 'gone').map(([id, told]) => ({ id, ...told }))
    for (const cluster of living.filter(one => one.kind === 'Cluster')) {
      const children = living.filter(one => one.clusterId === cluster.id && one.id !== cluster.id)
      const pools = children.filter(one => one.kind === 'NodePool')
      const stands = this.#notBack.has(cluster.id)
      for (const pool of pools) {
        if (stands && !POOL_WHILE_CLUSTER_STANDS.includes(pool.pair)) wrong.push(`at ${this.#at} the pool ${pool.name} shows ${pool.pair} while its cluster is ${cluster.pair}`)
        if (!stands && pool.pair === 'Failed/ClusterNotRunning') wrong.push(`at ${this.#at} the pool ${pool.name} shows ${pool.pair} while its cluster is ${cluster.pair}`)
      }
      for (const addon of children.filter(one => one.kind === 'Addon')) {
        if (stands && !ADDON_WHILE_CLUSTER_STANDS.includes(addon.pair)) wrong.push(`at ${this.#at} the add-on ${addon.name} shows ${addon.pair} while its cluster is ${cluster.pair}`)
        if (!stands && addon.pair === 'Failed/ClusterNotRunning') wrong.push(`at ${this.#at} the add-on ${addon.name} shows ${addon.pair} while its cluster is ${cluster.pair}`)
      }
      const moving = pools.filter(pool => /^(Creating|Deleting|Scaling)\//.test(pool.pair))
      if (moving.length > 0 && cluster.pair.startsWith('Running/')) wrong.push(`at ${this.#at} the cluster ${cluster.name} shows ${cluster.pair} while its pool ${moving[0]?.name} is ${moving[0]?.pair}`)
      if (moving.length === 0 && cluster.pair === 'Updating/Progressing' && !cluster.because.includes('UpdateClusterConfig')) wrong.push(`at ${this.#at} the cluster ${cluster.name} is Updating, though no pool of it comes, goes or scales: ${cluster.because}`)
    }
    return wrong
  }
}
