import { idOf, shownBy, type Item, type LedgerItem, type View } from './view.ts'

/** Of the world's. */
interface Workload { readonly image: string; readonly pods: readonly { readonly node?: string; readonly broken?: { readonly by: string } }[] }

export interface WorldThing { readonly kind: string; readonly id: string; readonly thing: Record<string, unknown> }

/** What is there by the ledger, and by the world itself. */
export function sameAsLedger({ clusters, nodes, machines, ledger }: View, world: readonly WorldThing[]): string[] {
  const wrong: string[] = []
  const standing = ledger.filter(entry => entry.State !== 'Released')
  for (const entry of standing) if (entry.State === 'Retained' && !entry.Because) wrong.push(`${entry.Kind} ${entry.ProviderId ?? entry.Id} of ${entry.Owner.Name} is retained, and nobody says why`)
  // Whether it went is not known until somebody asks again, and its node says so.
  const isGivenUp = ({ Owner }: LedgerItem) => nodes.some(node => idOf(node) === Owner.Id && shownBy(node).includes('ResourceCleanupFailed'))
  const planes = new Set(world.filter(one => one.kind === 'plane').map(one => one.id))
  const listed = new Set(standing.filter(entry => entry.Kind === 'ControlPlane').map(entry => entry.ClusterId))
  for (const id of planes) if (!listed.has(id)) wrong.push(`the world runs a control plane of ${id} that no ledger row tells of`)
  for (const entry of standing) if (entry.Kind === 'ControlPlane' && entry.State === 'Held' && !planes.has(entry.ClusterId ?? '')) wrong.push(`the ledger holds a control plane of ${entry.Owner.Name} that the world has not`)
  for (const entry of standing) if (entry.Owner.Kind === 'Cluster' && entry.State !== 'Retained' && !clusters.some(cluster => idOf(cluster) === entry.Owner.Id)) wrong.push(`${entry.Kind} is ${entry.State} of the cluster ${entry.Owner.Name}, which is gone`)
  wrong.push(...compare('machine', world.filter(one => one.kind === 'machine').map(one => one.id), standing.filter(entry => entry.Kind === 'Machine' && !isGivenUp(entry)), [...machines.filter(machine => !machine['OwnedBy']), ...machines.filter(machine => machine['Removing'] === true)].map(idOf)))
  const outside = ['LoadBalancer', 'Nat', 'SecurityGroup']
  wrong.push(...compare('outside thing', world.filter(one => one.kind === 'outside').map(one => String(one.thing['providerId'])), standing.filter(entry => outside.includes(entry.Kind)), []))
  return wrong
}

function compare(what: string, made: readonly string[], entries: readonly LedgerItem[], besides: readonly string[]): string[] {
  const listed = new Set(entries.map(entry => entry.ProviderId)), there = new Set(made)
  return [
    ...made.filter(id => !listed.has(id) && !besides.includes(id)).map(id => `the world has the ${what} ${id}, which no ledger row tells of`),
    ...entries.filter(entry => (entry.State === 'Held' || entry.State === 'Retained') && !there.has(entry.ProviderId ?? '')).map(entry => `the ledger has the ${what} ${entry.ProviderId} of ${entry.Owner.Name} as ${entry.State}, which the world has not`),
  ]
}

