import { setTimeout as delay } from 'node:timers/promises'
import type { Store, Transaction } from '#ports/store.ts'
import { storeWith } from '#ports/store-with.ts'
import { Together, type Write } from './together.ts'

interface CallWrite extends Write { readonly apart: readonly string[] }

/** More would keep the first of them waiting for long. */
const MOST_AT_ONCE = 40
/** One that waits for a lock does not keep those waiting who come after it. */
const PATIENCE_MS = 200

/**
 * The store for calls of which many are under way at once: each call's write goes in one transaction with those of others. `isShared`: false while their order matters, for then each is written by itself. The answer
 * is the store for one call: what is written by it has no effect but on its transaction, and two calls of which any of `apart` is the same are never in one (a resource whose tree both write, a name, a ClientToken).
 */
export function callsTogether(store: Store, isShared: () => boolean, patience: () => Promise<unknown> = () => delay(PATIENCE_MS, undefined, { ref: false })): (apart: readonly string[]) => Store {
  const together = new Together<CallWrite>({ store, take, answersOf, patience })
  return apart => {
    const shared: Partial<Store> = { write: (now, work) => new Promise((resolve, reject) => {
      together.add({ apart, now, work, done: answer => { resolve(answer as Awaited<ReturnType<typeof work>>) }, failed: reject })
    }) }
    const asItIs = {}
    return storeWith(store, () => (isShared() ? shared : asItIs))
  }
}

function take(waiting: CallWrite[]): readonly CallWrite[] {
  const taken: CallWrite[] = [], left: CallWrite[] = []
  const met = new Set<string>()
  for (const write of waiting.splice(0)) {
    const goes = taken.length < MOST_AT_ONCE && write.apart.every(one => !met.has(one))
    ;(goes ? taken : left).push(write)
    // Of those who must not meet the one that came first goes first.
    for (const one of write.apart) met.add(one)
  }
  waiting.push(...left)
  // Whoever locks the same in another transaction locks it in the same order.
  return taken.toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1))
}

function orderOf({ apart }: CallWrite): string {
  return apart.join('\n')
}

/** Side by side, as each has a tree of its own. The transaction ends when nobody uses it any more, whatever befell one of them. */
async function answersOf(tx: Transaction, writes: readonly CallWrite[]): Promise<ReadonlyMap<CallWrite, unknown>> {
  const ended = await Promise.allSettled(writes.map(async write => [write, await write.work(tx)] as const))
  return new Map(ended.map(outcome => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  }))
}
