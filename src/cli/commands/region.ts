import type { Command } from 'commander'
import type { EdgeholdClient } from '#client/client.ts'
import { NoAnswer } from '#client/errors.ts'
import { makeOwnRegion, ownRegionName } from '#client/own-region.ts'
import { connect } from '../credentials.ts'
import { flag, own, parseNumber, withCommon, type Common } from '../flags.ts'
import { printJson, printResult, tell, terminalWidth } from '../print.ts'
import { table } from '../text/table.ts'

/** All of a region is removed before the answer. */
const LONG_MS = 60_000

export function addRegionCommands(program: Command): void {
  const region = program.command('region').description('the regions of this server')
  withCommon(region.command('list')).description('list regions and what each is ready for').action(async (flags: Common) => {
    const regions = await connect(flags).all('ListRegions')
    await printResult(flags, regions, () => table(['REGION', 'KIND', 'READY', 'DEFAULT', 'ALIASES', 'TEXT'], regions.map(one => [
      one.Region, one.Kind, one.Ready ? 'yes' : 'no', one.Default ? 'yes' : '', one.Aliases.join(','), one.Text,
    ]), terminalWidth()))
  })

  withCommon(region.command('create [name]')).description('make a simulated region with a clock, seed, balance, limits and faults of its own; without a name it gets one that nobody else gives')
    .addOption(flag('--seed <number>', 'what is drawn in it; the same seed tells the same story').argParser(parseNumber('a seed is a whole number from 0, e.g. 7')))
    .addOption(flag('--start-at <time>', 'the first instant of its time, e.g. 2026-12-01T00:00:00Z'))
    .addOption(own('--paused', 'its clock stands still until it is stepped or resumed'))
    .addOption(flag('--speed <factor>', 'how many times as fast as real time its clock runs').argParser(parseNumber('a clock runs so many times as fast as real time, e.g. 60')))
    .action(async (name: string | undefined, flags: Common & { seed?: number; startAt?: string; paused?: boolean; speed?: number }) => {
      const order = {
        ...flags.seed !== undefined && { Seed: flags.seed }, ...flags.startAt !== undefined && { StartAt: flags.startAt }, ...flags.paused && { Paused: true }, ...flags.speed !== undefined && { Speed: flags.speed },
      }
      const made = name === undefined ? await createUnnamed(connect(flags), order) : await connect(flags).call('CreateRegion', { Region: name, ...order }, { timeoutMs: LONG_MS })
      await printResult(flags, made, () => made.Region)
    })

  withCommon(region.command('delete <name>')).description('remove a simulated region with everything in it').action(async (name: string, flags: Common) => {
    await connect(flags).call('DeleteRegion', { Region: name }, { timeoutMs: LONG_MS })
    if (flags.output === 'json') printJson({ Region: name })
  })
}

/** Chooses the name itself, and tells it also where no answer came: whoever asked could not know which region to remove. */
async function createUnnamed(client: EdgeholdClient, order: object): Promise<{ readonly Region: string }> {
  const region = ownRegionName('region')
  try {
    await makeOwnRegion(client, region, order, { timeoutMs: LONG_MS })
  } catch (error) {
    if (error instanceof NoAnswer && !error.neverSent) tell(`The region ${region} may have been made. It is taken away by: edgehold region delete ${region}`)
    throw error
  }
  return { Region: region }
}
