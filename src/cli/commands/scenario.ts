import type { Command } from 'commander'
import type { Played } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'
import { isPassing } from '#client/passing.ts'
import { Patience } from '#client/patience.ts'
import { connect } from '../credentials.ts'
import { EXIT, NothingThere, UsageError } from '../errors.ts'
import { flag, own, withCommon, type Common } from '../flags.ts'
import { parseWhole } from '../parse.ts'
import { printJson, printResult, tell, terminalWidth } from '../print.ts'
import { table } from '../text/table.ts'

const LONGEST_MS = 10 * 60_000
const KINDS = ['Cluster', 'NodePool', 'Node', 'Addon']

export function addScenarioCommands(program: Command): void {
  const scenario = program.command('scenario').description('stories that lead to each status of the tables, played in simulated regions')
  withCommon(scenario.command('list')).description('list them').action(async (flags: Common) => {
    const found = await (await inSimulated(flags)).all('ListScenarios')
    await printResult(flags, found, () => table(['NAME', 'REACHES', 'TITLE'], found.map(one => [
      one.Name, one.Reaches.map(row => `${row.Kind} {${row.Phase},[${row.Conditions.join(',')}]}`).join(', '), one.Title.en,
    ]), terminalWidth()))
  })

  withCommon(scenario.command('show <name>')).description('print one as data: public calls and steps of the clock').action(async (name: string, flags: Common) => {
    const { Items: [found] } = await (await inSimulated(flags)).call('ListScenarios', { Filter: { Names: [name] } })
    if (!found) throw new NothingThere(`There is no scenario ${name}. See what there is with "edgehold scenario list".`)
    printJson(found)
  })

  withCommon(scenario.command('run <name>')).description('play one in a fresh region and tell what happens')
    .addOption(flag('--seed <n>', 'the same seed tells the same story').argParser(parseWhole).default(1))
    .addOption(flag('--in <region>', 'play it in that simulated region'))
    .addOption(flag('--on <cluster>', 'the id of a cluster there that it may use'))
    .addOption(flag('--stop-at <row>', 'leave the world there, its clock paused, e.g. Failed/NotReady, Node:Failed/NotReady or Failed/Balance+ResourceCleanupFailed'))
    .addOption(own('--without-cause', 'leave its cause out'))
    .addOption(flag('--client-token <token>', 'that of an earlier run, which goes on or is told again'))
    .action(async (name: string, flags: Common & { seed: number; in?: string; on?: string; stopAt?: string; withoutCause?: boolean; clientToken?: string }) => {
      const client = await inSimulated(flags)
      const { Items: [found] } = await client.call('ListScenarios', { Filter: { Names: [name] } })
      if (!found) throw new NothingThere(`There is no scenario ${name}. See what there is with "edgehold scenario list".`)
      const stop = flags.stopAt === undefined ? undefined : rowOf(flags.stopAt, found.Reaches[0]?.Kind ?? 'Node')
      const ordered = {
        Name: name, Seed: flags.seed, ...flags.in !== undefined && { In: flags.in }, ...flags.on !== undefined && { On: flags.on }, ...stop && { StopAt: stop }, ...flags.withoutCause && { WithoutCause: true },
        // By it a server knows the call again that another one, or it itself before it was killed, took.
        ClientToken: flags.clientToken ?? crypto.randomUUID(),
      }
      const played = await new Patience({ tell }).ask(() => client.call('RunScenario', ordered, { timeoutMs: LONGEST_MS }), { longestMs: LONGEST_MS }).catch((error: unknown) => {
        const goesOn = isPassing(error) || (error instanceof ApiError && (error.status === 429 || error.status >= 500))
        // Of any other region nothing is left.
        if (goesOn && (flags.in !== undefined || stop)) tell(`The scenario has not ended: the same command with --client-token ${ordered.ClientToken} ${flags.in === undefined ? 'empties its region and begins anew there' : 'goes on where it stands'}.`)
        throw error
      })
      await printResult(flags, played, () => storyText(played))
      if (!stop) return
      tell(endText(played, stop, { row: flags.stopAt ?? '', isFresh: flags.in === undefined }))
      if (!played.Stopped) process.exitCode = EXIT.waitedInVain
    })
}

/** Scenarios are asked for in a simulated region. Where the usual one is real and none that is there is named, the first simulated one that is ready is asked. */
async function inSimulated(flags: Common): Promise<EdgeholdClient> {
  const client = connect(flags)
  const regions = await client.all('ListRegions'), signed = regions.find(({ Region }) => Region === client.region)
  if (flags.region !== undefined && signed) return client
  const usual = signed ?? regions.find(({ Default }) => Default)
  const simulated = usual?.Kind === 'Local' ? regions.find(({ Kind, Ready }) => Kind === 'Simulated' && Ready) : undefined
  return simulated ? connect({ ...flags, region: simulated.Region }) : client
}

/** `Failed/NotReady`, or with its kind before a colon; conditions that are to hold together are joined by `+`. */
function rowOf(text: string, usualKind: string): { Kind: string; Phase: string; Condition: string } {
  const [, kind = usualKind, phase, condition] = /^(?:([A-Za-z]+):)?([A-Za-z]+)\/([A-Za-z]+(?:\+[A-Za-z]+)*)$/.exec(text) ?? []
  if (phase === undefined || condition === undefined || !KINDS.includes(kind)) throw new UsageError(`${text} is no row: write Phase/Condition, or Kind:Phase/Condition with ${KINDS.join(', ')}.`)
  return { Kind: kind, Phase: phase, Condition: condition }
}

/** Where the world was left, and why not at the row where it is not. */
function endText({ Stopped: stopped, Region: region, Story: story }: Played, { Kind: kind, Phase: phase, Condition: condition }: ReturnType<typeof rowOf>, { row, isFresh }: { readonly row: string; readonly isFresh: boolean }): string {
  const look = `Look with --region ${region}${isFresh ? `; take it away with "edgehold region delete ${region}"` : ''}.`
  if (stopped) return `Stopped there: the region ${region} is as it was at that moment, its clock paused. ${look}`
  const passed = story.find(({ Resource, Status }) => Resource?.Kind === kind && Status?.Phase === phase && condition.split('+').every(one => Status.Conditions.some(({ Type }) => Type === one)))
  const why = passed ? `It came to ${row} and left it within one instant, ${passed.At}, in which no clock can stand` : `It never came to ${row}`
  return `${why}; the region ${region} is as it was at the end. ${look}`
}

function storyText(played: Played): string {
  return played.Story.map(({ At, Text }) => `${At.replace('T', ' ').replace('Z', '')}  ${Text}`).join('\n')
}
