import type { Command } from 'commander'
import type { Fault } from '#client/calls.ts'
import { connect } from '../credentials.ts'
import { UsageError } from '../errors.ts'
import { own, parseNumber, withCommon, type Common } from '../flags.ts'
import { print, printJson, printResult, tell } from '../print.ts'
import { table } from '../text/table.ts'

interface Injecting extends Common {
  readonly call?: string; readonly kind?: string; readonly id?: string; readonly name?: string; readonly label?: string; readonly nth?: number
  readonly code?: string; readonly message?: string; readonly for?: string; readonly times?: number; readonly from?: string; readonly until?: string
}

const EFFECTS = ['fail', 'hang', 'slow', 'lie', 'stutter', 'half', 'double', 'protected', 'silent']

export function addFaultCommands(program: Command): void {
  const fault = program.command('fault').description('what shall go wrong in a simulated region: faults at the calls of its ports, at what happens behind them, or at our own answers')

  withCommon(fault.command('inject <port> <effect>'))
    .description(`let something go wrong; ports are control-plane-host, tenant-cluster, machines, outside, addon-installer and api, effects are ${EFFECTS.join(', ')}`)
    .addOption(own('--call <call>', 'one call of the port, or a happening behind it such as kubelet, download or kube-apiserver; for api an action'))
    .addOption(own('--kind <kind>', 'only for this kind of thing, e.g. Cluster, Node, Machine'))
    .addOption(own('--id <id>', 'only for the thing of this id'))
    .addOption(own('--name <name>', 'only for things of this name'))
    .addOption(own('--label <key=value>', 'only for nodes with this label'))
    .addOption(own('--nth <count>', 'only for the how manieth that comes by').argParser(parseNumber('the first that comes by is 1')))
    .addOption(own('--code <code>', 'the error\'s own code, e.g. StockOut, or 429 for api'))
    .addOption(own('--message <text>', 'what it says'))
    .addOption(own('--for <span>', 'how long it hangs or how much longer it takes, e.g. 90s'))
    .addOption(own('--times <count>', 'how often it strikes').argParser(parseNumber('a fault strikes so many times, e.g. 3')))
    .addOption(own('--from <time>', 'not before this time of the region'))
    .addOption(own('--until <time>', 'until this time of the region'))
    .action(async (port: string, effect: string, flags: Injecting) => {
      const { Id } = await connect(flags).call('InjectFault', bodyOf(port, effect, flags))
      if (flags.output === 'json') printJson({ Id })
      else print(Id)
    })

  withCommon(fault.command('list')).description('list the faults of the region with how often each has struck').action(async (flags: Common) => {
    const faults = await connect(flags).all('ListFaults')
    await printResult(flags, faults, () => {
      if (faults.length === 0) tell('There are no faults. Make one with "edgehold fault inject PORT EFFECT".')
      return table(['ID', 'PORT', 'CALL', 'TARGET', 'EFFECT', 'HITS', 'UNTIL'], faults.map(one => [one.Id, one.Port, one.Call ?? 'any', targetText(one), effectText(one), hitsText(one), one.Until ?? '']))
    })
  })

  withCommon(fault.command('clear [id]')).description('take a fault away, or all of them').addOption(own('--all', 'all faults of the region')).action(async (id: string | undefined, flags: Common & { readonly all?: boolean }) => {
    if ((id === undefined) === (flags.all !== true)) throw new UsageError('say which fault: either an id or --all')
    await connect(flags).call('ClearFault', { ...(id !== undefined && { Id: id }), ...(flags.all && { All: true }) })
    if (flags.output === 'json') printJson({})
  })
}

function bodyOf(port: string, effect: string, flags: Injecting): object {
  const target = { ...(flags.kind !== undefined && { Kind: flags.kind }), ...(flags.id !== undefined && { Id: flags.id }), ...(flags.name !== undefined && { Name: flags.name }), ...(flags.label !== undefined && { Label: flags.label }), ...(flags.nth !== undefined && { Nth: flags.nth }) }
  return {
    Port: port, ...(flags.call !== undefined && { Call: flags.call }), ...(Object.keys(target).length > 0 && { Target: target }),
    Effect: { Type: effect, ...(flags.code !== undefined && { Code: flags.code }), ...(flags.message !== undefined && { Message: flags.message }), ...(flags.for !== undefined && { For: flags.for }) },
    ...(flags.times !== undefined && { Times: flags.times }), ...(flags.from !== undefined && { From: flags.from }), ...(flags.until !== undefined && { Until: flags.until }),
  }
}

function targetText({ Target }: Fault): string {
  return Target ? Object.entries(Target).map(([member, value]) => `${member}=${String(value)}`).join(' ') : 'all'
}

function effectText({ Effect: { Type, Code, For, Message } }: Fault): string {
  return [Type, Code, For, Message && `"${Message}"`].filter(Boolean).join(' ')
}

function hitsText({ Hits, Times }: Fault): string {
  return Times === undefined ? String(Hits) : `${Hits} of ${Times}`
}
