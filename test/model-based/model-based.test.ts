import { test } from 'node:test'
import fc from 'fast-check'
import { COMMANDS, play } from './play.ts'
import type { Step } from './player.ts'
import { SEED, SIZE } from './size.ts'

const LENGTH = 50
/** A machine on which so much takes longer fails rather than passes with less; the tier has 40 minutes, with the crash points beside it. */
const LIMIT_MS = SEED === undefined ? 3_500_000 : 1_500_000

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
  let stories = 0, done = 0
  const story = fc.asyncProperty(fc.noShrink(fc.nat({ max: 1_000_000 })), fc.constantFrom(...BEGINNINGS), fc.array(step, { maxLength: LENGTH, size: 'max' }), async (seed, beginning, steps) => {
    done += await play(seed, [...beginning, ...steps], stats)
    stories++
  })
  // How long a story is, and how many of its steps find something to be done to, is drawn: they go on until it is as much as the title says.
  for (let more = 0; done < SIZE; more++) {
    await fc.assert(story, { numRuns: Math.ceil((SIZE - done) / (LENGTH / 2)), interruptAfterTimeLimit: LIMIT_MS, markInterruptAsFailure: true, ...SEED !== undefined && { seed: SEED + more } })
  }
  context.diagnostic(`${done} steps in ${stories} stories: ${[...stats].sort(([one], [other]) => (one < other ? -1 : 1)).map(([what, count]) => `${what} ${count}`).join(', ')}`)
})

function made(...does: readonly string[]): readonly Step[] {
  return does.map((each, order) => ({ does: each, a: each === 'time' ? 3 : 0, b: order, c: order + 1 }))
}
