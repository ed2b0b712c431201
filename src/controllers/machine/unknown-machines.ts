import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { MachineSeen } from '#ports/machines.ts'
import type { MachinePorts } from './ports.ts'
import { takeDownUnknown } from './take-down-unknown.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE
/** A provider that answers nothing for so long is asked again later. */
const PATIENCE_MS = 30 * SECOND
const AT_ONCE = 8

export interface UnknownMachinesPorts extends MachinePorts {
  /** Real time; only slept on. */
  readonly clock: Clock
  readonly log: Log
}

interface Told {
  readonly seen: MachineSeen
  /** How often it was looked at in vain. */
  readonly failures: number
}

/**
 * Looks for those that nobody knows among a region's machines, as they are told by whoever watches, and apart from that: a provider that fails, or hangs, at one of them keeps no others from being looked at, and no power from being told. What
 * could not be found out, or may yet change, is looked at again, ever more seldom, up to once an hour. Ends when aborted: the next watch begins with every machine.
 */
export function unknownMachines(region: string, ports: UnknownMachinesPorts, signal: AbortSignal): { tell(seen: MachineSeen): void } {
  const { clock, log } = ports
  const waiting = new Map<string, Told>()
  /** Those that are looked at again later, each once: what is told anew is what there is to know. */
  const later = new Map<string, AbortController>()
  let isLooking = false
  return { tell: seen => add({ seen, failures: 0 }) }

  function add(told: Told): void {
    later.get(told.seen.id)?.abort()
    later.delete(told.seen.id)
    waiting.set(told.seen.id, told)
    if (!isLooking) void lookAtAll()
  }

  async function lookAtAll(): Promise<void> {
    isLooking = true
    while (waiting.size > 0 && !signal.aborted) {
      const some = waiting.values().take(AT_ONCE).toArray()
      for (const { seen } of some) waiting.delete(seen.id)
      await Promise.all(some.map(lookAt))
    }
    isLooking = false
  }

  async function lookAt({ seen, failures }: Told): Promise<void> {
    try {
      if (await inTime(takeDownUnknown(region, seen, ports))) return
    } catch (error) {
      if (!signal.aborted) log.warn({ error, machine: seen.id, failures: failures + 1 }, 'Looking whether anybody knows a machine failed; it is looked at again')
    }
    // Told of meanwhile, it is looked at next.
    if (waiting.has(seen.id)) return
    const replaced = new AbortController()
    later.set(seen.id, replaced)
    void clock.sleep(Math.min(MINUTE * 2 ** failures, HOUR), AbortSignal.any([signal, replaced.signal])).then(() => add({ seen, failures: failures + 1 }), () => {}) // aborted: it was told anew, or the next watch looks at it
  }

  async function inTime<Answer>(work: Promise<Answer>): Promise<Answer> {
    const ended = new AbortController()
    const over = clock.sleep(PATIENCE_MS, AbortSignal.any([signal, ended.signal])).then(() => { throw new Error(`There was no answer in ${PATIENCE_MS / SECOND} s`) })
    try {
      return await Promise.race([work, over])
    } finally {
      ended.abort()
    }
  }
}
