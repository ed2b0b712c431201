import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STATUS_TABLES } from './kinds.ts'
import { ONLY_SIMULATED } from './only-simulated.ts'

/** The 41 rows of the product's own page, copied once by hand: phase, condition, console label. Nothing here comes from the tables. */
const SEED = {
  Cluster: [
    ['Creating', 'Progressing', '创建中'], ['Running', 'Ok', '运行中'], ['Updating', 'Progressing', '更新中'], ['Deleting', 'Progressing', '删除中'],
    ['Stopped', 'Balance', '欠费关停'], ['Failed', 'CreateError', '创建失败'], ['Failed', 'ResourceCleanupFailed', '删除失败'], ['Failed', 'Unknown', '异常'],
  ],
  NodePool: [
    ['Creating', 'Progressing', '创建中'], ['Running', 'Ok', '运行中'], ['Updating', 'Progressing', '更新中'], ['Deleting', 'Progressing', '删除中'],
    ['Failed', 'ResourceCleanupFailed', '删除失败'], ['Failed', 'Unknown', '创建失败'], ['Failed', 'ClusterNotRunning', '异常'], ['Scaling', 'Progressing', '伸缩中'],
  ],
  Node: [
    ['Creating', 'Progressing', '创建中'], ['Running', 'Ok', '运行中'], ['Running', 'Unschedulable', '运行中'], ['Updating', 'Progressing', '更新中'],
    ['Deleting', 'Progressing', '移除中'], ['Starting', 'Progressing', '启动中'], ['Stopping', 'Progressing', '停止中'], ['Stopped', 'Ok', '已停止'],
    ['Failed', 'InitializeFailed', '创建失败'], ['Failed', 'NotReady', '异常'], ['Failed', 'Balance', '异常(欠费关停)'], ['Failed', 'ResourceCleanupFailed', '移除失败'],
    ['Failed', 'Unknown', '创建失败'],
  ],
  Addon: [
    ['Creating', 'Progressing', '安装中'], ['Running', 'Ok', '已安装'], ['Updating', 'Progressing', '更新中'], ['Deleting', 'Progressing', '卸载中'],
    ['Failed', 'NameConflict', '失败'], ['Failed', 'CrashLoopBackOff', '异常'], ['Failed', 'ImagePullBackOff', '失败'], ['Failed', 'ClusterNotRunning', '异常'],
    ['Failed', 'Degraded', '异常'], ['Failed', 'SchedulingFailed', '失败'], ['Failed', 'ResourceCleanupFailed', '卸载失败'], ['Failed', 'Unknown', '失败'],
  ],
} as const

test('the rows marked seed are the 41 of the product, in its order and with its labels', () => {
  for (const kind of ['Cluster', 'NodePool', 'Node', 'Addon'] as const) {
    const rows = STATUS_TABLES[kind].rows.filter(row => row[2] === 'seed').map(([phase, condition, , zh]) => [phase, condition, zh])
    assert.deepEqual(rows, SEED[kind], kind)
  }
  assert.deepEqual([SEED.Cluster.length, SEED.NodePool.length, SEED.Node.length, SEED.Addon.length], [8, 8, 13, 12])
})

test('siblings are told from the seed, no pair is there twice, and every row has labels and a sentence', () => {
  const siblings = Object.entries(STATUS_TABLES).flatMap(([kind, { rows }]) => rows.filter(row => row[2] === 'sibling').map(row => `${kind} ${row[0]} ${row[1]}`))
  assert.deepEqual(siblings, [
    'Cluster Running Degraded', 'Cluster Starting Progressing', 'Cluster Failed LimitedByQuota', 'Cluster Failed StockOut', 'Cluster Failed Balance',
    'NodePool Running StockOut', 'NodePool Running LimitedByQuota', 'NodePool Running Balance', 'NodePool Running ScalingFailed', 'Onboarding Creating Ok',
  ])
  for (const [kind, { rows }] of Object.entries(STATUS_TABLES)) {
    assert.equal(new Set(rows.map(row => `${row[0]} ${row[1]}`)).size, rows.length, kind)
    for (const row of rows) {
      assert.match(row[3], /^\p{Script=Han}/u)
      assert.match(row[4], /^[a-z]/)
      assert.match(String(row.at(-1)), /^[A-Z].*\.$/)
    }
  }
})

test('what is not reached yet are rows of the tables, each once, with a reason', () => {
  for (const [kind, phase, condition, reason] of ONLY_SIMULATED) {
    assert.ok(phase === '*' || STATUS_TABLES[kind].rows.some(row => row[0] === phase && row[1] === condition), `${kind} ${phase} ${condition}`)
    assert.ok(reason.length > 10)
  }
  assert.equal(new Set(ONLY_SIMULATED.map(([kind, phase, condition]) => `${kind} ${phase} ${condition}`)).size, ONLY_SIMULATED.length)
})
