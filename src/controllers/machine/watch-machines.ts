import { keepWatching, type HeldWatch } from '#kernel/watching.ts'
import type { Clock } from '#ports/clock.ts'
import { machinePowerFact } from '#ports/machine-power.ts'
import type { Machines, MachineSeen } from '#ports/machines.ts'
import type { Log } from '#ports/log.ts'
import type { ProcessLease, Queue } from '#ports/queue.ts'
import type { Store } from '#ports/store.ts'
import { unknownMachines } from './unknown-machines.ts'

export interface WatchMachinesPorts {
  readonly queue: Queue
  /** Real time; only slept on. */
  readonly clock: Clock
  readonly log: Log
  /** The lease of the moment, e.g. `Worker.lease`. */
  readonly lease: () => ProcessLease | undefined
  readonly store: Store
  readonly machines: Machines
  /** The region's time. */
  readonly regionClock: Clock
  readonly newLedgerId: () => string
}

/** Turns power and link of a region's machines into sights, each with the key of the node that runs on that machine, and finds those that nobody knows; one process a region. */
export async function watchMachines(region: string, ports: WatchMachinesPorts, signal: AbortSignal): Promise<void> {
  const { queue, clock, log, lease } = ports
  await keepWatching({ queue, clock, log, lease, subject: `machines/${region}`, watch: (watch, ends) => watchOnce(region, watch, ports, ends) }, signal)
}

/** Sights are written in the order in which they came; one that cannot be written ends the watch, which then begins with every machine's present state. */
async function watchOnce(region: string, watch: HeldWatch, ports: WatchMachinesPorts, signal: AbortSignal): Promise<void> {
  const broke = new AbortController(), over = new AbortController()
  const ends = AbortSignal.any([signal, broke.signal])
  const { clock, log, store, machines, newLedgerId, regionClock } = ports
  const unknown = unknownMachines(region, { clock, log, store, newLedgerId, regionOf: () => ({ clock: regionClock, machines }) }, AbortSignal.any([ends, over.signal]))
  let last: Promise<void> = ports.queue.markWatch(watch, undefined).catch(error => broke.abort(error))
  try {
    await machines.watch(seen => {
      last = last.then(async () => {
        if (ends.aborted) return
        await put(region, seen, watch, ports)
        unknown.tell(seen)
      }).catch(error => broke.abort(error))
    }, ends)
    await last
  } finally {
    over.abort()
  }
  if (broke.signal.aborted) throw broke.signal.reason
}

async function put(region: string, seen: MachineSeen, watch: HeldWatch, { store, queue, regionClock }: WatchMachinesPorts): Promise<void> {
  const { sight, others } = machineSight({ region, id: seen.id, seen, nodes: await store.nodesOfMachine(region, seen.machineId), seenAt: regionClock.now() })
  await queue.putSights(watch, [sight])
  for (const key of others) await queue.enqueue(key)
}

/** What whoever watches machines writes of one: the sight with the key of the first of its nodes, and the keys of the others. `seen` undefined: it is gone, and so is the sight. */
export function machineSight({ region, id, seen, nodes, seenAt }: { readonly region: string; readonly id: string; readonly seen: MachineSeen | undefined; readonly nodes: readonly { readonly id: string }[]; readonly seenAt: number }) {
  const [key, ...others] = nodes.map(node => ({ kind: 'node' as const, id: node.id, region }))
  return { sight: { kind: 'MachinePower' as const, id, fact: seen && machinePowerFact(seen), seenAt, observer: `machines of region ${region}`, key }, others }
}
