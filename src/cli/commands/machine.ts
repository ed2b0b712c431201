import type { Command } from 'commander'
import type { Machine, Ran } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { realTime } from '#client/waiting-time.ts'
import { afterSeparator } from '../after-separator.ts'
import { connect } from '../credentials.ts'
import { CommandFailed } from '../errors.ts'
import { flag, own, parseSpan, withCommon, withWait, type Common, type Waiting } from '../flags.ts'
import { print, printJson, printResult, tell } from '../print.ts'
import { findMachine, findOnboarding } from '../resolve.ts'
import { table } from '../text/table.ts'
import { sentence } from '../text/words.ts'
import { until } from '../wait.ts'

const MADE_MS = 60_000
/** The server ends a script after ten minutes; the answer then still has to come. */
const SCRIPT_MS = 11 * 60_000

/** In the region's own time a machine that is up asks the join endpoint at once, and one that was just switched on as soon as it is up; a clock that runs slowly is not waited for. */
const ASKED_MS = 20_000, WATCHED_MS = 30_000, LOOK_EVERY_MS = 500

const SWITCHES = [
  ['power-on', { Power: 'on' }, 'switch a machine on'],
  ['power-off', { Power: 'off' }, 'switch a machine off'],
  ['crash', { Power: 'crash' }, "pull a machine's plug"],
  ['cut', { Link: 'cut' }, 'cut a machine off the network; its power stays'],
  ['heal', { Link: 'up' }, 'give a machine its network back'],
] as const

export function addMachineCommands(program: Command): void {
  const machine = program.command('machine').description('machines of this region: empty Linux machines to try things on')

  withWait(withCommon(machine.command('add <name>')), 'it is made and on').description('make an empty machine and switch it on').action(async (name: string, flags: Common & Waiting) => {
    const client = connect(flags)
    const { Id } = await client.call('AddMachine', { Name: name })
    if (flags.wait) await until(client, flags.timeout ?? MADE_MS, `The machine ${name} was not made`, async () => (await findMachine(client, Id)).Made || undefined)
    if (flags.output === 'json') printJson({ Id })
    else print(Id)
  })

  withCommon(machine.command('list')).description('list machines with power, link and node').action(async (flags: Common) => {
    const client = connect(flags)
    const machines = await client.all('ListMachines')
    await printResult(flags, machines, () => {
      if (machines.length === 0) tell('There are no machines. Make one with "edgehold machine add NAME".')
      return table(['NAME', 'ID', 'POWER', 'LINK', 'ADDRESS', 'NODE', ''], machines.map(one => [one.Name, one.Id, one.Power, one.Link, one.Address, [one.NodeId, one.OwnedBy && `of pool ${one.OwnedBy.Name}`].filter(Boolean).join(' '), one.Because ?? (one.Removing ? 'being removed' : one.Made ? '' : 'being made')]))
    })
  })

  for (const [verb, change, text] of SWITCHES) {
    withCommon(machine.command(`${verb} <name>`)).description(text).action(async (name: string, flags: Common) => {
      const client = connect(flags)
      const { Id } = await findMachine(client, name)
      await client.call('SetMachine', { Id, ...change })
      if (flags.output === 'json') printJson({ Id })
    })
  }

  withCommon(machine.command('run-script <name> <onboarding>')).description('run an onboarding script on a machine; ends when the script has ended, in a simulated region when the machine was admitted or refused, or when the script has begun where the clock stands still: there its node tells the rest')
    .addOption(flag('--cluster <cluster>', "the script's cluster, by name or id"))
    .action(async (name: string, onboarding: string, flags: Common & { cluster?: string }) => {
      const client = connect(flags)
      const [before, script] = await Promise.all([findMachine(client, name), findOnboarding(client, onboarding, flags.cluster)]), { Id } = before
      const { ExitCode: ended, ...ran } = await client.call('SetMachine', { Id, RunScript: script.Id }, { timeoutMs: SCRIPT_MS })
      const { ExitCode, Output } = ended === undefined ? await whatBecame(client, before) : { ExitCode: ended, Output: ran.Output ?? '' }
      await printResult(flags, { Id, ExitCode, Output }, () => Output)
      if (ExitCode !== 0) throw new CommandFailed(`The script ended with ${ExitCode} on ${name}; what it said last stands above. Mend that and run it again; a node that it made already stays the same.`)
    })

  withCommon(machine.command('exec <name> <command...>')).description('run a command on a machine; its exit code becomes ours. Options of ours stand before the name')
    .addOption(flag('--stdin <text>', 'what the command reads'))
    .addOption(own('--timeout <span>', 'how long it may run, e.g. 90s').argParser(parseSpan))
    .passThroughOptions()
    .action(async (name: string, command: readonly string[], flags: Common & { stdin?: string; timeout?: number }) => {
      const client = connect(flags)
      const { Id } = await findMachine(client, name)
      const seconds = Math.ceil((flags.timeout ?? 300_000) / 1000)
      const ran = await client.call('ExecInMachine', { Id, Command: afterSeparator(command), TimeoutSeconds: seconds, ...flags.stdin !== undefined && { Stdin: flags.stdin } }, { timeoutMs: (seconds + 60) * 1000 })
      await printResult(flags, ran, () => ran.Output)
      process.exitCode = ran.ExitCode
    })

  withWait(withCommon(machine.command('remove <name>')), 'it is gone').description('switch a machine off and remove it with its disk').action(async (name: string, flags: Common & Waiting) => {
    const client = connect(flags)
    const { Id } = await findMachine(client, name)
    await client.call('RemoveMachine', { Id })
    if (flags.wait) await until(client, flags.timeout ?? MADE_MS, `The machine ${name} was not gone`, async () => (await client.call('ListMachines', { Filter: { Ids: [Id] } })).TotalCount === 0 || undefined)
    if (flags.output === 'json') printJson({ Id })
  })
}

