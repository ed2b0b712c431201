import { AsyncLocalStorage } from 'node:async_hooks'
import type { Controller } from '#ports/controller.ts'
import type { Store, Transaction, WorkKey, WorkKind } from '#ports/store.ts'
import { gatheredById } from '#store/gathered-look.ts'
import { storeWith } from '#ports/store-with.ts'
import { Together, type Write } from './together.ts'

/** The keys whose pass is under way. */
const passes = new AsyncLocalStorage<readonly WorkKey[]>()

/** The same controllers; what a pass writes by a shared store is known to be of its keys, so that what it locks is locked together with what others do. */
export function ofTheirKeys(controllers: readonly Controller[]): readonly Controller[] {
  return controllers.map(controller => {
    const { kind } = controller
    return {
      ...controller,
      reconcile: (id, signal) => passes.run([{ kind, id }], () => controller.reconcile(id, signal)),
      ...controller.reconcileMany && { reconcileMany: (ids, signal) => passes.run(ids.map(id => ({ kind, id })), async () => await controller.reconcileMany?.(ids, signal) ?? new Map()) },
    }
  })
}

interface PassWrite extends Write { readonly keys: readonly WorkKey[] }

/** Passes that lock trees which their keys do not name: among others' writes they would do so behind machines that are held already, against the order of locks. */
const LOCK_OTHER_TREES: ReadonlySet<WorkKind> = new Set(['account', 'given-back'])
/** More would hold the locks of many clusters for long. */
const MOST_AT_ONCE = 40
/** Passes that lock nothing but trees, which are locked in one order before any of them writes. All others may lock machines, each when it comes to them, and so never in two transactions at once. */
const LOCK_TREES_ALONE: ReadonlySet<WorkKind> = new Set(['cluster', 'addon'])

/**
 * A store for passes of which many run at once: writes at the same instant that meet go in one transaction, one after another, and looks at single machines that meet are one look (those at other records
 * are so in any store). Each writer is answered as if it were alone: what stands in the way of one of them lets each of them be written by itself. `isShared`: false while their order matters, for then everything is as the store does it.
 */
export function sharedStore(store: Store, isShared: () => boolean): Store {
  // While the database works on one transaction, another one is made ready.
  const ofTrees = new SharedWrites(store), ofMachines = new SharedWrites(store)
  // Not so in the store itself: a machine whose secret does not open would fail the calls that meet it. A pass that meets it is run again.
  const findMachine = gatheredById(ids => store.machinesById(ids))
  const shared: Partial<Store> = { findMachine, write: (now, work) => {
    const keys = passes.getStore() ?? []
    return (keys.length > 0 && keys.every(({ kind }) => LOCK_TREES_ALONE.has(kind)) ? ofTrees : ofMachines).write(keys, now, work)
  } }, asItIs = {}
  return storeWith(store, () => (isShared() ? shared : asItIs))
}

/** One transaction at a time: none waits for locks of another. */
class SharedWrites {
  readonly #together: Together<PassWrite>

  constructor(store: Pick<Store, 'write'>) {
    this.#together = new Together({ store, take, answersOf })
  }

  write<Answer>(keys: readonly WorkKey[], now: number, work: (tx: Transaction) => Promise<Answer>): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      this.#together.add({ keys, now, work, done: answer => { resolve(answer as Answer) }, failed: reject })
    })
  }
}

/** Of one instant, since a transaction has one. */
function take(waiting: PassWrite[]): readonly PassWrite[] {
  const [first] = waiting
  if (first && isAlone(first)) return waiting.splice(0, 1)
  const others = waiting.findIndex(write => write.now !== first?.now || isAlone(write))
  return waiting.splice(0, Math.min(MOST_AT_ONCE, others === -1 ? waiting.length : others))
}

function isAlone({ keys }: PassWrite): boolean {
  return keys.some(({ kind }) => LOCK_OTHER_TREES.has(kind))
}

/** Writers of one cluster's tree come one after another, and those of different trees side by side: most of what they wait for is a statement of their own. */
async function answersOf(tx: Transaction, writes: readonly PassWrite[]): Promise<ReadonlyMap<PassWrite, unknown>> {
  await tx.lockTrees([...new Map(writes.flatMap(({ keys }) => keys.map(key => [`${key.kind}/${key.id}`, key]))).values()])
  const answers = new Map<PassWrite, unknown>()
  const byTree = Map.groupBy(writes, ({ keys }) => (keys.length === 1 && keys[0] ? tx.treeOf(keys[0]) : undefined))
  const oneAfterAnother = async (some: readonly PassWrite[], clusterId: string | undefined): Promise<void> => {
    for (const write of some) {
      tx.nextWriter(clusterId)
      answers.set(write, await write.work(tx))
    }
  }
  const anywhere = byTree.get(undefined) ?? []
  byTree.delete(undefined)
  await oneAfterAnother(anywhere, undefined)
  // The transaction ends when nobody uses it any more, whatever befell one of them.
  const ended = await Promise.allSettled([...byTree].map(([clusterId, some]) => oneAfterAnother(some, clusterId)))
  for (const outcome of ended) if (outcome.status === 'rejected') throw outcome.reason
  return answers
}
