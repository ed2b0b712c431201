import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statusText } from '#model/status/table.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, becauseOf, NOON, SCOPE } from '#test/harness/sample-records.ts'
import { accountController, type AccountPorts } from './reconcile.ts'

test('a creation that arrears ended stays ended when they are paid before anybody looked at the cluster', async () => {
  const store = new MemoryStore(() => NOON)
  const id = await store.write(NOON, async tx => {
    const added = await addCluster(tx, 'c')
    await tx.changeCluster(added, { facts: { controlPlane: 'starting', attemptStartedAt: NOON, obstacles: [], unpaid: false } }, becauseOf('test'))
    return added
  })
  let now = NOON
  const controller = accountController({ store, regionOf: () => ({ clock: { now: () => now, sleep: async () => {} }, graceMs: 0 }) } as unknown as AccountPorts)
  const statuses: string[] = []
  for (const balance of [{ amount: 0, at: NOON, spentBefore: 0n }, undefined]) {
    now += 60_000
    await store.write(now, tx => tx.putAccount({ ...SCOPE, ...balance && { balance } }))
    await controller.reconcile(`${SCOPE.accountId}/${SCOPE.region}`, new AbortController().signal)
    const { facts, said } = (await store.findCluster(id))!
    statuses.push(`${facts.unpaid} ${statusText(said.status)}`)
  }
  assert.deepEqual(statuses, ['true {Failed,[Balance]}', 'false {Failed,[Balance]}'])
  assert.equal((await store.findCluster(id))!.facts.creationEnded?.as, 'Balance')
})
