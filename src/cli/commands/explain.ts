import { Argument, type Command } from 'commander'
import type { EdgeholdClient } from '#client/client.ts'
import { connect } from '../credentials.ts'
import { flag, withCommon, type Common } from '../flags.ts'
import { parseWhole } from '../parse.ts'
import { printResult } from '../print.ts'
import { findCluster, findNode, findOnboarding, findPool } from '../resolve.ts'
import { evidenceText, explanationText } from '../text/explanation.ts'
import { clock, resourceWords, sentence, statusWords } from '../text/words.ts'

const KINDS = ['cluster', 'pool', 'node', 'onboarding'] as const
type Kind = (typeof KINDS)[number]

interface Flags extends Common { readonly cluster?: string }

export function addExplainCommands(program: Command): void {
  withCommon(program.command('explain')).addArgument(kindArgument()).argument('<name>', 'name or id')
    .description('say in sentences why something shows its status')
    .addOption(flag('--cluster <cluster>', 'its cluster, by name or id'))
    .action(async (kind: Kind, name: string, flags: Flags) => {
      const client = connect(flags)
      const explanation = await client.call('ExplainStatus', { Id: await idOf(client, kind, name, flags.cluster) })
      await printResult(flags, explanation, () => explanationText(explanation, Date.now()))
    })

  withCommon(program.command('history')).addArgument(kindArgument()).argument('<name>', 'name or id; an id also of something that is gone')
    .description('tell every change of a status, oldest first')
    .addOption(flag('--cluster <cluster>', 'its cluster, by name or id'))
    .addOption(flag('--last <n>', 'how many changes at most').argParser(parseWhole).default(100))
    .action(async (kind: Kind, name: string, flags: Flags & { last: number }) => {
      const client = connect(flags)
      const id = /^[cpn][0-9a-v]{20}$/.test(name) ? name : await idOf(client, kind, name, flags.cluster)
      const newestFirst = []
      for await (const change of client.list('ListStatusHistory', { Filter: { Ids: [id] } })) {
        if (newestFirst.length >= flags.last) break
        newestFirst.push(change)
      }
      const changes = newestFirst.toReversed()
      const now = Date.now()
      await printResult(flags, changes, () => changes.flatMap(change => [
        `${clock(change.At, now)}  ${statusWords(change.Status)}  ${sentence(change.Because)}${change.Operation === undefined ? '' : ` (${change.Operation})`}`,
        `          Rule: ${change.Rule}.${change.CausedBy ? ` Because of ${resourceWords(change.CausedBy)}.` : ''}`,
        ...change.Evidence.map(evidence => `          ${evidenceText(evidence, now)}`),
      ]).join('\n'))
    })
}

function kindArgument(): Argument {
  return new Argument('<kind>', 'what it is').choices(KINDS)
}

async function idOf(client: EdgeholdClient, kind: Kind, name: string, cluster: string | undefined): Promise<string> {
  switch (kind) {
    case 'cluster': return (await findCluster(client, name)).Id
    case 'pool': return (await findPool(client, name, cluster)).Id
    case 'node': return (await findNode(client, name, cluster)).Id
    case 'onboarding': return (await findOnboarding(client, name, cluster)).Id
  }
}
