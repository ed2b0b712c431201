import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, addNode, addNodePool, becauseOf, machineSecret, NEW_NODE, NOON, SCOPE } from '#test/harness/sample-records.ts'
import { systemTime } from '#test/harness/waiting.ts'
import { takeReports } from './machine-reports.ts'

test('what a machine reported in time and is heard of after its fifteen minutes corrects the sentence, and makes no row of the history', async () => {
  const store = new MemoryStore(), late = NOON + 15 * 60_000
  const nodeId = await store.write(NOON, async tx => {
    const clusterId = await addCluster(tx, 'shop'), nodePoolId = await addNodePool(tx, 'tills', clusterId)
    const id = await addNode(tx, 'till-1', { clusterId, nodePoolId }, { ...NEW_NODE, progress: { step: 'download', text: 'it was admitted and fetches its programs', at: NOON } })
    await tx.putMachineSecret(machineSecret({ clusterId, nodePoolId, nodeId: id, nodeName: 'till-1' }))
    return id
  })
  await store.write(late, async tx => {
    const node = await tx.lockNode(nodeId)
    if (node) await tx.changeNode(nodeId, { facts: node.facts }, becauseOf('the deadline passed'))
  })
  const shown = async (): Promise<readonly [string | undefined, string | undefined, number]> => {
    const said = (await store.findNode(nodeId))?.said
    return [`${said?.status.phase} ${said?.status.conditions.join('+')}`, said?.because.replace('It was no Ready member 15 min after its machine was there', ''), (await store.listHistory(SCOPE, { ids: [nodeId] }, { number: 1, size: 10 })).totalCount]
  }
  assert.deepEqual(await shown(), ['Failed InitializeFailed', ': the step download, begun at 2026-11-25T12:00:00Z, had not ended after 15 min; it was admitted and fetches its programs', 2])
  await takeReports({ store, region: SCOPE.region, clock: { ...systemTime, now: () => late + 500 } }, [{ secretHash: machineSecret().secretHash, kind: 'progress', step: 'join', text: 'the kubelet was started' }])
  assert.deepEqual(await shown(), ['Failed InitializeFailed', '; the step join is under way since 2026-11-25T12:15:00Z: the kubelet was started', 2])
})
