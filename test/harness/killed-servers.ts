import type { Log } from '#ports/log.ts'
import type { Store } from '#ports/store.ts'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'
import { dying, type Life } from '#test/model-based/dying.ts'

const quiet = () => {}
const QUIET: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => QUIET }

/** A server as one that was killed is: nothing that it still does has an effect, and nothing that it held is anybody's. */
export interface KillableServer {
  readonly server: SimulatedServer
  readonly life: Life
  kill(): void
}

/** Servers on one database in memory, each of which may be killed. */
export class KillableServers {
  readonly store = new MemoryStore(() => Date.now())
  readonly #world = new MemoryWorldStore()
  readonly #open: KillableServer[] = []
  #count = 0

  /** `at`, `when`: it is killed at that one of its writes, before it or when it is done. */
  async open(death: { readonly at?: number; readonly when?: 'before' | 'after'; readonly listen?: boolean; readonly wrapStore?: (store: Store) => Store } = {}): Promise<KillableServer> {
    const name = `server-${++this.#count}`
    const life: Life = { effects: 0, dead: false, died: Promise.withResolvers(), ...(death.at !== undefined && { at: death.at, when: death.when ?? 'before' }) }
    const parts = { store: dying(death.wrapStore?.(this.store) ?? this.store, life, ['write']), queue: dying(this.store.queue, life, []), worldStore: dying(this.#world, life, ['write', 'forget']) }
    const server = await SimulatedServer.open({ ...parts, name, log: QUIET, ...(death.listen && { listen: true }) })
    const kill = (): void => {
      life.dead = true
      life.died?.resolve()
    }
    void life.died?.promise.then(() => {
      server.cut()
      this.store.queue.lapse(name)
    })
    const opened = { server, life, kill }
    this.#open.push(opened)
    return opened
  }

  async close(): Promise<void> {
    for (const { server } of this.#open) await server.close().catch(quiet) // of one that is dead
  }
}
