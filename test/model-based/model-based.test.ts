import { test } from 'node:test'
import fc from 'fast-check'
import { COMMANDS, play } from './play.ts'
import type { Step } from './player.ts'
import { SEED, SIZE } from './size.ts'

const LENGTH = 50

/** Where stories begin, so that most of what is drawn has something to be done to. */
const BEGINNINGS: readonly (readonly Step[])[] = [
  [], made('createCluster', 'time'), made('createCluster', 'time', 'createElasticPool', 'time'), made('createCluster', 'time', 'createStaticPool', 'joinByScript', 'time', 'joinByScript', 'time'),
  made('createCluster', 'time', 'createElasticPool', 'createStaticPool', 'time', 'joinByScript', 'createAddon', 'time'), made('createCluster', 'time', 'createCentralPool', 'createElasticPool', 'time', 'createAddon'),
]

// A story gets shorter by what is left out of it; which of several things something is done to matters less.
const number = fc.noShrink(fc.nat({ max: 47 }))
const step = fc.oneof(...Object.entries(COMMANDS).map(([does, { weight }]) => ({ weight, arbitrary: fc.record({ does: fc.constant(does), a: number, b: number, c: number }) })))

test(`whatever is asked of a region and whatever befalls it, it shows what the rules say, and ends well (${SIZE} steps)`, { timeout: 3_600_000 }, async context => {
  const stats = new Map<string, number>()
  await fc.assert(fc.asyncProperty(fc.noShrink(fc.nat({ max: 1_000_000 })), fc.constantFrom(...BEGINNINGS), fc.array(step, { maxLength: LENGTH, size: 'max' }), async (seed, beginning, steps) => {
    await play(seed, [...beginning, ...steps], stats)
  }), { numRuns: Math.ceil(SIZE / (LENGTH / 2)), interruptAfterTimeLimit: SEED === undefined ? 3_500_000 : 240_000, ...SEED !== undefined && { seed: SEED } })
  context.diagnostic([...stats].sort(([one], [other]) => (one < other ? -1 : 1)).map(([what, count]) => `${what} ${count}`).join(', '))
})

function made(...does: readonly string[]): readonly Step[] {
  return does.map((each, order) => ({ does: each, a: each === 'time' ? 3 : 0, b: order, c: order + 1 }))
}
