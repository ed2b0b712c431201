import type { Command } from 'commander'
import { connect } from '../credentials.ts'
import { flag, withCommon, type Common } from '../flags.ts'
import { parseLimit } from '../parse.ts'
import { printResult, tell } from '../print.ts'
import { table } from '../text/table.ts'

const KINDS = 'kinds are Machine, LoadBalancer, Nat, Address, SecurityGroup and Disk', COUNTED = `${KINDS}; in a real region Machine`

export function addLimitCommands(program: Command): void {
  const quota = program.command('quota').description('how many of a kind of thing the account may have in a region')
  withCommon(quota.command('show')).alias('list').description('show the limits, and how many the account has').action(async (flags: Common) => {
    const found = await connect(flags).all('ListQuotas')
    await printResult(flags, found, () => {
      if (found.length === 0) tell('No quota is set: the account may have as many of each kind as it likes.')
      return table(['KIND', 'LIMIT', 'HELD'], found.map(one => [one.Kind, String(one.Limit), String(one.Held)]))
    })
  })
  withCommon(quota.command('set <kind> <limit>')).description(`set one: a number, or "unlimited"; ${COUNTED}. In a real region it takes the administrator's key`).action(async (kind: string, text: string, flags: Common) => {
    const limit = parseLimit(text)
    await printResult(flags, await connect(flags).call('SetQuota', { Kind: kind, ...limit === undefined ? { Unlimited: true } : { Limit: limit } }), () => '')
    tell(limit === undefined ? `The account may have any number of the kind ${kind}.` : `The account may have ${limit} of the kind ${kind}.`)
  })

  const stock = program.command('stock').description('how many of a kind of thing can still be had in a simulated region (with --region)')
  withCommon(stock.command('show')).alias('list').description('show what is left where it is limited').action(async (flags: Common) => {
    const found = await connect(flags).all('ListStock')
    await printResult(flags, found, () => {
      if (found.length === 0) tell('No stock is set: each kind can be had without end.')
      return table(['KIND', 'AREA', 'LEFT'], found.map(one => [one.Kind, one.Area ?? 'all others', String(one.Count)]))
    })
  })
  withCommon(stock.command('set <kind> <count>')).description(`set what is left: a number, or "unlimited"; ${KINDS}`)
    .addOption(flag('--area <name>', 'only in that area; without it in all that have no stock of their own'))
    .action(async (kind: string, text: string, flags: Common & { readonly area?: string }) => {
      const count = parseLimit(text), where = flags.area === undefined ? '' : ` in ${flags.area}`
      await printResult(flags, await connect(flags).call('SetStock', { Kind: kind, ...flags.area !== undefined && { Area: flags.area }, ...count === undefined ? { Unlimited: true } : { Count: count } }), () => '')
      tell(count === undefined ? `Any number of the kind ${kind} can be had${where}.` : `${count} of the kind ${kind} can still be had${where}.`)
    })
}
