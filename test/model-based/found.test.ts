import { test } from 'node:test'
import { play } from './play.ts'
import type { Step } from './player.ts'

/** Stories that once ended otherwise than the rules say, as short as they could be made. A step is its name, or its name with the numbers that choose. */
// oxfmt-ignore
const FOUND: readonly (readonly [what: string, seed: number, steps: readonly (string | readonly [does: string, a?: number, b?: number, c?: number])[]])[] = [
  ['a machine that is removed while its account is in arrears is not shut down for arrears for ever', 0, ['createCluster', ['time', 3], ['createElasticPool', 0, 0, 13], ['time', 3], 'balance', ['time', 7], 'removeMachine']],
]

for (const [what, seed, steps] of FOUND) {
  test(what, async () => await play(seed, steps.map(step => (typeof step === 'string' ? stepOf(step) : stepOf(...step)))))
}

function stepOf(does: string, a = 0, b = 0, c = 0): Step {
  return { does, a, b, c }
}
