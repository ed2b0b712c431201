import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { scratchPostgres } from '#store/testing/scratch-postgres.ts'
import { addCluster, ledgerEntry, NOON, SCOPE } from '#test/harness/sample-records.ts'
import { ofTheirKeys, sharedStore } from './shared-store.ts'

const postgres = await scratchPostgres()
after(() => postgres.end())

test('what a writer put into a ledger is there for it, whoever asks for the meter meanwhile', async context => {
  const opened = await postgres.openCopy()
  context.after(() => opened.close())
  const { store } = opened
  const entry = (name: string, change: Parameters<typeof ledgerEntry>[0] = {}) => ledgerEntry({ id: `l-${name}`, owner: { kind: 'Cluster', id: `c-${name}`, name }, clusterId: `c-${name}`, kind: 'LoadBalancer', ...change })
  for (const name of ['a', 'b', 'd']) await store.write(NOON, async tx => { await addCluster(tx, name); await tx.putLedger(entry(name)) })
  const shared = sharedStore(store, () => true), seen: string[] = []
  const asksForTheMeter = (name: string) => shared.write(NOON + 1, async tx => {
    await tx.lockCluster(`c-${name}`)
    if (name === 'd') await tx.nodePoolsOf('c-d')
    await tx.putLedger(entry(name, { state: 'Releasing' }))
    await tx.meterOf(SCOPE)
  })
  // As at the end of a cluster: something is retained, and what is neither released nor retained is released.
  const retains = () => shared.write(NOON + 1, async tx => {
    await tx.lockCluster('c-a')
    await tx.nodePoolsOf('c-a')
    await tx.putLedger(entry('a', { state: 'Retained', because: 'kept' }))
    for (const one of await tx.ledgerOf('c-a')) {
      seen.push(one.state)
      if (one.state !== 'Released' && one.state !== 'Retained') await tx.putLedger({ ...one, state: 'Released' })
    }
  })
  const [controller] = ofTheirKeys([{ kind: 'cluster', reconcile: async id => { await (id === 'c-a' ? retains() : asksForTheMeter(id.slice(2))); return {} } }])
  await Promise.all(['c-b', 'c-a', 'c-d'].map(async id => await controller?.reconcile(id, new AbortController().signal)))
  assert.deepEqual(seen, ['Retained'])
  assert.deepEqual((await opened.query<{ id: string; state: string }>('select id, state from ledger order by id')).map(({ id, state }) => `${id} ${state}`), ['l-a Retained', 'l-b Releasing', 'l-d Releasing'])
})

test('a secret that cannot be opened stands in nobody else\'s way', async context => {
  const opened = await postgres.openCopy()
  context.after(() => opened.close())
  for (const name of ['broken', 'whole']) await opened.store.write(NOON, tx => tx.putSecret(name, name))
  await opened.query(`update secret set sealed = '' where name = 'broken'`)
  const [broken, whole] = await Promise.allSettled(['broken', 'whole'].map(name => opened.store.readSecret(name)))
  assert.deepEqual([broken?.status, whole], ['rejected', { status: 'fulfilled', value: 'whole' }])
})
