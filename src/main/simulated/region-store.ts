import type { RegionClock } from '#kernel/region-clock.ts'
import type { Store } from '#ports/store.ts'

/**
 * The store as everybody writes to it in a region that keeps its own time. What is written is of the clock's instant, so that no record's time goes back behind what others wrote; and the rules judge
 * deadlines by the instant up to which everything that happened was told, so that nobody shows one as passed which the next writer takes back.
 */
export function regionStore(store: Store, clock: Pick<RegionClock, 'now' | 'passTime'>): Store {
  const write: Store['write'] = (now, work) => store.write(now, work, () => ({ now: Math.max(now, clock.now()), heardUntil: clock.passTime() }))
  return new Proxy(store, {
    get(target, name) {
      if (name === 'write') return write
      const own: unknown = Reflect.get(target, name, target)
      return typeof own === 'function' ? own.bind(target) as unknown : own
    },
  })
}
