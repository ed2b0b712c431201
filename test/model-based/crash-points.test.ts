import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { endOf, type End } from './end.ts'
import { unrest } from './oracle/at-rest.ts'
import { Player, type Step } from './player.ts'
import { COMMANDS } from './play.ts'
import { RegionUnderTest } from './region-under-test.ts'
import { CRASH_STRIDE } from './size.ts'

const SEED = 4711
/** Minutes. */
const PATIENCE = 5

// oxfmt-ignore
const LIVES: Readonly<Record<string, readonly (string | readonly [does: string, a?: number, b?: number, c?: number])[]>> = {
  'a cluster is created and deleted':                       [['createCluster', 0, 1], ['time', 3], ['deleteCluster', 0, 0], ['time', 4]],
  'a machine joins by its script, and its node is deleted': ['createCluster', ['time', 3], 'createStaticPool', 'joinByScript', ['time', 3], 'deleteNode', ['time', 4]],
  'an elastic pool grows, shrinks and goes':                ['createCluster', ['time', 3], ['createElasticPool', 0, 0, 2], ['time', 3], ['scaleUp', 0, 1], ['time', 3], ['resizePool', 0, 0, 0], ['time', 4], ['deletePool', 0, 0], ['time', 4]],
  'a pool that recycles stops a machine and starts it':     ['createCluster', ['time', 3], ['createElasticPool', 0, 1, 2], ['time', 3], ['resizePool', 0, 1, 1], ['time', 4], ['resizePool', 0, 4, 2], ['time', 4]],
  'machines are sold out, and then are not':                ['createCluster', ['time', 3], ['limits', 0, 1, 0], ['createElasticPool', 0, 0, 2], ['time', 3], ['limits', 0, 2, 0], ['time', 6]],
  'arrears stop everything, and a payment starts it again': ['createCluster', ['time', 3], ['createElasticPool', 0, 0, 1], 'createAddon', ['time', 3], 'balance', ['time', 7], ['balance', 2], ['time', 5]],
  'an add-on is installed, changed and removed':            ['createCluster', ['time', 3], ['createElasticPool', 0, 0, 1], ['time', 3], 'createAddon', ['time', 3], ['updateAddon', 1, 0], ['time', 3], ['deleteAddon', 1, 0], ['time', 3]],
  'a cluster goes with everything in it':                   ['createCluster', ['time', 3], ['createElasticPool', 0, 0, 1], 'createStaticPool', 'joinByScript', 'createAddon', ['time', 3], ['deleteCluster', 0, 0], ['time', 5]],
}

for (const [number, [what, steps]] of Object.entries(LIVES).entries()) {
  describe(what, () => {
    test(CRASH_STRIDE === 1 ? 'ends the same wherever its server dies' : `ends the same wherever its server dies, at every ${CRASH_STRIDE}th of its effects`, { timeout: 600_000 }, async context => {
      const undisturbed = await live(steps.map(stepOf))
      const points = Array.from({ length: undisturbed.effects }, (_, point) => point).filter(point => point % CRASH_STRIDE === number % CRASH_STRIDE)
      assert.ok(points.length >= Math.floor(undisturbed.effects / CRASH_STRIDE) && points.length > 0)
      for (const point of points) {
        const crashed = await live(steps.map(stepOf), point)
        assert.deepEqual(crashed.wrong, [], `the server died after effect ${point} of ${undisturbed.effects}`)
        assert.deepEqual(crashed.end, undisturbed.end, `the server died after effect ${point} of ${undisturbed.effects}`)
      }
      context.diagnostic(`${points.length} of ${undisturbed.effects} crash points`)
    })
  })
}

/** Lives it, once with a death after the effect `dies`, and lets two hours pass. */
async function live(steps: readonly Step[], dies?: number): Promise<{ end: End; effects: number; wrong: readonly string[] }> {
  const region = await RegionUnderTest.open(SEED)
  const player = new Player(region)
  try {
    const before = region.effects
    if (dies !== undefined) region.dieAt(dies, 'after')
    const wrong: string[] = []
    for (const step of steps) {
      // A life that was interrupted takes longer; whoever is refused meanwhile asks again.
      for (let again = 0; await isRefused(player, step) && again < PATIENCE; again++) await player.call('SetClock', { Step: '1m' })
      wrong.push(...await player.check())
    }
    const effects = region.effects - before
    region.spare()
    await player.call('SetClock', { Step: '2h' })
    const { end, wrong: atRest } = await endOf(player)
    wrong.push(...atRest, ...unrest(player.view, await region.world()))
    return { end, effects, wrong }
  } finally {
    await region.close()
  }
}

async function isRefused(player: Player, step: Step): Promise<boolean> {
  const told = await COMMANDS[step.does]?.run(player, step)
  return told === undefined || /refused|not to be had/.test(told)
}

function stepOf(step: string | readonly [does: string, a?: number, b?: number, c?: number]): Step {
  const [does, a = 0, b = 0, c = 0] = typeof step === 'string' ? [step] : step
  return { does, a, b, c }
}
