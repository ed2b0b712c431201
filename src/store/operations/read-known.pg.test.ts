import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ClusterFacts } from '#model/cluster/record.ts'
import { addCluster, addNodePool, becauseOf, machine, NOON, USABLE_CLUSTER } from '#test/harness/sample-records.ts'
import type { Transaction } from '#ports/store.ts'
import type { OpenStore } from '../open.ts'
import { scratchPostgres, type ScratchPostgres } from '../testing/scratch-postgres.ts'

const BECAUSE = becauseOf('Change')
const saying = (controlPlaneSays: string): ClusterFacts => ({ ...USABLE_CLUSTER, controlPlaneSays })

describe('what a process knows of records', () => {
  let postgres: ScratchPostgres, one: OpenStore & { readonly databaseUrl: string }, other: OpenStore
  before(async () => {
    postgres = await scratchPostgres()
    one = await postgres.openCopy()
    other = await postgres.openBeside(one.databaseUrl)
  })
  after(async () => {
    await other.close()
    await postgres.end()
  })
  const says = async ({ store }: OpenStore, id: string) => (await store.findCluster(id))?.facts.controlPlaneSays
  const change = ({ store }: OpenStore, id: string, text: string) => store.write(NOON, async tx => {
    await tx.lockCluster(id)
    await tx.changeCluster(id, { facts: saying(text) }, BECAUSE)
  })

  test('what nobody changed is not read again, whoever wrote it', async () => {
    const id = await one.store.write(NOON, tx => addCluster(tx, 'kept'))
    assert.equal(await one.store.findCluster(id), await one.store.findCluster(id))
    assert.equal(await other.store.findCluster(id), await other.store.findCluster(id))
    assert.deepEqual(await other.store.findCluster(id), await one.store.findCluster(id))
  })

  test('what another process changed is read anew, with and without a lock', async () => {
    const id = await one.store.write(NOON, tx => addCluster(tx, 'changed'))
    for (const [index, [writer, reader]] of ([[one, other], [other, one], [one, other]] as const).entries()) {
      await change(writer, id, `say ${index}`)
      assert.equal(await says(reader, id), `say ${index}`)
    }
    await change(one, id, 'last')
    assert.equal(await other.store.write(NOON, async tx => (await tx.lockCluster(id))?.facts.controlPlaneSays), 'last')
  })

  test('a lock that was waited for answers what was written meanwhile', async () => {
    const id = await one.store.write(NOON, tx => addCluster(tx, 'waited'))
    await says(other, id)
    const locked = Promise.withResolvers<void>(), written = Promise.withResolvers<void>()
    const writes = one.store.write(NOON, async tx => {
      await tx.lockCluster(id)
      locked.resolve()
      await written.promise
      await tx.changeCluster(id, { facts: saying('meanwhile') }, BECAUSE)
    })
    await locked.promise
    const reads = other.store.write(NOON, async tx => (await tx.lockCluster(id))?.facts.controlPlaneSays)
    written.resolve()
    await writes
    assert.equal(await reads, 'meanwhile')
  })

  test('what a transaction wrote that came to nothing is known to nobody', async () => {
    const id = await one.store.write(NOON, tx => addCluster(tx, 'undone'))
    await change(one, id, 'before')
    await assert.rejects(one.store.write(NOON, async tx => {
      await tx.lockCluster(id)
      await tx.changeCluster(id, { facts: saying('undone') }, BECAUSE)
      await addNodePool(tx, 'undone', id)
      throw new Error('no')
    }), /no/)
    assert.equal(await says(one, id), 'before')
    assert.deepEqual(await one.store.nodePoolsOf(id), [])
  })

  test('what came below a parent, and what went, is seen by who knows of others there', async () => {
    const id = await one.store.write(NOON, tx => addCluster(tx, 'parent'))
    const names = async ({ store }: OpenStore) => (await store.nodePoolsOf(id)).map(pool => pool.spec.name)
    const first = await one.store.write(NOON, tx => addNodePool(tx, 'parent-1', id))
    assert.deepEqual(await names(other), ['parent-1'])
    await one.store.write(NOON + 1, tx => addNodePool(tx, 'parent-2', id))
    assert.deepEqual([await names(one), await names(other)], [['parent-1', 'parent-2'], ['parent-1', 'parent-2']])
    await one.store.write(NOON, async tx => {
      await tx.lockNodePool(first)
      await tx.forget({ kind: 'NodePool', id: first }, { ...BECAUSE, text: 'It is gone.' })
    })
    assert.deepEqual([await names(one), await names(other)], [['parent-2'], ['parent-2']])
  })

  test('what is no text for the database is the same to who wrote it', async () => {
    const id = await one.store.write(NOON, tx => addCluster(tx, 'text'))
    await change(one, id, 'a\0b\ud800')
    assert.deepEqual([await says(one, id), await says(other, id)], ['a\uFFFDb\uFFFD', 'a\uFFFDb\uFFFD'])
  })

  test('a machine keeps its first boot where it gets its id, and everything else that is changed of it is seen', async () => {
    const made = machine({ id: 'm-known', name: 'm-known', address: '10.9.9.9', firstBoot: 'line of its first boot' })
    await one.store.write(NOON, tx => tx.insertMachine(made))
    await one.store.write(NOON, async tx => {
      await tx.lockMachines(['m-known'])
      await tx.setMachineIds([{ id: 'm-known', machineId: 'provider-1' }])
    })
    for (const { store } of [one, other]) assert.deepEqual({ ...await store.findMachine('m-known') }, { ...made, machineId: 'provider-1' })
    await one.store.write(NOON, async tx => {
      await tx.lockMachines(['m-known'])
      await tx.changeMachine('m-known', { power: 'off' })
      await tx.setMachineIds([{ id: 'm-known', machineId: 'provider-2' }])
    })
    for (const { store } of [one, other]) assert.deepEqual([(await store.findMachine('m-known'))?.power, (await store.findMachine('m-known'))?.machineId], ['off', 'provider-2'])
  })

  for (const [name, work] of [
    ['made and changed', async tx => {
      await tx.insertMachine(machine({ id: 'm-twice', name: 'again', address: '10.9.9.8' }))
      await tx.changeMachine('m-twice', { power: 'off' })
    }],
    ['given its id and changed', async tx => {
      await tx.setMachineIds([{ id: 'm-twice', machineId: 'p' }])
      await tx.changeMachine('m-twice', { power: 'off' })
    }],
    ['forgotten, made anew and given its id', async tx => {
      await tx.forgetMachine('m-twice')
      await tx.insertMachine(machine({ id: 'm-twice', name: 'anew', address: '10.9.9.7' }))
      await tx.setMachineIds([{ id: 'm-twice', machineId: 'p' }])
    }],
    ['changed while its lock was taken once more, and given its id', async tx => {
      await Promise.all([tx.lockMachines(['m-twice']), tx.changeMachine('m-twice', { power: 'off' })])
      await tx.setMachineIds([{ id: 'm-twice', machineId: 'p' }])
    }],
  ] as const satisfies readonly (readonly [string, (tx: Transaction) => Promise<void>])[]) test(`a machine that one transaction has ${name} is known as it was left, also where its table is rewritten`, async () => {
    await postgres.run(one.databaseUrl, 'delete from machine')
    if (name !== 'made and changed') await one.store.write(NOON, tx => tx.insertMachine(machine({ id: 'm-twice', name: 'first', address: '10.9.9.9' })))
    await one.store.write(NOON, async tx => {
      await tx.lockMachines(['m-twice'])
      await work(tx)
    })
    assert.deepEqual({ ...await one.store.findMachine('m-twice') }, { ...await other.store.findMachine('m-twice') })
    await postgres.run(one.databaseUrl, 'vacuum full machine')
    assert.deepEqual({ ...await one.store.findMachine('m-twice') }, { ...await other.store.findMachine('m-twice') })
  })
})
