import type { Command } from 'commander'
import { connect } from '../credentials.ts'
import { flag, own, withCommon, type Common } from '../flags.ts'
import { nowIn } from '../now-in.ts'
import { printResult, tell, terminalWidth } from '../print.ts'
import { findCluster } from '../resolve.ts'
import { table } from '../text/table.ts'
import { age } from '../text/words.ts'

export function addLedgerCommands(program: Command): void {
  const ledger = program.command('ledger').description('the outside resources that were made, with owner and fate')
  withCommon(ledger.command('list')).description('list them; without --all those that are not released')
    .addOption(flag('--cluster <cluster>', 'of one cluster, by name or id'))
    .addOption(own('--all', 'released ones, too'))
    .action(async (flags: Common & { cluster?: string; all?: boolean }) => {
      const client = connect(flags)
      const filter = {
        ...flags.cluster !== undefined && { ClusterIds: [(await findCluster(client, flags.cluster)).Id] },
        ...flags.all && { States: ['Intended', 'Held', 'Releasing', 'Retained', 'Abandoned', 'Released'] },
      }
      const entries = await client.all('ListLedger', { Filter: filter })
      const now = await nowIn(client)
      await printResult(flags, entries, () => {
        if (entries.length === 0) tell('The ledger is empty: nothing is held.')
        return table(['KIND', 'ID', 'OWNER', 'STATE', 'SINCE', 'BECAUSE'], entries.map(entry => [
          entry.Kind, entry.ProviderId ?? entry.Id, `${entry.Owner.Kind} ${entry.Owner.Name}`, entry.State, age(entry.Since, now), entry.Because ?? '',
        ]), terminalWidth())
      })
    })
}
