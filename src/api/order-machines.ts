import { refuse } from '#model/errors/catalogue.ts'
import { StoreUnavailable, type MachineOrderChange, type Scope, type Store, type Transaction } from '#ports/store.ts'
import type { ActionContext } from './action.ts'
import { within } from './lock.ts'
import { isLeaving } from './machine-access.ts'

interface Order {
  readonly scope: Scope
  readonly now: number
  readonly change: MachineOrderChange
  /** When its controller looks at it, if not at once. */
  readonly dueAt: number | undefined
  readonly done: (outcome: Outcome) => void
  readonly failed: (error: unknown) => void
}

type Outcome = 'ordered' | 'absent' | 'leaving'
/** Somebody else holds its machine, or there is none. */
type Tried = Outcome | 'not had'

/** More would make the first of them wait for the last. */
const MOST_AT_ONCE = 100

const queues = new WeakMap<Store, Orders>()

/** Writes what a machine shall be like, and wakes its controller. Calls that come while others are written share the next transaction; each is answered after its commit, as if it were alone. */
export async function orderMachine({ store, scope, now }: ActionContext, change: MachineOrderChange, dueAt?: number): Promise<void> {
  let orders = queues.get(store)
  if (!orders) queues.set(store, orders = new Orders(store))
  const outcome = await orders.put({ scope, now, change, dueAt })
  if (outcome === 'absent') refuse('NotFound.{Resource}', { Resource: 'Machine', id: change.id })
  if (outcome === 'leaving') refuse('OperationDenied.Machine', { id: change.id, why: 'it is being removed' })
}

class Orders {
  readonly #store: Store
  readonly #waiting: Order[] = []
  #writing = false

  constructor(store: Store) {
    this.#store = store
  }

  put(order: Omit<Order, 'done' | 'failed'>): Promise<Outcome> {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    this.#waiting.push({ ...order, done: resolve, failed: reject })
    if (!this.#writing) void this.#run()
    return promise
  }

  async #run(): Promise<void> {
    this.#writing = true
    while (this.#waiting.length > 0) {
      await this.#write(this.#take())
    }
    this.#writing = false
  }

  /**
   * What stands in the way of one of them lets each of them be written by itself. So does a machine that is held, by a pass over several, maybe, that waits for one of ours: who holds nothing waits in no ring.
   */
  async #write(orders: readonly Order[]): Promise<void> {
    try {
      const outcomes = await this.#store.write(Math.max(...orders.map(({ now }) => now)), tx => write(tx, orders)), left: Order[] = []
      for (const [index, order] of orders.entries()) {
        const outcome = outcomes[index] ?? 'not had'
        if (outcome !== 'not had') order.done(outcome)
        else if (orders.length === 1) order.done('absent')
        else left.push(order)
      }
      for (const order of left) await this.#write([order])
    } catch (error) {
      const [first, ...others] = orders
      if (others.length === 0) first?.failed(error)
      else if (error instanceof StoreUnavailable) for (const order of orders) order.failed(error)
      else for (const order of orders) await this.#write([order])
    }
  }

  /** In the order in which they came, up to one for a machine that is among them already. */
  #take(): Order[] {
    const ids = new Set<string>()
    let count = 0
    for (const { change } of this.#waiting.slice(0, MOST_AT_ONCE)) {
      if (ids.has(change.id)) break
      ids.add(change.id)
      count++
    }
    return this.#waiting.splice(0, count)
  }
}

async function write(tx: Transaction, orders: readonly Order[]): Promise<readonly Tried[]> {
  const ids = orders.map(({ change }) => change.id)
  const locked = new Map((await (ids.length === 1 ? tx.lockMachines(ids) : tx.lockFreeMachines(ids))).map(machine => [machine.id, machine]))
  const outcomes = orders.map(({ scope, change }): Tried => {
    const machine = within(scope, locked.get(change.id))
    if (!machine) return 'not had'
    return isLeaving(machine) ? 'leaving' : 'ordered'
  })
  const taken = orders.filter((_, index) => outcomes[index] === 'ordered')
  if (taken.length > 0) await tx.orderMachines(taken.map(({ change }) => change))
  for (const { scope, change, dueAt } of taken) await tx.enqueue({ kind: 'machine', id: change.id, region: scope.region }, dueAt)
  return outcomes
}
