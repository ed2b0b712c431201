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
  const ended = turns.callsEnded()
  calling.resolve()
  await Promise.all([...calls, ended])
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
