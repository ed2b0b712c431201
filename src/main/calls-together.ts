import { setTimeout as delay } from 'node:timers/promises'
import type { Apart } from '#api/regions.ts'
import { Refusal } from '#model/errors/catalogue.ts'
import { NameTaken, StoreUnavailable, type Store, type Transaction } from '#ports/store.ts'
import { storeWith } from '#ports/store-with.ts'
import { SomeRejected, Together, type Write } from './together.ts'

interface CallWrite extends Write { readonly apart: Apart }

/** More would keep the first of them waiting for long. */
const MOST_AT_ONCE = 40
/** A transaction of several waits so long for a lock at most, and keeps those waiting who come after it. */
const PATIENCE_MS = 200

/**
 * The store for calls of which many are under way at once: each call's write goes in one transaction with those of others. `isShared`: false while their order matters, for then each is written by itself. The answer
 * is the store for one call: what is written by it has no effect but on its transaction, and two calls that share any of `apart` are never in one.
 */
export function callsTogether(store: Store, isShared: () => boolean, patience: () => Promise<unknown> = () => delay(PATIENCE_MS, undefined, { ref: false })): (apart: Apart) => Store {
  const together = new Together<CallWrite>({ store, take, answersOf, patience, sideBySide: true })
  return apart => {
    const shared: Partial<Store> = { write: (now, work) => new Promise((resolve, reject) => {
      together.add({ apart, now, work, done: answer => { resolve(answer as Awaited<ReturnType<typeof work>>) }, failed: reject })
    }) }
    const asItIs = {}
    return storeWith(store, () => (isShared() ? shared : asItIs))
  }
}

/** One that is under way may wait for long for what somebody holds: whoever must not meet it waits here, and has no connection to the database meanwhile. */
function take(waiting: CallWrite[], underWay: ReadonlySet<CallWrite>): readonly CallWrite[] {
  const taken: CallWrite[] = [], left: CallWrite[] = []
  const met = new Set([...underWay].flatMap(marksOf))
  for (const write of waiting.splice(0)) {
    const marks = marksOf(write)
    const goes = taken.length < MOST_AT_ONCE && marks.every(one => !met.has(one))
    ;(goes ? taken : left).push(write)
    // Of those who must not meet the one that came first goes first.
    for (const one of marks) met.add(one)
  }
  waiting.push(...left)
  // Whoever locks the same in another transaction locks it in the same order.
  return taken.toSorted((one, other) => (marksOf(one).join('\n') < marksOf(other).join('\n') ? -1 : 1))
}

function marksOf({ apart: { clusterId = '', names } }: CallWrite): readonly string[] {
  return [...clusterId === '' ? [] : [`in ${clusterId}`], ...names]
}

/**
 * Side by side, as each has a tree of its own. All trees are locked before any of them writes: a transaction has one instant, which must not be before that of what somebody wrote while it waited. The transaction ends when
 * nobody uses it any more, whatever befell one of them.
 */
async function answersOf(tx: Transaction, writes: readonly CallWrite[]): Promise<ReadonlyMap<CallWrite, unknown>> {
  await tx.waitAtMost(PATIENCE_MS)
  await tx.lockTrees(writes.flatMap(({ apart: { clusterId: id } }) => (id === undefined ? [] : [{ kind: 'cluster', id }])))
  const answers = new Map<CallWrite, unknown>(), rejected = new Map<CallWrite, unknown>()
  await Promise.all(writes.map(async write => {
    try {
      answers.set(write, await write.work(tx))
    } catch (error) {
      rejected.set(write, error)
    }
  }))
  if (rejected.size === 0) return answers
  const errors = [...rejected.values()]
  // Behind a statement that failed every other one fails, too, and says nothing of its writer.
  throw errors.every(isOwn) ? new SomeRejected(new Set(rejected.keys()), errors[0]) : errors.find(error => error instanceof StoreUnavailable) ?? errors.find(error => !isOwn(error))
}

/** What its work says of a call, and no statement. */
function isOwn(error: unknown): boolean {
  return error instanceof Refusal || error instanceof NameTaken
}
