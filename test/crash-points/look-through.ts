/** The thread of `crash-points.test.ts` that looks through the crash points of the scenarios whose names it is sent, and answers each with what was found. */
import assert from 'node:assert/strict'
import { parentPort } from 'node:worker_threads'
import { SCENARIOS } from '#api/scenarios/all.ts'
import type { Scenario } from '#api/scenarios/scenario.ts'
import { afterDeath, undisturbed, withDeath } from './crash-points.ts'

export interface LookedThrough {
  readonly name: string
  readonly points: number
  /** Of them, those at which a server died that had more under way than a copy shows. */
  readonly deaths: number
  /** How the first one that came out otherwise did; undefined: none did. */
  readonly wrong: string | undefined
}

/** Of so many crash points one is played with a death, too. */
const COPIES_TO_A_DEATH = 60

async function lookThrough(scenario: Scenario): Promise<LookedThrough> {
  const { outcome, points } = await undisturbed(scenario)
  const firstDeath = points.findIndex(point => point.isAfterEffect)
  let deaths = 0, wrong: string | undefined
  try {
    assert.deepEqual({ wrong: outcome.wrong, reaches: outcome.reaches }, { wrong: [], reaches: true }, 'undisturbed')
    for (const [number, point] of points.entries()) {
      const crashed = await afterDeath(scenario, point)
      assertSame(crashed, outcome, `the server died ${point.where}`)
      if (!point.isAfterEffect || (number - firstDeath) % COPIES_TO_A_DEATH > 0) continue
      deaths += 1
      assertSame(await withDeath(scenario, point.effect), crashed, `the server died ${point.where}, and not a copy of what it left was gone on with`)
    }
  } catch (error) {
    wrong = error instanceof Error ? error.message : String(error)
  }
  return { name: scenario.Name, points: points.length, deaths, wrong }
}

/** Says where they differ, and how. */
function assertSame(actual: object, expected: object, where: string): void {
  try {
    assert.deepEqual(actual, expected)
  } catch (error) {
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

parentPort?.on('message', (name: string) => {
  const scenario = SCENARIOS.find(one => one.Name === name)
  void (scenario ? lookThrough(scenario) : Promise.reject(new Error(`There is no scenario ${name}`)))
    .catch((error: unknown): LookedThrough => ({ name, points: 0, deaths: 0, wrong: error instanceof Error ? error.stack ?? error.message : String(error) }))
    .then(found => parentPort?.postMessage(found))
})
