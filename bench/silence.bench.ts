/** One kubelet killed, and two thousand simulated nodes silent together → {Failed,[NotReady]} in ListEdgeNodes, beside a bare watch that sees Kubernetes' own mark. */
import type { EdgeholdClient } from '#client/client.ts'
import { Installation } from '#test/harness/command.ts'
import { start } from './client-of.ts'
import { administratorOf, readyOf, watchNodeObjects } from './cluster-of.ts'
import { addMachine } from './machines-of.ts'
import { clusterRuns, createCluster, createPool, nodeShows } from './orders.ts'
import { SimulatedNodes } from './simulated-nodes.ts'
import { percentile, printNote, printTable, verdict } from './table.ts'

const NODES = Number(process.env['BENCH_NODES'] ?? 2000)
const ONE = process.env['BENCH_ONE'] !== '0'
const AFTER_MARK_S = 1
/** Counted from Kubernetes' own mark: its grace alone is 50 s, and no number of ours can undercut it. */
const ALL_SHOWN_S = 60
/** Kubernetes' own: node-monitor-grace-period. */
const GRACE_S = 50

const place = await Installation.make()
try {
  const client = await start(place)
  if (ONE) {
    const one = await killOneKubelet(client)
    printTable('silence of one: its kubelet killed → seen, seconds', [
      { what: 'bare watch: Ready is Unknown (Kubernetes\' own grace)', seconds: one.marked, verdict: '' },
      { what: 'ListEdgeNodes: {Failed,[NotReady]}', seconds: one.shown, verdict: verdict(one.shown, one.marked + AFTER_MARK_S, ' s') },
    ])
  }
  if (NODES > 0) {
    const many = await silenceMany(client)
    const row = (what: string, percent: number) => ({ what, 'bare watch': percentile(many.marked, percent), 'ListEdgeNodes': percentile(many.shown, percent) })
    printTable(`silence of ${NODES}: seconds after the last of them was heard of`, [
      { ...row('first', 0), verdict: '' }, { ...row('half', 50), verdict: '' }, { ...row('99 of 100', 99), verdict: '' },
      { ...row('all', 100), verdict: '' },
      { what: 'all, beyond Kubernetes\' grace', 'bare watch': percentile(many.marked, 100) - GRACE_S, 'ListEdgeNodes': percentile(many.shown, 100) - GRACE_S, verdict: '' },
      { what: 'all shown, after Kubernetes marked the last', 'bare watch': 0, 'ListEdgeNodes': percentile(many.shown, 100) - percentile(many.marked, 100), verdict: verdict(percentile(many.shown, 100) - percentile(many.marked, 100), ALL_SHOWN_S, ' s') },
    ])
    printNote(`Kubernetes marks a node when its grace of ${GRACE_S} s is over and its monitor comes by (every 5 s), and marks them one after another: before that nobody can know. The last heartbeats of all were sent within ${many.lastRoundS.toFixed(1)} s.`)
    printNote(`${NODES} Node objects and Leases of one real API server, their heartbeats sent by this process; their rows in the store were written without the join protocol. Shown Running ${many.runningS.toFixed(1)} s after the first was made.`)
  }
} finally {
  await place.remove()
}

async function killOneKubelet(client: EdgeholdClient): Promise<{ marked: number; shown: number }> {
  const clusterId = await createCluster(client, { name: 'silence-one' })
  await clusterRuns(client, clusterId)
  const { line } = await createPool(client, clusterId)
  const machine = await addMachine(place, client, 'silent-1')
  await machine.run(['sh', '-c', line])
  await nodeShows(client, clusterId, machine.name, 'Running/Ok', 60_000, 50)
  const api = await administratorOf(place, clusterId)
  const watch = await watchNodeObjects(api)
  const unknown = watch.sees(machine.name, node => readyOf(node) === 'Unknown', 180_000)
  // Whoever keeps it alive goes first: the tree of keepers, then the kubelet's own.
  await machine.run(['sh', '-c', 'cd /run/edgehold-node; kill -KILL $(cat tree.pid) $(cat kubelet.keeper) $(cat kubelet.pid); sleep 0.2; ! kill -0 $(cat kubelet.pid) 2>/dev/null'])
  const killed = performance.now()
  const [shown, marked] = await Promise.all([nodeShows(client, clusterId, machine.name, 'Failed/NotReady', 180_000, 10), unknown])
  await watch.stop()
  await api.close()
  return { marked: (marked - killed) / 1000, shown: (shown - killed) / 1000 }
}

async function silenceMany(client: EdgeholdClient): Promise<{ marked: number[]; shown: number[]; lastRoundS: number; runningS: number }> {
  // Room for two thousand nodes of 64 pods each.
  const clusterId = await createCluster(client, { name: 'silence-many', pods: '10.32.0.0/13', services: '172.30.16.0/20' })
  await clusterRuns(client, clusterId)
  const { poolId } = await createPool(client, clusterId)
  const nodes = await SimulatedNodes.prepare(place, clusterId, poolId, NODES)
  const startedAt = performance.now()
  await nodes.come()
  await countReaches(client, clusterId, 'Running', NODES, 600_000)
  const runningS = (performance.now() - startedAt) / 1000
  await countReaches(client, clusterId, 'Failed', 0, 60_000)

  const markedAt = new Map<string, number>()
  const watch = await watchNodeObjects(nodes.api, node => {
    if (readyOf(node) === 'Unknown' && !markedAt.has(node.metadata.name)) markedAt.set(node.metadata.name, performance.now())
  })
  const lastRoundMs = await nodes.fallSilent()
  const silentAt = performance.now()
  const shown: number[] = []
  const end = silentAt + 300_000
  while (shown.length < NODES && performance.now() < end) {
    const asked = performance.now()
    const { TotalCount } = await client.call('ListEdgeNodes', { Filter: { ClusterIds: [clusterId], Statuses: [{ Phase: 'Failed', ConditionsType: 'NotReady' }] }, PageSize: 1 })
    const at = (performance.now() - silentAt) / 1000
    while (shown.length < TotalCount) shown.push(at)
    await new Promise(resolve => setTimeout(resolve, Math.max(0, 200 - (performance.now() - asked))))
  }
  await watch.stop()
  await nodes.api.close()
  if (shown.length < NODES) throw new Error(`Only ${shown.length} of ${NODES} silent nodes were shown after 300 s; Kubernetes marked ${markedAt.size}`)
  return { marked: [...markedAt.values()].map(at => (at - silentAt) / 1000), shown, lastRoundS: lastRoundMs / 1000, runningS }
}

async function countReaches(client: EdgeholdClient, clusterId: string, phase: string, count: number, deadlineMs: number): Promise<void> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const { TotalCount } = await client.call('ListEdgeNodes', { Filter: { ClusterIds: [clusterId], Statuses: [{ Phase: phase }] }, PageSize: 1 })
    if (TotalCount === count) return
    if (performance.now() > end) throw new Error(`${TotalCount} nodes are ${phase} after ${deadlineMs / 1000} s, not ${count}`)
    await new Promise(resolve => setTimeout(resolve, 250))
  }
}
