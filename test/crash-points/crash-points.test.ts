import assert from 'node:assert/strict'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { SCENARIOS } from '#api/scenarios/all.ts'
import type { LookedThrough } from './look-through.ts'

const THREADS = Math.min(2, availableParallelism())
/** The one that takes longest is not left to the end. */
const IN_ORDER = SCENARIOS.toReversed()

/**
 * No crash point of any scenario is left out: wherever its server dies, each comes to its row, tells the same story and ends the same. It is looked through in threads of
 * its own, since whatever waits under the test runner, which follows each promise, takes three times as long.
 */
describe('every scenario, wherever its server dies', () => {
  const found = new Map(SCENARIOS.map(({ Name }) => [Name, Promise.withResolvers<LookedThrough>()]))
  const threads: Worker[] = []
  let points = 0, deaths = 0

  before(() => {
    const waiting = IN_ORDER.values()
    threads.push(...Array.from({ length: THREADS }, () => new Worker(new URL('look-through.ts', import.meta.url), { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 768 } })))
    for (const thread of threads) lookThrough(thread, waiting).catch((error: unknown) => { for (const each of found.values()) each.reject(error) })
  })
  after(async () => {
    await Promise.all(threads.map(thread => thread.terminate()))
    process.stdout.write(`${SCENARIOS.length} scenarios have ${points} crash points; at ${deaths} of them a server died indeed, at all the next one went on from a copy of what it would have left\n`)
  })

  for (const { Name } of IN_ORDER) {
    test(Name, { timeout: 600_000 }, async () => {
      const looked = await found.get(Name)?.promise
      points += looked?.points ?? 0
      deaths += looked?.deaths ?? 0
      assert.equal(looked?.wrong, undefined)
      assert.ok((looked?.points ?? 0) > 0 && (looked?.deaths ?? 0) > 0)
    })
  }

  async function lookThrough(thread: Worker, waiting: Iterator<{ readonly Name: string }>): Promise<void> {
    for (let next = waiting.next(); !next.done; next = waiting.next()) {
      const answered = once(thread, 'message')
      thread.postMessage(next.value.Name)
      const [looked] = await answered as [LookedThrough]
      found.get(looked.name)?.resolve(looked)
    }
  }
})
