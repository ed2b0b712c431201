import type { RegionClock } from '#kernel/region-clock.ts'
import { refuse } from '#model/errors/catalogue.ts'
import type { Store } from '#ports/store.ts'
import { storeWith } from '#ports/store-with.ts'

/**
 * The store as everybody writes to it in a region that keeps its own time. What is written is of the clock's instant, so that no record's time goes back behind what others wrote; and the rules judge
 * deadlines by the instant up to which everything that happened was told, so that nobody shows one as passed which the next writer takes back. What began in a region that is removed by now is written
 * into none that comes after it under its name; and a process that stood still while another one took the region over writes nothing into it.
 */
export function regionStore(store: Store, region: string, clock: Pick<RegionClock, 'now' | 'passTime'>, removed: AbortSignal, isTaken: () => boolean): Store {
  const refuseTaken = (): void => {
    if (isTaken()) refuse('ServiceUnavailable', { why: `the lease by which this server runs the region ${region} is over` })
  }
  const write: Store['write'] = (now, work) => store.write(now, async tx => {
    if (removed.aborted) refuse('OperationDenied.RegionNotReady', { region, why: 'it is being deleted' })
    refuseTaken()
    const answer = await work(tx)
    refuseTaken()
    return answer
  }, () => ({ now: Math.max(now, clock.now()), heardUntil: clock.passTime() }))
  const own = { write }
  return storeWith(store, () => own)
}
