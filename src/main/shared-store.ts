import { AsyncLocalStorage } from 'node:async_hooks'
import type { Controller } from '#ports/controller.ts'
import type { Store, Transaction, WorkKey, WorkKind } from '#ports/store.ts'
import { gatheredById } from '#store/gathered-look.ts'
import { storeWith } from '#ports/store-with.ts'

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

interface Write {
  readonly keys: readonly WorkKey[]
  readonly now: number
  readonly work: (tx: Transaction) => Promise<unknown>
  readonly done: (answer: unknown) => void
  readonly failed: (error: unknown) => void
}

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

class SharedWrites {
  readonly #store: Pick<Store, 'write'>
  readonly #waiting: Write[] = []
  #isRunning = false

  constructor(store: Pick<Store, 'write'>) {
    this.#store = store
  }

  write<Answer>(keys: readonly WorkKey[], now: number, work: (tx: Transaction) => Promise<Answer>): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ keys, now, work, done: answer => { resolve(answer as Answer) }, failed: reject })
      this.#run()
    })
  }

  /** One transaction at a time: the writes of others come together meanwhile, and none waits for locks of another. */
  #run(): void {
    if (this.#isRunning || this.#waiting.length === 0) return
    this.#isRunning = true
    // Those who come in the same turn of the event loop are still to join.
    setImmediate(() => {
      void this.#together(this.#take()).finally(() => {
        this.#isRunning = false
        this.#run()
      })
    })
  }

  /** Of one instant, since a transaction has one. */
  #take(): Write[] {
    const [first] = this.#waiting
    if (first && isAlone(first)) return this.#waiting.splice(0, 1)
    const others = this.#waiting.findIndex(write => write.now !== first?.now || isAlone(write))
    return this.#waiting.splice(0, Math.min(MOST_AT_ONCE, others === -1 ? this.#waiting.length : others))
  }

  async #together(writes: readonly Write[]): Promise<void> {
    const [first] = writes
    if (!first) return
    if (writes.length > 1) {
      const answers = await this.#store.write(first.now, tx => answersOf(tx, writes)).catch(() => undefined) // whose fault it is, each hears from its own transaction
      if (answers) {
        for (const write of writes) write.done(answers.get(write))
        return
      }
    }
    for (const { now, work, done, failed } of writes) {
      try {
        done(await this.#store.write(now, work))
      } catch (error) {
        failed(error)
      }
    }
  }
}

function isAlone({ keys }: Write): boolean {
  return keys.some(({ kind }) => LOCK_OTHER_TREES.has(kind))
}

/** Writers of one cluster's tree come one after another, and those of different trees side by side: most of what they wait for is a statement of their own. */
async function answersOf(tx: Transaction, writes: readonly Write[]): Promise<ReadonlyMap<Write, unknown>> {
  await tx.lockTrees([...new Map(writes.flatMap(({ keys }) => keys.map(key => [`${key.kind}/${key.id}`, key]))).values()])
  const answers = new Map<Write, unknown>()
  const byTree = Map.groupBy(writes, ({ keys }) => (keys.length === 1 && keys[0] ? tx.treeOf(keys[0]) : undefined))
  const oneAfterAnother = async (some: readonly Write[], clusterId: string | undefined): Promise<void> => {
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