/** What may be shown for ever when nothing is wrong any more and nothing was asked: every other state would have had to end. */
export function unrest({ clusters, pools, central, nodes, addons, machines }: View, world: readonly WorldThing[]): string[] {
  const wrong: string[] = []
  const steady = (kind: string, items: readonly Item[], allowed: (item: Item, pair: string) => boolean) => {
    for (const item of items) if (!allowed(item, shownBy(item))) wrong.push(`the ${kind} ${String(item['Name'])} (${idOf(item)}) is still ${shownBy(item)}, long after everything was cured`)
  }
  const cleanup = /ResourceCleanupFailed/
  steady('cluster', clusters, (_, pair) => pair === 'Running/Ok' || cleanup.test(pair) || /^Failed\/(CreateError|LimitedByQuota|StockOut|Balance|Unknown)$/.test(pair))
  const clusterOf = (item: Item) => clusters.find(cluster => idOf(cluster) === item['ClusterId'])
  // Where the cluster itself is Failed, what is in it can be anything but under way for ever.
  const isWell = (item: Item) => shownBy(clusterOf(item) ?? {}).startsWith('Running/')
  steady('pool', pools, (item, pair) => !isWell(item) || pair === 'Running/Ok' || cleanup.test(pair) || pair === 'Failed/Unknown')
  // A machine on which a later run of a script ended half-way has no kubelet until somebody runs it again; one that did not come up at its start stays so until somebody switches it.
  const isHalf = (id: string) => world.some(one => one.kind === 'machine' && one.id === id && (one.thing['upAt'] === undefined || one.thing['member'] === undefined || (one.thing['member'] as Item)['fails'] !== undefined))
  const off = (item: Item) => machines.every(machine => machine['NodeId'] !== idOf(item) || machine['Power'] === 'off' || machine['Link'] === 'cut' || isHalf(idOf(machine)))
  steady('node', nodes, (item, pair) => !isWell(item) || /^(Running\/(Ok|Unschedulable)|Stopped\/Ok|Failed\/(InitializeFailed|Unknown))$/.test(pair) || cleanup.test(pair) || (pair === 'Failed/NotReady' && off(item)))
  // Its pods are where nobody hears of them.
  const hasDarkNodes = (item: Item) => nodes.some(node => node['ClusterId'] === item['ClusterId'] && !shownBy(node).startsWith('Running/'))
  const grows = (pool: Item) => {
    const scaling = (pool['AutoScaling'] ?? (pool['ElasticConfig'] as Item | undefined)?.['AutoScaleConfig']) as { readonly Enabled?: boolean; readonly MaxReplicas?: number } | undefined
    return scaling?.Enabled === true && shownBy(pool) === 'Running/Ok' && nodes.filter(node => node['NodePoolId'] === idOf(pool)).length < (scaling.MaxReplicas ?? 0)
  }
  const isOf = ({ ClusterId }: Item) => (item: Item) => item['ClusterId'] === ClusterId
  // Of what waits for room while machines could be had, only cluster DNS alone, and what has a pod on each node there is, brings none.
  const bringsNodes = (item: Item) => !['core-dns', 'log-collector'].includes(String(item['Name'])) && /^(Running\/Ok|Failed\/(SchedulingFailed|Degraded))$/.test(shownBy(item))
  for (const item of addons.filter(one => isWell(one) && shownBy(one) === 'Failed/SchedulingFailed' && addons.filter(isOf(one)).some(bringsNodes))) {
    const pool = [...pools, ...central].filter(isOf(item)).find(grows)
    if (pool) wrong.push(`the add-on ${String(item['Name'])} (${idOf(item)}) finds no room, and the pool ${String(pool['Name'])} makes none`)
  }
  // What is short of pods has one that has no node, or is on one that nobody hears of, or whose image somebody took away: nothing else holds them for ever.
  const workloadsOf = (item: Item) => world.filter(({ kind, thing }) => kind === 'workload' && thing['clusterId'] === item['ClusterId'] && thing['owner'] === item['Name']).map(({ thing }) => thing as unknown as Workload)
  const hasPod = (item: Item, is: (pod: Workload['pods'][number], image: string) => boolean) => workloadsOf(item).some(({ pods, image }) => pods.some(pod => is(pod, image)))
  const isMissing = (image: string) => world.some(({ kind, id }) => kind === 'missing-image' && (id === image || id === image.split(':')[0]))
  const isDark = (item: Item, name: string | undefined) => nodes.some(node => node['ClusterId'] === item['ClusterId'] && node['Name'] === name && !shownBy(node).startsWith('Running/'))
  steady('add-on', addons, (item, pair) => !isWell(item) || /^(Running\/Ok|Failed\/NameConflict)$/.test(pair) || cleanup.test(pair) || (pair === 'Failed/Unknown' && hasDarkNodes(item))
    || (pair === 'Failed/SchedulingFailed' && hasPod(item, pod => pod.node === undefined))
    || (pair === 'Failed/Degraded' && hasPod(item, (pod, image) => pod.node === undefined || isDark(item, pod.node) || (pod.broken?.by === 'image' && isMissing(image)))))
  return wrong
}
