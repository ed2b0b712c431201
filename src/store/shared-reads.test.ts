import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Listing } from '#ports/store.ts'
import { SharedReads } from './shared-reads.ts'

interface Gate { readonly resolve: (value: { state: string; found: Listing<number> }) => void; readonly reject: (error: Error) => void }

/** A database whose looks are answered by hand. */
class Database {
  state = 'one'
  looks = 0
  readonly gates: Gate[] = []
  readonly reads = new SharedReads(async () => {
    this.looks += 1
    return this.state
  })

  ask(question: string): Promise<Listing<number>> {
    return this.reads.list(question, () => {
      const gate = Promise.withResolvers<{ state: string; found: Listing<number> }>()
      this.gates.push(gate)
      return gate.promise
    })
  }

  async answer(gate: number, ...items: number[]): Promise<void> {
    this.gates[gate]?.resolve({ state: this.state, found: { items, totalCount: items.length } })
    await turn()
  }
}

test('callers at the same time share a query, and nobody gets one that began before it asked', async () => {
  const database = new Database()
  const first = database.ask('q')
  const during = [database.ask('q'), database.ask('q')]
  const other = database.ask('another')
  await turn()
  assert.equal(database.gates.length, 2)
  await database.answer(0, 1)
  await database.answer(1, 9)
  assert.deepEqual([(await first).items, (await other).items], [[1], [9]])
  assert.equal(database.gates.length, 3)
  await database.answer(2, 2)
  assert.deepEqual((await Promise.all(during)).map(one => one.items), [[2], [2]])
})

test('what was found is given again while the state of the database is the same, and not a moment longer', async () => {
  const database = new Database()
  const found = database.ask('q')
  await turn()
  await database.answer(0, 1)
  assert.equal(await database.ask('q'), await found, 'the very same listing')
  assert.equal(database.gates.length, 1)
  database.state = 'two'
  const later = database.ask('q')
  await turn()
  assert.equal(database.gates.length, 2)
  await database.answer(1, 1, 2)
  assert.deepEqual((await later).items, [1, 2])
  assert.equal(await database.ask('q'), await later)
})

test('a state that was looked at before the question does not answer it', async () => {
  const gates: ((state: string) => void)[] = []
  const reads = new SharedReads(() => new Promise(resolve => { gates.push(resolve) }))
  let queries = 0
  const ask = () => reads.list('q', async () => ({ state: 'one', found: { items: [++queries], totalCount: 1 } }))
  await ask()
  const early = ask()
  await turn()
  assert.equal(gates.length, 1)
  const late = ask()
  gates[0]?.('one')
  assert.deepEqual((await early).items, [1])
  await turn()
  assert.equal(gates.length, 2, 'the later one has a look of its own')
  gates[1]?.('two')
  assert.deepEqual((await late).items, [2])
})

test('a look that failed is told to those that waited for it, and the next one looks again', async () => {
  const database = new Database()
  const lost = database.ask('q')
  await turn()
  database.gates[0]?.reject(new Error('lost'))
  await assert.rejects(lost, /lost/)
  await turn()
  const again = database.ask('q')
  await turn()
  await database.answer(1, 5)
  assert.deepEqual((await again).items, [5])
})

test('only so much is kept, and the oldest goes first', async () => {
  const database = new Database()
  const items = Array.from({ length: 99 }, (_, number) => number)
  for (let question = 0; question <= 20; question++) {
    const asked = database.ask(String(question))
    await turn()
    await database.answer(question, ...items)
    await asked
  }
  await database.ask('20')
  assert.equal(database.gates.length, 21)
  void database.ask('0')
  await turn()
  assert.equal(database.gates.length, 22)
})

function turn(): Promise<void> {
  return new Promise(resolve => { setImmediate(resolve) })
}
