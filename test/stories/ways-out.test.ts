/** From every status that is shown something leads out, though nobody can look for days, and what is named as a way out is one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SCENARIOS } from '#api/scenarios/all.ts'
import type { Step } from '#api/scenarios/scenario.ts'
import { ScenarioClient } from '#test/crash-points/scenario-client.ts'
import { unrest } from '#test/model-based/oracle/at-rest.ts'
import { all, look, result, shownBy, type Item } from '#test/model-based/oracle/view.ts'
import { RegionUnderTest } from '#test/model-based/region-under-test.ts'

/** The steps of a scenario, less the last `but`. */
function stepsOf(name: string, but = 0): readonly Step[] {
  const { Steps } = SCENARIOS.find(({ Name }) => Name === name) ?? assert.fail(name)
  return Steps.slice(0, Steps.length - but)
}

/** A region in which a scenario was played. */
class Played {
  readonly region: RegionUnderTest
  readonly #names: ReadonlyMap<string, string>

  private constructor(region: RegionUnderTest, names: ReadonlyMap<string, string>) {
    this.region = region
    this.#names = names
  }

  static async play(steps: readonly Step[], story: (played: Played) => Promise<void>): Promise<void> {
    const region = await RegionUnderTest.open(1)
    try {
      const client = new ScenarioClient(region, { Name: 'x', Title: { zh: '', en: '' }, Reaches: [], Steps: steps })
      while (await client.next());
      await story(new Played(region, client.progress.names))
    } finally {
      await region.close()
    }
  }

  id(name: string): string {
    return this.#names.get(name) ?? ''
  }

  async done(action: string, body: object = {}): Promise<Item> {
    return await result(this.region, action, body) as Item
  }

  async step(...spans: readonly string[]): Promise<void> {
    for (const Step of spans) await this.done('SetClock', { Step })
  }

  /** The effect of a fault that stands until it is cleared. */
  async fault(Port: string, Call: string, Effect: object = { Type: 'fail' }): Promise<string> {
    return String((await this.done('InjectFault', { Port, Call, Effect }))['Id'])
  }

  async pair(list: string, name?: string): Promise<string | undefined> {
    const item = (await all(this.region, list)).find(({ Name }) => name === undefined || Name === name)
    return item && shownBy(item)
  }
}

test('a rollout whose image is pushed after all comes to its end, and nothing may stay degraded that lacks neither room nor an image', () => Played.play(stepsOf('addon-failed-degraded'), async played => {
  const wrong = async () => unrest(await look(played.region, 0), await played.region.world())
  assert.deepEqual(await wrong(), [], 'its image is missing')
  await played.done('SetImage', { Name: 'ingress-nginx-controller:broken', Present: true })
  assert.match(String(await wrong()), /ingress-nginx .* is still Failed\/Degraded/)
  await played.step('2h')
  assert.equal(await played.pair('ListAddons', 'ingress-nginx'), 'Running/Ok')
}))
