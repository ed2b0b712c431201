import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Store } from '#ports/store.ts'
import type { OpenStore } from '#store/open.ts'
import { scratchPostgres, type ScratchPostgres } from '#store/testing/scratch-postgres.ts'
import { until } from '#test/harness/waiting.ts'
import type { Answer } from './api-under-test.ts'
import { openSmallWorld } from './small-world.ts'

const REGION = 'local-1'
/** Calls that make something of the region, each by another way. */
const MAKING = ['CreateCluster', 'AddMachine', 'SetBalance', 'CreateEdgeNodePool', 'CreateEdgeNode', 'CreateAddon', 'CreateKubeconfig', 'CreateBatchEdgeMachine']
/** Calls that leave a key for the queue, or the ClientToken of something that is there. */
const CHANGING = ['SetMachine', 'RemoveMachine', 'UpdateClusterConfig', 'DeleteNodePool', 'UpdateBatchEdgeMachine', 'DeleteBatchEdgeMachine']
const WITHOUT_TOKEN = new Set(['SetBalance', 'RemoveMachine', 'SetMachine'])

suite('calls under way while their region is removed', () => {
  let postgres: ScratchPostgres
  before(async () => { postgres = await scratchPostgres() })
  after(() => postgres.end())

  for (const action of [...MAKING, ...CHANGING]) {
    test(`${action} that has done its part and is not committed yet is waited for`, async () => {
      const region = await openRegion(postgres)
      const call = region.call(action)
      await until(() => region.isHeld())
      let isForgotten = false
      const forgetting = region.forget().finally(() => { isForgotten = true })
      await until(async () => isForgotten || await region.anybodyWaits())
      region.go()
      const [answer] = await Promise.all([call, forgetting])
      assert.equal(answer.status, 200, answer.text)
      assert.deepEqual(await region.left(), [])
    })
  }

  test('one that comes a moment later is told so, and leaves nothing', async () => {
    const region = await openRegion(postgres, 'before')
    const calls = Promise.all([...MAKING, ...CHANGING].map(action => region.call(action)))
    await until(() => region.isHeld())
    await region.forget()
    region.go()
    const answers = await calls
    assert.deepEqual(await region.left(), [])
    const roots = MAKING.slice(0, 3).map((_, index) => answers[index]?.body.ResponseMetadata.Error)
    for (const error of roots) assert.deepEqual([error?.Code, error?.Message], ['OperationDenied.RegionNotReady', `The region ${REGION} takes no such order now: it was deleted meanwhile.`])
  })
})

/** A region with one of everything; each write of a call that begins from now on stops before, or at the end of, its part in the transaction until it may go. */
async function openRegion(postgres: ScratchPostgres, stopsAt: 'before' | 'end' = 'end') {
  const opened = await postgres.openCopy()
  const gate = Promise.withResolvers<void>()
  let isHolding = false, isHeld = false
  const stop = async () => {
    if (!isHolding) return
    isHeld = true
    await gate.promise
  }
  const store = stopping(opened, { stopsAt, stop })
  await opened.store.write(0, tx => tx.putRegion({ region: REGION, kind: 'Simulated', ready: true, text: '', settings: {} }))
  const { api, valid } = await openSmallWorld(store, { isRemovable: true })
  isHolding = true
  return {
    isHeld: () => isHeld,
    go: () => gate.resolve(),
    call: (action: string): Promise<Answer> => api.call(action, { ...valid[action], ...(!WITHOUT_TOKEN.has(action) && { ClientToken: `token-of-${action}` }) }),
    forget: () => opened.store.write(0, tx => tx.forgetRegion(REGION)),
    anybodyWaits: async () => (await opened.query('select 1 from pg_stat_activity where datname = current_database() and wait_event_type = $1', ['Lock'])).length > 0,
    left: () => tablesWithRows(opened),
  }
}

function stopping({ store }: OpenStore, { stopsAt, stop }: { stopsAt: 'before' | 'end'; stop: () => Promise<void> }): Store {
  const write: Store['write'] = async (now, work) => {
    if (stopsAt === 'before') await stop()
    return store.write(now, async tx => {
      const result = await work(tx)
      if (stopsAt === 'end') await stop()
      return result
    })
  }
  return new Proxy(store, { get: (target, name) => {
    const own: unknown = name === 'write' ? write : Reflect.get(target, name, target)
    return typeof own === 'function' ? own.bind(target) as unknown : own
  } })
}

/** But for those of the accounts, the history and the database itself. */
async function tablesWithRows({ query }: OpenStore): Promise<string[]> {
  const tables = await query<{ name: string }>(`select table_name as name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1`)
  const left: string[] = []
  for (const { name } of tables) {
    if (['account', 'access_key', 'status_change', 'lease', 'watch', 'sequencer', 'migration'].includes(name)) continue
    const [row] = await query<{ rows: number }>(`select ${name === 'node_tally' ? 'coalesce(sum(nodes), 0)' : 'count(*)'}::int as rows from ${name}`)
    if (row && row.rows > 0) left.push(`${name}: ${row.rows}`)
  }
  return left
}
