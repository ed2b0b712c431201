import type { Command } from 'commander'
import type { Balance } from '#client/calls.ts'
import { connect } from '../credentials.ts'
import { withCommon, type Common } from '../flags.ts'
import { parseLimit } from '../parse.ts'
import { printResult, tell } from '../print.ts'

export function addBalanceCommands(program: Command): void {
  const balance = program.command('balance').description('what the account has in a region, and what it spends')
  withCommon(balance.command('show')).description('show it').action(async (flags: Common) => {
    const found = await connect(flags).call('GetBalance', {})
    await printResult(flags, found, () => inWords(found))
  })
  withCommon(balance.command('set <amount>')).description('set it: a number, or "unlimited"; in a real region with the administrator\'s key').action(async (amount: string, flags: Common) => {
    const value = parseLimit(amount)
    await printResult(flags, await connect(flags).call('SetBalance', value === undefined ? { Unlimited: true } : { Amount: value }), () => '')
    tell(value === undefined ? 'The account is unlimited.' : `The account has ${value}.`)
  })
}

function inWords(found: Balance): string {
  return [
    found.Amount === undefined ? 'Unlimited.' : `It has ${found.Amount.toFixed(2)}.`,
    `It spends ${found.PerHour.toFixed(2)} an hour.`,
    ...found.ReachesZeroAt === undefined ? [] : [`At this rate it reaches zero at ${found.ReachesZeroAt}.`],
    ...found.ArrearsSince === undefined ? [] : [`It is in arrears since ${found.ArrearsSince}.`],
    ...found.StoppedSince === undefined ? [] : [`Its clusters are stopped and changes refused since ${found.StoppedSince}.`],
  ].join('\n')
}
