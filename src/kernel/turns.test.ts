import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemTime } from '#test/harness/waiting.ts'
import { Turns } from './turns.ts'

const turnOfTheLoop = () => new Promise(resolve => setImmediate(resolve))

test('a call begins when the work that is under way has ended, and calls do not wait for each other', async () => {
  const turns = new Turns(systemTime), told: string[] = []
  const working = Promise.withResolvers<void>(), calling = Promise.withResolvers<void>()
  const work = turns.work(() => working.promise)
  const calls = ['a', 'b'].map(name => turns.call(async () => {
    told.push(name)
    await calling.promise
  }))
  await turnOfTheLoop()
  assert.deepEqual([told, turns.hasCalls], [[], false])
  working.resolve()
  await work
  await turnOfTheLoop()
  assert.deepEqual([told, turns.hasCalls], [['a', 'b'], true])
  calling.resolve()
  await Promise.all(calls)
  assert.equal(turns.hasCalls, false)
})

test('what a call waits for in between may be the work, and a call or work that fails has its turn no more', async () => {
  const turns = new Turns(systemTime)
  await turns.call(async meanwhile => {
    await meanwhile(async () => {
      assert.equal(turns.hasCalls, false)
      await turns.work(turnOfTheLoop)
    })
    assert.equal(turns.hasCalls, true)
  })
  await assert.rejects(turns.call(() => Promise.reject(new Error('no'))), /no/)
  assert.equal(turns.hasCalls, false)
  await assert.rejects(turns.work(() => Promise.reject(new Error('no'))), /no/)
  assert.equal(await turns.call(async () => 'done'), 'done')
})

test('a call that waits goes before the next turn of the work, however soon that would begin, and one that comes while the work waits goes behind it', async () => {
  const turns = new Turns(systemTime), told: string[] = []
  const working = Promise.withResolvers<void>()
  const worker = turns.work(() => working.promise).then(() => turns.work(async () => { told.push('work') }))
  const call = turns.call(async () => {
    told.push('call begins')
    late = turns.call(async () => { told.push('first late call') })
    await turnOfTheLoop()
    later = turns.call(async () => { told.push('second late call') })
    told.push('call ends')
  })
  let late: Promise<void> | undefined, later: Promise<void> | undefined
  working.resolve()
  await Promise.all([worker, call])
  await Promise.all([late, later])
  assert.deepEqual(told.slice(0, 3).concat(told.slice(3).toSorted()), ['call begins', 'call ends', 'work', 'first late call', 'second late call'])
})

test('calls have their turn while the work waits for something, and it goes on when they have ended', async () => {
  const turns = new Turns(systemTime), told: string[] = []
  const waiting = Promise.withResolvers<void>(), calling = Promise.withResolvers<void>()
  const work = turns.work(async meanwhile => {
    await meanwhile(() => waiting.promise)
    told.push('work')
  })
  const call = turns.call(async () => {
    await calling.promise
    told.push('call')
  })
  await turnOfTheLoop()
  assert.equal(turns.hasCalls, true)
  waiting.resolve()
  await turnOfTheLoop()
  calling.resolve()
  await Promise.all([work, call])
  assert.deepEqual(told, ['call', 'work'])
})

test('work that waits for calls goes on without their end where it is told so', async () => {
  const turns = new Turns(systemTime), calling = Promise.withResolvers<void>()
  let waits = true
  const news = Promise.withResolvers<void>()
  const call = turns.call(() => calling.promise), work = turns.work(async () => turns.hasCalls, { waits: () => waits, news: () => news.promise })
  waits = false
  news.resolve()
  assert.equal(await work, true)
  calling.resolve()
  await call
})
