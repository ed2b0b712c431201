import type { FaultTarget } from '#ports/region-world.ts'
import type { World } from '../world/world.ts'
import { callKind } from './calls.ts'
import type { Fault } from './fault.ts'
import type { Faults } from './faults.ts'

/** How one port names what a call concerns, and how it says that a call did not succeed. */
export interface FaultyPort {
  readonly port: string
  target(call: string, args: readonly unknown[]): FaultTarget
  /** The port's own error for a call that failed. */
  failure(call: string, message: string, code: string | undefined): Error
  /** The port's own error for a thing that may not be taken away. */
  held?(target: FaultTarget, call: string, message: string | undefined): Error
}

/** What a call says that gives no answer. Nobody waited for it in the region's time, so no span is told: what is seen then has the time at which the call began. */
const NO_ANSWER = 'no answer'

/**
 * A port with the region's faults in front of it: each call asks once which fault strikes it. A hanging call does not hold its caller: as long as it hangs it
 * says that no answer came, which is what its caller would know.
 */
export function faulty<Port extends object>(port: Port, { world, faults, how }: { world: World; faults: Faults; how: FaultyPort }): Port {
  const wrapped = new Map<string, unknown>()
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function' || typeof name !== 'string') return value
      let call = wrapped.get(name)
      if (!call) {
        const bound = value.bind(target) as (...args: readonly unknown[]) => Promise<unknown>
        wrapped.set(name, call = callKind(how.port, name) === undefined ? bound : async (...args: readonly unknown[]) => await struck(bound, name, args, { world, faults, how }))
      }
      return call
    },
  })
}

async function struck(call: (...args: readonly unknown[]) => Promise<unknown>, name: string, args: readonly unknown[], { world, faults, how }: { world: World; faults: Faults; how: FaultyPort }): Promise<unknown> {
  const target = how.target(name, args)
  const hanging = faults.hanging(how.port, name, target)
  const fault = hanging ?? faults.strike(how.port, name, target)
  if (!fault) return await call(...args)
  const { type, message, code } = fault.effect
  switch (type) {
    case 'fail':
    case 'stutter': throw how.failure(name, message ?? `${name} did not succeed: internal error`, code)
    // A call that takes longer than its caller waits looks like one that hangs, until it is done.
    case 'hang':
    case 'slow':
      faults.hold(fault, name, target, world.now())
      throw how.failure(name, `${name}: ${NO_ANSWER}`, undefined)
    case 'half': {
      await call(...args)
      throw how.failure(name, message ?? `${name}: the connection was lost before the answer`, code)
    }
    case 'double': {
      await call(...args)
      return await call(...args)
    }
    case 'lie': return await lie(fault, name, target, faults, () => call(...args), how)
    case 'protected': throw how.held?.(target, name, message) ?? how.failure(name, message ?? `${name} was refused: it is protected`, code)
    case 'silent': return undefined
  }
}

/** A look goes on telling what it told at first; an act says that it is done and did nothing. */
async function lie(fault: Fault, name: string, target: FaultTarget, faults: Faults, call: () => Promise<unknown>, how: FaultyPort): Promise<unknown> {
  if (callKind(how.port, name) !== 'look') return undefined
  const key = `${name}/${target.id}`
  const told = fault.lies?.[key]
  if (told !== undefined) return (JSON.parse(told) as { answer?: unknown }).answer
  const answer = await call()
  fault.lies = { ...fault.lies, [key]: JSON.stringify({ answer }) }
  faults.remember(fault)
  return answer
}
