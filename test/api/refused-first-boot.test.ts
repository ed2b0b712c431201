import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimOf } from '#model/node/claim.ts'
import { addCluster, addNodePool, becauseOf, nodePoolSpec } from '#test/harness/sample-records.ts'
import { ApiUnderTest, OURS } from './api-under-test.ts'

test('what the join endpoint heard of the first boot of a machine that a pool ordered is told where machines are listed', async () => {
  const api = await ApiUnderTest.open(), scope = { accountId: OURS.accountId, region: 'local-1' }, { now } = api
  try {
    await api.store.write(now, async tx => {
      const clusterId = await addCluster(tx, 'shop', scope), nodePoolId = await addNodePool(tx, 'counters', clusterId, scope)
      const { node, machine, ledger } = claimOf({ nodeId: 'n-a', now, pool: { ...scope, id: nodePoolId, clusterId, spec: nodePoolSpec() }, address: '10.9.0.9', name: 'a', firstBoot: 'line' })
      const told = { ...node, facts: { ...node.facts, turnedAway: { text: 'The programs are not there yet', since: now, failed: true as const, heard: true as const } } }
      await tx.insertClaims([{ node: told, machine, ledger: { ...ledger, state: 'Intended' as const }, token: { tokenHash: 'hash', nodeId: node.id, machineId: machine.id } }], becauseOf('CreateNodes'))
    })
    const [machine] = (await api.done('ListMachines')).Items ?? []
    assert.deepEqual([machine?.['Because'], machine?.['ScriptFailedAt']], ['The join endpoint refused it: The programs are not there yet', new Date(now).toISOString()])
  } finally {
    await api.app.close()
  }
})
