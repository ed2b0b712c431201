import { StoryOfStatuses } from './story-of-statuses.ts'
import { COUNTERS, isSet, seenOtherwise, type Kind } from './tables.ts'
import { idOf, look, pairOf, result, shownBy, type Callable, type Item, type Pair, type Seen, type View } from './view.ts'

/** Says what is wrong with what a region shows; it knows the rules from the pages that people read, and nothing of the code. */
export class Oracle {
  readonly story = new StoryOfStatuses()
  readonly #poolOf = new Map<string, string>()
  readonly #minReplicas = new Map<string, number>()
  readonly #explained = new Map<string, string>()
  readonly #tokens = new Map<string, Set<string>>()
  last: View | undefined

  /** An answer with this Id was given to this token. */
  answered(token: string, id: string): void {
    const ids = this.#tokens.get(token) ?? new Set()
    this.#tokens.set(token, ids.add(id))
  }

  /** Looks at everything; what is wrong, as sentences. */
  async check(region: Callable): Promise<string[]> {
    const view = this.last = await look(region, this.story.position)
    this.#learn(view)
    return [
      ...this.story.take(view.news, { poolOf: this.#poolOf, minReplicas: this.#minReplicas }), ...this.story.compare(), ...this.#sameAsTold(view), ...countersOf(view), ...membership(view),
      ...[...this.#tokens].filter(([, ids]) => ids.size > 1).map(([token, ids]) => `the token ${token} made ${[...ids].join(' and ')}`), ...await this.#exits(region, view),
    ]
  }

  #learn(view: View): void {
    for (const node of view.nodes) this.#poolOf.set(idOf(node), String(node['NodePoolId']))
    for (const pool of [...view.pools, ...view.central]) {
      const scaling = (pool['AutoScaling'] ?? (pool['ElasticConfig'] as Item | undefined)?.['AutoScaleConfig']) as { readonly MinReplicas?: number } | undefined
      if (scaling) this.#minReplicas.set(idOf(pool), scaling.MinReplicas ?? 0)
      else this.#minReplicas.delete(idOf(pool))
    }
  }

  #sameAsTold(view: View): string[] {
    const wrong: string[] = []
    const shown = new Map([...view.clusters, ...view.pools, ...view.nodes, ...view.addons].map(item => [idOf(item), item]))
    for (const [id, item] of shown) {
      const told = this.story.get(id)
      if (told?.pair !== shownBy(item)) wrong.push(`${String(item['Name'])} (${id}) shows ${shownBy(item)}, and its history says ${told?.pair ?? 'nothing'}`)
    }
    for (const id of this.story.ids()) if (!shown.has(id)) wrong.push(`the history tells of ${id}, ${this.story.get(id)?.pair}, which is in no list`)
    const kinds: [Kind, readonly Item[]][] = [['Cluster', view.clusters], ['NodePool', view.pools], ['Node', view.nodes], ['Addon', view.addons]]
    for (const [kind, items] of kinds) for (const item of items) if (!isSet(kind, shownBy(item))) wrong.push(`${kind} ${String(item['Name'])} shows ${shownBy(item)}, which no table has`)
    return wrong
  }

  /** Every state has a way out, and its time is that of its pair. */
  async #exits(region: Callable, view: View): Promise<string[]> {
    const wrong: string[] = []
    for (const item of [...view.clusters, ...view.pools, ...view.nodes, ...view.addons]) {
      const id = idOf(item), told = this.story.get(id), mark = `${told?.pair} ${told?.since}`
      // What is said of an add-on's pods, and what was seen of them, changes under the same pair.
      if (this.#explained.get(id) === mark && !view.addons.includes(item)) continue
      this.#explained.set(id, mark)
      const why = await result(region, 'ExplainStatus', { Id: id })
      const who = `${String(item['Name'])} (${id})`
      if (pairOf(why['Status'] as Pair) !== shownBy(item)) wrong.push(`${who} shows ${shownBy(item)} and is explained as ${pairOf(why['Status'] as Pair)}`)
      const otherwise = seenOtherwise(String(why['Because']), why['Evidence'] as readonly Seen[])
      if (otherwise !== undefined) wrong.push(`${who} is ${shownBy(item)} with "${String(why['Because'])}", and what was seen is: ${otherwise}`)
      if (!why['Because']) wrong.push(`${who} is ${shownBy(item)} without a because`)
      if (!Array.isArray(why['Exits']) || why['Exits'].length === 0) wrong.push(`${who} is ${shownBy(item)}, and nothing leads out`)
      if (why['Since'] !== told?.since) wrong.push(`${who} is ${shownBy(item)} since ${String(why['Since'])}, and its history says since ${told?.since}`)
    }
    return wrong
  }
}

function countersOf({ clusters, pools, nodes }: View): string[] {
  const wrong: string[] = []
  const parents: [string, readonly Item[], string][] = [['cluster', clusters, 'ClusterId'], ['pool', pools, 'NodePoolId']]
  for (const [what, items, member] of parents) for (const item of items) {
    const own = nodes.filter(node => node[member] === item['Id']).map(node => shownBy(node).split('/')[0] ?? '')
    const says = item['NodeStatistics'] as Record<string, number>
    const is: Record<string, number> = { TotalCount: own.length }
    for (const [counter, phase] of Object.entries(COUNTERS)) is[counter] = own.filter(one => one === phase).length
    for (const [counter, count] of Object.entries(is)) if (says[counter] !== count) wrong.push(`the ${what} ${String(item['Name'])} says ${counter} ${says[counter]}, and ${count} of its nodes are so`)
  }
  return wrong
}

function membership({ clusters, pools, nodes, addons }: View): string[] {
  const wrong: string[] = []
  const clusterIds = new Set(clusters.map(idOf)), poolIds = new Map(pools.map(pool => [idOf(pool), pool['ClusterId']]))
  for (const one of [...pools, ...addons]) if (!clusterIds.has(String(one['ClusterId']))) wrong.push(`${String(one['Name'])} is of a cluster that is gone`)
  const names = new Set<string>(), machines = new Set<string>()
  for (const node of nodes) {
    const who = `the node ${String(node['Name'])} (${idOf(node)})`
    if (poolIds.get(String(node['NodePoolId'])) !== node['ClusterId']) wrong.push(`${who} is of a pool that is not of its cluster`)
    const name = `${String(node['ClusterId'])}/${String(node['Name'])}`
    if (names.has(name)) wrong.push(`${who} has the name of another node of its cluster`)
    names.add(name)
    const machine = String(node['InstanceId'])
    if (machine && !shownBy(node).startsWith('Deleting/') && !shownBy(node).includes('ResourceCleanupFailed')) {
      if (machines.has(machine)) wrong.push(`${who} has the machine of another node`)
      machines.add(machine)
    }
  }
  return wrong
}
