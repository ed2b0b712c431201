/** A change of a node in its cluster → seen by ListEdgeNodes, from the moment the API server answered; beside a bare watch on that API server. */
import { Installation } from '#test/harness/command.ts'
import { start } from './client-of.ts'
import { administratorOf, watchNodeObjects } from './cluster-of.ts'
import { addMachine } from './machines-of.ts'
import { clusterRuns, createCluster, createPool, nodeShows } from './orders.ts'
import { percentile, printNote, printTable, verdict } from './table.ts'

const CHANGES = Number(process.env['BENCH_CHANGES'] ?? 200)
const BAR_MS = 250
const ASK_EVERY_MS = 4

const place = await Installation.make()
try {
  const client = await start(place)
  const clusterId = await createCluster(client, { name: 'notice' })
  await clusterRuns(client, clusterId)
  const { line } = await createPool(client, clusterId)
  const machine = await addMachine(place, client, 'notice-1')
  await machine.run(['sh', '-c', line])
  await nodeShows(client, clusterId, machine.name, 'Running/Ok', 60_000, 50)
  const api = await administratorOf(place, clusterId)
  const watch = await watchNodeObjects(api)

  const ours: number[] = []
  const bare: number[] = []
  for (let change = 0; change < CHANGES; change++) {
    const cordon = change % 2 === 0
    await new Promise(resolve => setTimeout(resolve, 50 + Math.random() * 150))
    const bareSees = watch.sees(machine.name, node => (node.spec?.unschedulable ?? false) === cordon, 30_000)
    await api.json('PATCH', `/api/v1/nodes/${machine.name}`, { body: { spec: { unschedulable: cordon ? true : null } }, contentType: 'application/merge-patch+json' })
    const answered = performance.now()
    const seen = await nodeShows(client, clusterId, machine.name, cordon ? 'Running/Unschedulable' : 'Running/Ok', 30_000, ASK_EVERY_MS)
    ours.push(seen - answered)
    bare.push(Math.max(0, (await bareSees) - answered))
  }
  await watch.stop()
  await api.close()
  const row = (percent: number) => ({ 'bare watch': percentile(bare, percent), 'ListEdgeNodes': percentile(ours, percent) })
  printTable(`notice: cordon or uncordon in the cluster → seen, ms after the API server answered, ${CHANGES} changes`, [
    { what: 'p50', ...row(50), verdict: '' },
    { what: 'p99', ...row(99), verdict: verdict(percentile(ours, 99), BAR_MS, ' ms') },
    { what: 'longest', ...row(100), verdict: '' },
  ])
  printNote(`ListEdgeNodes was asked every ${ASK_EVERY_MS} ms with one signed call after the other; the time of its answer is in the number. A watch may tell before the API server's answer came: that counts as 0.`)
} finally {
  await place.remove()
}