/**
 * Of a script whose end nobody waits for there: refused, it ended; admitted, its machine is a node, which tells the rest. Where neither comes soon it has begun, and that is told; of a machine that was a node
 * before nothing but a refusal ever comes.
 */
export async function whatBecame(client: EdgeholdClient, before: Machine, time = realTime): Promise<Ran> {
  const askedAt = time.now()
  let begunAt: number | undefined
  for (;;) {
    // Read before the machine is looked at: where the clock stands still nothing comes after it.
    const { Now, Paused } = await client.call('GetClock', {}), now = Date.parse(Now)
    if (begunAt === undefined && before.NodeId !== undefined && !Paused) tell(`The machine ${before.Name} is a node already: nothing but a refusal of the script is waited for, up to ${ASKED_MS / 1000} s of the region's time.`)
    begunAt ??= now
    const [machine] = await client.all('ListMachines', { Filter: { Ids: [before.Id] } })
    const { ScriptFailedAt, Because = '', NodeId } = machine ?? {}
    if (ScriptFailedAt !== undefined && ScriptFailedAt !== before.ScriptFailedAt) return { ExitCode: 1, Output: sentence(Because) }
    const isAdmitted = NodeId !== undefined && NodeId !== before.NodeId
    if (isAdmitted || Paused || now - begunAt > ASKED_MS || time.now() - askedAt > WATCHED_MS) {
      tell(isAdmitted ? `The machine ${before.Name} was admitted, and its node tells the rest: see "edgehold list node".` : begunText(before.Name, { isNode: NodeId !== undefined, goesOnLater: Paused, isOver: now - begunAt > ASKED_MS }))
      return { ExitCode: 0, Output: '' }
    }
    await time.sleep(LOOK_EVERY_MS)
  }
}

/** `isOver`: it has had its time, and was not refused. */
function begunText(name: string, { isNode, goesOnLater, isOver }: { readonly isNode: boolean; readonly goesOnLater: boolean; readonly isOver: boolean }): string {
  const begun = `The script has begun${goesOnLater ? ', and goes on when the clock does' : ''}.`
  if (!isNode) return `${begun} "edgehold machine list" shows whether the machine becomes a node, and why where it is refused.`
  const node = `The machine ${name} is a node already and stays the same one`
  return isOver ? `${node}: the script was not refused. Its node tells how it is: see "edgehold list node".` : `${begun} ${node}; "edgehold machine list" shows why where the script is refused.`
}
