/** How long lists take at the size of the fleet that is there, one call at a time over the wire. */
import type { OpenStore } from '#store/open.ts'
import { Caller } from './simulated-client.ts'
import type { Signer } from './signed-requests.ts'
import { percentile, printTable, verdict } from './table.ts'

const TIMES = Number(process.env['BENCH_LISTS'] ?? 500)
const PAGE = 100
const BAR_MS = 20, NAME_BAR_MS = 100

export async function measureLists(opened: OpenStore, signer: Signer): Promise<void> {
  const caller = new Caller(signer, 1)
  const nodes = await opened.query<{ id: string; cluster_id: string; node_pool_id: string; name: string }>('select id, cluster_id, node_pool_id, name from node order by random() limit $1', [TIMES])
  const running = { Statuses: [{ Phase: 'Running', ConditionsType: 'Ok' }] }, either = { Statuses: [...running.Statuses, { Phase: 'Failed', ConditionsType: 'NotReady' }] }
  const { TotalCount: total = 0 } = await caller.call('ListEdgeNodes', { Filter: running, PageSize: 10 })
  const [counted] = await opened.query<{ count: number }>(`select count(*) as count from node_status where phase = 'Running'`)
  const shapes: readonly (readonly [string, number, (node: typeof nodes[number]) => object])[] = [
    ['Ids', BAR_MS, ({ id }) => ({ Filter: { Ids: [id] } })],
    ['ClusterIds', BAR_MS, node => ({ Filter: { ClusterIds: [node.cluster_id] } })],
    ['NodePoolIds', BAR_MS, node => ({ Filter: { NodePoolIds: [node.node_pool_id] } })],
    ['Statuses, first page', BAR_MS, () => ({ Filter: running, PageSize: PAGE })],
    ['Statuses, middle page', BAR_MS, () => ({ Filter: running, PageSize: PAGE, PageNumber: Math.ceil(total / PAGE / 2) })],
    ['no filter, last page', BAR_MS, () => ({ PageSize: PAGE, PageNumber: Math.ceil(total / PAGE) })],
    ['Statuses, last page', BAR_MS, () => ({ Filter: running, PageSize: PAGE, PageNumber: Math.ceil(total / PAGE) })],
    ['two Statuses, first page', BAR_MS, () => ({ Filter: either, PageSize: PAGE })],
    ['Name and Statuses', NAME_BAR_MS, ({ name }) => ({ Filter: { Name: name.slice(-6), ...running } })],
    ['Name that all have and Statuses', NAME_BAR_MS, () => ({ Filter: { Name: 'elastic', ...running }, PageSize: PAGE })],
    ['Name substring', NAME_BAR_MS, ({ name }) => ({ Filter: { Name: name.slice(-6) } })],
  ]
  const rows: Record<string, string | number>[] = []
  for (const [filter, bar, body] of shapes) {
    const times: number[] = []
    for (const node of nodes) {
      // Something was committed since the last answer, so that it is not given again.
      await opened.query('select pg_current_xact_id()')
      const startedAt = performance.now()
      await caller.call('ListEdgeNodes', body(node))
      times.push(performance.now() - startedAt)
    }
    rows.push({ filter, 'p50 ms': percentile(times, 50), 'p99 ms': percentile(times, 99), verdict: verdict(percentile(times, 99), bar, ' ms') })
  }
  printTable(`sim: ListEdgeNodes, ${total} nodes Running (the table counts ${counted?.count ?? 0})`, rows)
}
