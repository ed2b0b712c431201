import { isCall, type Row, type Scenario } from '#api/scenarios/scenario.ts'
import { endOf, type End } from '#test/model-based/end.ts'
import { pairOf, type Change } from '#test/model-based/oracle/view.ts'
import { Player } from '#test/model-based/player.ts'
import { RegionUnderTest, type Left } from '#test/model-based/region-under-test.ts'
import { ScenarioClient, type Progress } from './scenario-client.ts'

const SEED = 1
/** Longer than any deadline or dwell of what still goes on when a scenario is over. */
const AFTERWARDS_MS = 20 * 60_000

/** A moment at which a server may die: what it leaves, and what its caller knows. */
export interface CrashPoint {
  /** As a sentence goes on after `the server died`. */
  readonly where: string
  /** It comes with an effect; others come between the answer to one call and the first effect of the next. */
  readonly isAfterEffect: boolean
  /** Effects of the server until then. */
  readonly effect: number
  readonly left: Left
  readonly progress: Progress
}

/** How a life came out. */
export interface Outcome {
  /** When the scenario is over and nothing is due any more, and a while later. */
  readonly ends: readonly [atOnce: End, later: End]
  readonly wrong: readonly string[]
  /** Of each resource, the pairs that it had one after another. */
  readonly stories: readonly string[]
  readonly reaches: boolean
}

/**
 * Plays a scenario undisturbed. Its crash points are before the first effect of each step and after every effect: a death before a later one leaves what a death
 * after the one before it leaves, and finds the same call unanswered.
 */
export async function undisturbed(scenario: Scenario): Promise<{ readonly outcome: Outcome; readonly points: readonly CrashPoint[] }> {
  const region = await RegionUnderTest.open(SEED)
  try {
    const client = new ScenarioClient(region, scenario), points: CrashPoint[] = []
    const before = region.effects
    const note = (isAfterEffect: boolean) => {
      const { progress } = client, effect = region.effects - before
      points.push({ where: `${isAfterEffect ? `after effect ${effect}, in` : 'before'} ${nameOf(scenario, progress.at)}`, isAfterEffect, effect, left: region.left(), progress })
    }
    region.onEffect(() => note(true))
    do note(false); while (await client.next())
    region.onEffect(undefined)
    return { points, outcome: await goOn(region, client, scenario) }
  } finally {
    await region.close()
  }
}

/** Goes on after a death: the next server is opened over what was left, and the caller sends again what was not answered. */
export async function afterDeath(scenario: Scenario, { left, progress }: CrashPoint): Promise<Outcome> {
  const region = await RegionUnderTest.over(left)
  try {
    return await goOn(region, new ScenarioClient(region, scenario, progress), scenario)
  } finally {
    await region.close()
  }
}

/** The same from the beginning, with a server that is dead from its effect on, whatever else is under way in it. */
export async function withDeath(scenario: Scenario, effect: number): Promise<Outcome> {
  const region = await RegionUnderTest.open(SEED)
  try {
    region.dieAt(effect - 1, 'after')
    return await goOn(region, new ScenarioClient(region, scenario), scenario)
  } finally {
    await region.close()
  }
}

async function goOn(region: RegionUnderTest, client: ScenarioClient, scenario: Scenario): Promise<Outcome> {
  const player = new Player(region)
  while (await client.next());
  region.spare()
  await client.pass(0)
  const atOnce = await endOf(player)
  const news = [...player.view.news]
  await client.pass(AFTERWARDS_MS)
  const later = await endOf(player)
  const [row] = scenario.Reaches
  return { ends: [atOnce.end, later.end], wrong: [...atOnce.wrong, ...later.wrong], stories: storiesOf(news), reaches: news.some(change => isRow(row, change)) }
}

function isRow(row: Row | undefined, { Kind, Name, Status }: Change): boolean {
  return Kind === row?.Kind && (row.Name === undefined || row.Name === Name) && pairOf(Status) === `${row.Phase}/${row.Conditions.join('+')}`
}

/** Names that are made of ids are those of one run. */
function storiesOf(news: readonly Change[]): readonly string[] {
  const stories = [...Map.groupBy(news, change => change.Id).values()]
  return stories.map(changes => `${changes[0]?.Kind} ${changes[0]?.Kind === 'Node' ? '' : changes[0]?.Name}: ${changes.map(change => pairOf(change.Status)).join(', ')}`).sort()
}

function nameOf({ Steps }: Scenario, at: number): string {
  const step = Steps[at]
  if (!step) return 'the end'
  return `step ${at + 1} (${isCall(step) ? step.Action : `the clock goes on by ${step.Clock}`})`
}
