import type { Command } from 'commander'
import type { ClockShown } from '#client/calls.ts'
import { connect } from '../credentials.ts'
import { WaitedInVain } from '../errors.ts'
import { parseNumber, withCommon, type Common } from '../flags.ts'
import { printResult } from '../print.ts'

/** A step answers after twenty seconds at the latest, whatever is left to do. */
const STEP_MS = 60_000

const CHANGES = [
  ['pause', 'stop the clock: calls are taken, and what waits for time waits', () => ({ Paused: true })],
  ['resume', 'let the clock run', () => ({ Paused: false })],
] as const

export function addClockCommands(program: Command): void {
  const clock = program.command('clock').description('the time of a simulated region (with --region)')

  withCommon(clock.command('show')).description('show the time, the speed, and whether the clock is paused').action(async (flags: Common) => {
    await show(flags, await connect(flags).call('GetClock', {}))
  })
  for (const [verb, text, change] of CHANGES) {
    withCommon(clock.command(verb)).description(text).action(async (flags: Common) => {
      await show(flags, await connect(flags).call('SetClock', change()))
    })
  }
  withCommon(clock.command('speed <factor>')).description('let the clock run so many times as fast as real time, e.g. 60').action(async (factor: string, flags: Common) => {
    await show(flags, await connect(flags).call('SetClock', { Speed: parseNumber('a clock runs so many times as fast as real time, e.g. 60')(factor), Paused: false }))
  })
  withCommon(clock.command('step <span>')).description('step the clock on, e.g. 90s, 61m, 2h or 7d; ends when nothing is due up to there').action(async (span: string, flags: Common) => {
    const shown = await connect(flags).call('SetClock', { Step: span }, { timeoutMs: STEP_MS })
    await show(flags, shown)
    if (shown.Behind !== undefined) throw new WaitedInVain(`There is still work to do: the clock is ${shown.Behind} behind. It goes on by itself; "edgehold clock show" tells when it is there.`)
  })
}

async function show(flags: Common, clock: ClockShown): Promise<void> {
  await printResult(flags, clock, () => `${clock.Now}  ${clock.Paused ? 'paused' : `running at speed ${clock.Speed}`}${clock.Behind === undefined ? '' : `, ${clock.Behind} behind`}`)
}
