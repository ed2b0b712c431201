import { Argument, type Command } from 'commander'
import type { Change } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { connect } from '../credentials.ts'
import { CommandFailed, NothingThere, UsageError } from '../errors.ts'
import { flag, withCommon, type Common } from '../flags.ts'
import { givenOf } from '../given.ts'
import { nowIn } from '../now-in.ts'
import { parseWhole } from '../parse.ts'
import { printResult, tell } from '../print.ts'
import { findCluster, findNode, findOnboarding, findPool } from '../resolve.ts'
import { evidenceText, explanationText } from '../text/explanation.ts'
import { versionWords } from '../text/version.ts'
import { clock, resourceWords, sentence, statusWords } from '../text/words.ts'

const KINDS = ['cluster', 'pool', 'node', 'addon', 'onboarding'] as const
type Kind = (typeof KINDS)[number]

interface Flags extends Common { readonly cluster?: string }

export function addExplainCommands(program: Command): void {
  withCommon(program.command('explain')).addArgument(kindArgument()).argument('<name>', 'name or id')
    .description('say in sentences why something shows its status')
    .addOption(flag('--cluster <cluster>', 'its cluster, by name or id'))
    .action(async (kind: Kind, name: string, flags: Flags, command: Command) => {
      refuseClusterOfCluster(kind, command)
      const client = connect(flags)
      const id = await idOf(client, kind, name, flags.cluster).catch(async (error: unknown) => { throw await goneError(client, kind, name, error) })
      const explanation = await client.call('ExplainStatus', { Id: id })
      const version = kind === 'cluster' ? `\n\nIt runs Kubernetes ${versionWords(await findCluster(client, id))}.` : ''
      await printResult(flags, explanation, async () => `${explanationText(explanation, await nowIn(client))}${version}`)
    })

  withCommon(program.command('history')).addArgument(kindArgument()).argument('<name>', 'name or id, also of something that is gone')
    .description('tell every change of a status, oldest first')
    .addOption(flag('--cluster <cluster>', 'its cluster, by name or id'))
    .addOption(flag('--last <n>', 'how many changes at most').argParser(parseWhole).default(100))
    .action(async (kind: Kind, name: string, flags: Flags & { last: number }, command: Command) => {
      refuseClusterOfCluster(kind, command)
      const client = connect(flags)
      const id = /^[cpn][0-9a-v]{20}(:.*)?$/.test(name) ? name : await idOf(client, kind, name, flags.cluster).catch(async (error: unknown) => {
        const last = await goneOne(client, kind, name, error)
        if (!last) throw error
        tell(`${name} is gone; this is what became of the last one of that name, ${last.Id}.`)
        return last.Id
      })
      const newestFirst = []
      for await (const change of client.list('ListStatusHistory', { Filter: { Ids: [id] } })) {
        if (newestFirst.length >= flags.last) break
        newestFirst.push(change)
      }
      const changes = newestFirst.toReversed()
      if (changes.length === 0) tell(kind === 'onboarding' ? 'An onboarding script keeps one status from its creation to its deletion, so it has no changes to tell.' : `No change of ${name} is known.`)
      const now = await nowIn(client)
      await printResult(flags, changes, () => changes.flatMap(change => [
        `${clock(change.At, now)}  ${statusWords(change.Status)}  ${sentence(change.Because)}${change.Operation === undefined ? '' : ` (${change.Operation})`}`,
        `          Rule: ${change.Rule}.${change.CausedBy ? ` Because of ${resourceWords(change.CausedBy)}.` : ''}`,
        ...change.Evidence.map(evidence => `          ${evidenceText(evidence, now)}`),
      ]).join('\n'))
    })
}

/** `<cluster>:<name>`, or a name that is one cluster's. */
async function addonIdOf(client: EdgeholdClient, name: string, cluster: string | undefined): Promise<string> {
  if (name.includes(':')) return name
  const found = await client.all('ListAddons', { Filter: { Names: [name], ...cluster !== undefined && { ClusterIds: [(await findCluster(client, cluster)).Id] } } })
  const [first, ...more] = found
  if (!first) throw new NothingThere(`There is no add-on ${name}. See what there is with "edgehold list addon".`)
  if (more.length > 0) throw new CommandFailed(`${found.length} clusters have an add-on ${name}; give --cluster.`)
  return `${first.ClusterId}:${first.Name}`
}

const RECORDED = { cluster: 'Cluster', pool: 'NodePool', node: 'Node', addon: 'Addon', onboarding: 'Onboarding' } as const
/** Whoever left the lists longer ago than this many changes is found by id only. */
const MOST_CHANGES = 2_000

/** The end of the last thing of that name or id, if `error` says that there is none now and the history has one. */
async function goneOne(client: EdgeholdClient, kind: Kind, name: string, error: unknown): Promise<Change | undefined> {
  if (!(error instanceof NothingThere)) return undefined
  let looked = 0
  for await (const change of client.list('ListStatusHistory', { Filter: { Kinds: [RECORDED[kind]] } })) {
    if (change.Id === name || change.Name === name) return change.Status === null ? change : undefined
    if (++looked >= MOST_CHANGES) return undefined
  }
  return undefined
}

/** Only what is there has a status to explain; of what was there, the history tells. */
async function goneError(client: EdgeholdClient, kind: Kind, name: string, error: unknown): Promise<unknown> {
  const last = await goneOne(client, kind, name, error)
  return last ? new CommandFailed(`There is no ${kind} ${name} any more: it is gone since ${last.At}. "edgehold history ${kind} ${last.Id}" tells how it went.`) : error
}

function refuseClusterOfCluster(kind: Kind, command: Command): void {
  if (kind === 'cluster' && givenOf(command).includes('--cluster')) throw new UsageError('--cluster does nothing for a cluster: it is for what is in one')
}

function kindArgument(): Argument {
  return new Argument('<kind>', 'what it is').choices(KINDS)
}

async function idOf(client: EdgeholdClient, kind: Kind, name: string, cluster: string | undefined): Promise<string> {
  switch (kind) {
    case 'cluster': return (await findCluster(client, name)).Id
    case 'pool': return (await findPool(client, name, cluster)).Id
    case 'node': return (await findNode(client, name, cluster)).Id
    case 'addon': return await addonIdOf(client, name, cluster)
    case 'onboarding': return (await findOnboarding(client, name, cluster)).Id
  }
}
