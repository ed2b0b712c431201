import { isRefusal, refuse } from '#model/errors/catalogue.ts'
import type { Machines } from '#ports/machines.ts'
import type { MachineRecord } from '#ports/store.ts'
import type { ActionContext } from './action.ts'
import { within } from './lock.ts'

const LONGEST_START_MS = 30_000
const LOOK_EVERY_MS = 100

/** The region's machines, or a refusal where it has none. */
export function machinesOf(context: ActionContext): { machines: Machines; addresses: { first: string; last: string } } {
  const { region } = context
  if (!region.machines || !region.machineAddresses) return refuse('OperationDenied.RegionNotReady', { region: context.scope.region, why: 'it has no machines of its own' })
  return { machines: region.machines, addresses: region.machineAddresses() }
}

export async function findMachine(context: ActionContext, id: string): Promise<MachineRecord> {
  return within(context.scope, await context.store.findMachine(id)) ?? refuse('NotFound.{Resource}', { Resource: 'Machine', id })
}

/** Starts an onboarding script on a machine that is on, or is being switched on, and does not wait for its end. */
export async function startScriptOn(context: ActionContext, machine: MachineRecord, line: string): Promise<void> {
  await untilOn(context, machine)
  try {
    await asked(context, machine.id, 'starting a script', async () => await machinesOf(context).machines.runScript?.(machine.id, line))
  } catch (error) {
    if (error instanceof Error && 'kind' in error && error.kind === 'MachineOff') refuse('OperationDenied.Machine', { id: machine.id, why: 'it is off' })
    throw error
  }
}

/** Runs a command on a machine that is on, or is being switched on: a machine just added is made by its controller a moment later. */
export async function runOn(context: ActionContext, machine: MachineRecord, command: readonly string[], options: { stdin?: string; longestMs: number }): Promise<{ exitCode: number; output: string }> {
  const { machines } = machinesOf(context), exec = machines.exec?.bind(machines)
  // Said before what could be mended: it would be mended in vain.
  if (!exec) return refuse('OperationDenied.Machine', { id: machine.id, why: `machines of the region ${context.scope.region} run no commands; onboarding scripts alone can be run on them` })
  await untilOn(context, machine)
  try {
    const { stdin, longestMs } = options
    return await context.meanwhile(() => exec(machine.id, command, { ...stdin !== undefined && { stdin }, signal: AbortSignal.timeout(longestMs) }))
  } catch (error) {
    if (error instanceof Error && 'kind' in error && error.kind === 'MachineOff') return refuse('OperationDenied.Machine', { id: machine.id, why: 'it is off' })
    if (error instanceof Error && error.name === 'TimeoutError') return refuse('OperationDenied.Machine', { id: machine.id, why: `the command did not end within ${options.longestMs / 1000} s and was ended` })
    throw error
  }
}

/** Errors of the machines' provider that fit nothing else are none of ours: the call may be sent again. */
export async function asked<Result>({ log }: ActionContext, id: string, what: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call()
  } catch (error) {
    if (isRefusal(error) || (error instanceof Error && ('kind' in error || error.name === 'TimeoutError'))) throw error
    log.warn({ id, error }, 'The provider of machines did not do what a call asked for')
    return refuse('ServiceUnavailable', { why: `${what} at the machine ${id} did not succeed` })
  }
}

/** One whose removal was refused is whole, and is what it is ordered to be. */
export function isLeaving({ deletionRequestedAt, obstacle }: Pick<MachineRecord, 'deletionRequestedAt' | 'obstacle'>): boolean {
  return deletionRequestedAt !== undefined && !obstacle?.held
}

/** Refuses where nothing can be run on a machine that is ordered so. */
export function checkRuns({ id, power, ...removal }: Pick<MachineRecord, 'id' | 'power' | 'deletionRequestedAt' | 'obstacle'>): void {
  if (isLeaving(removal)) refuse('OperationDenied.Machine', { id, why: 'it is being removed' })
  if (power === 'off') refuse('OperationDenied.Machine', { id, why: 'it is off; switch it on first' })
}

/**
 * A machine just added is made by its controller a moment later; where time stands still, in this moment or not at all. Waited for in nobody's turn, as it is the region that makes it, and its clock may be paused, stepped or
 * run again meanwhile.
 */
async function untilOn(context: ActionContext, machine: MachineRecord): Promise<void> {
  const { region, scope, realTime } = context
  checkRuns(machine)
  if (await isOn()) return
  await context.meanwhile(async () => {
    for (const deadline = realTime.now() + LONGEST_START_MS; ;) {
      const stoodStill = standsStill()
      if (stoodStill) await region.afterWrite?.()
      if (await isOn()) return
      if (stoodStill && standsStill()) refuse('OperationDenied.Machine', { id: machine.id, why: `it was ordered on and is not on yet, and the clock of the region ${scope.region} stands still` })
      if (realTime.now() > deadline) refuse('OperationDenied.Machine', { id: machine.id, why: `it was ordered on and is not on after ${LONGEST_START_MS / 1000} s` })
      await realTime.sleep(LOOK_EVERY_MS)
    }
  })

  async function isOn(): Promise<boolean> {
    return (await asked(context, machine.id, 'looking', () => machinesOf(context).machines.look(machine.id)))?.power === 'on'
  }

  /** Paused, and at the end of its steps. */
  function standsStill(): boolean {
    const { paused = false, behindMs = 0 } = region.clock?.read() ?? {}
    return paused && behindMs === 0
  }
}
