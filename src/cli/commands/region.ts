import type { Command } from 'commander'
import { connect } from '../credentials.ts'
import { withCommon, type Common } from '../flags.ts'
import { printResult, terminalWidth } from '../print.ts'
import { table } from '../text/table.ts'

export function addRegionCommands(program: Command): void {
  const region = program.command('region').description('the regions of this server')
  withCommon(region.command('list')).description('list regions and what each is ready for').action(async (flags: Common) => {
    const regions = await connect(flags).all('ListRegions')
    await printResult(flags, regions, () => table(['REGION', 'KIND', 'READY', 'DEFAULT', 'ALIASES', 'TEXT'], regions.map(one => [
      one.Region, one.Kind, one.Ready ? 'yes' : 'no', one.Default ? 'yes' : '', one.Aliases.join(','), one.Text,
    ]), terminalWidth()))
  })
}
