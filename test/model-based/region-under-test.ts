import type { OnDecision } from '#ports/decisions.ts'
import type { Log } from '#ports/log.ts'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'
import { dying, type Life } from './dying.ts'

export const REGION = 'sim-1'
const BEGINNING = Date.UTC(2026, 11, 1)

export interface Answer { readonly status: number; readonly code: string | undefined; readonly message: string | undefined; readonly result: Record<string, unknown> & { readonly Id?: string; readonly Ids?: readonly string[]; readonly Items?: readonly Record<string, unknown>[]; readonly TotalCount?: number } }

/** Those who are told what is decided, to decide it again. */
export interface Witnesses { readonly onDecision: OnDecision; readonly onSettled: NonNullable<MemoryStore['onSettled']> }

/** What was written until a server died. */
export interface Left { readonly store: MemoryStore; readonly world: MemoryWorldStore; readonly servers: number }

/**
 * One simulated region as a server runs it, with its records and its world in memory: calls come in signed, as from outside. Its server may be killed at an effect, and is then
 * opened anew over what was written until then.
 */
export class RegionUnderTest {
  readonly #store: MemoryStore
  readonly #world: MemoryWorldStore
  /** What the log says at `error`: a fault of ours, whatever happened. */
  readonly errors: string[] = []
  /** How often its server died. */
  deaths = 0
  #life: Life = { effects: 0, dead: false }
  #server: SimulatedServer | undefined
  #servers: number
  readonly #onDecision: OnDecision | undefined

  private constructor({ store, world, servers }: Left, witnesses?: Witnesses) {
    this.#store = store
    this.#world = world
    this.#servers = servers
    this.#onDecision = witnesses?.onDecision
    if (witnesses) store.onSettled = witnesses.onSettled
  }

  static async open(seed: number, witnesses?: Witnesses): Promise<RegionUnderTest> {
    const region = new RegionUnderTest({ store: new MemoryStore(() => Date.now()), world: new MemoryWorldStore(), servers: 0 }, witnesses)
    const settings = { seed, lane: 0, opened: 0, clock: { paused: true, speed: 1, at: BEGINNING, since: Date.now() } }
    await region.#store.write(BEGINNING, tx => tx.putRegion({ region: REGION, kind: 'Simulated', ready: true, text: 'simulated', settings }))
    await region.#begin()
    return region
  }

  /** The region that a server left by dying; the next one is opened over it. */
  static async over(left: Left): Promise<RegionUnderTest> {
    const region = new RegionUnderTest({ store: left.store.copy(), world: left.world.copy(), servers: left.servers })
    region.deaths = 1
    await region.#begin()
    return region
  }

  /** What its server would leave if it died now. */
  left(): Left {
    return { store: this.#store.copy(), world: this.#world.copy(), servers: this.#servers }
  }

  /** Told after each effect of this server; undefined: no more. */
  onEffect(told: (() => void) | undefined): void {
    this.#life.onEffect = told
  }

  /** Effects of this server until now: commits of records and of the world, and writes of the queue. */
  get effects(): number {
    return this.#life.effects
  }

  /** Its server dies at the n-th effect from now, counted from 0. */
  dieAt(effect: number, when: 'before' | 'after'): void {
    this.#life.at = this.#life.effects + effect
    this.#life.when = when
  }

  /** It does not die any more, if it has not. */
  spare(): void {
    delete this.#life.at
  }

  /** A signed call. Where the server dies of it, the next one runs when this answers. */
  async call(action: string, body: object = {}): Promise<Answer> {
    if (!this.#server) throw new Error('the region is closed')
    const life = this.#life
    const answered = this.#server.call(action, body, REGION)
    answered.catch(() => undefined) // of a server that died; otherwise it is thrown below
    const answer = await Promise.race([answered, life.died?.promise.then(() => undefined)])
    if (!life.dead) return answer ?? await answered
    await this.reopen()
    return { status: 503, code: 'Died', message: 'the server died', result: {} }
  }

  /** The next server, over what was written. */
  async reopen(): Promise<void> {
    this.deaths += 1
    await this.#end()
    await this.#begin()
  }

  /** What the world holds, as it is kept: `kind`, `id` and the thing. */
  async world(): Promise<{ readonly kind: string; readonly id: string; readonly thing: Record<string, unknown> }[]> {
    const things: { kind: string; id: string; thing: Record<string, unknown> }[] = []
    for await (const { kind, id, text } of this.#world.load(REGION)) if (text !== undefined) things.push({ kind, id, thing: JSON.parse(text) as Record<string, unknown> })
    return things
  }

  async close(): Promise<void> {
    await this.#end()
  }

  async #begin(): Promise<void> {
    const life: Life = this.#life = { effects: 0, dead: false, died: Promise.withResolvers() }
    const queue = this.#store.queue
    this.#server = await SimulatedServer.open({
      store: dying(this.#store, life, ['write']), worldStore: dying(this.#world, life, ['write', 'forget']),
      queue: dying(queue, life, ['due', 'completeMany', 'failUntil', 'putSights', 'markWatch']), name: this.#nameOf(++this.#servers), log: this.#log(life), ...this.#onDecision && { onDecision: this.#onDecision },
    })
    await this.#server.regions.faceOf(REGION)?.untilOpen()
  }

  async #end(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#store.queue.lapse(this.#nameOf(this.#servers))
    await server?.close()
  }

  #nameOf(server: number): string {
    return `server-${server}`
  }

  #log(life: Life): Log {
    const quiet = () => {}
    const log: Log = {
      debug: quiet, info: quiet, warn: quiet, child: () => log,
      error: (facts, text) => {
        if (!life.dead) this.errors.push(`${text} ${JSON.stringify(facts, (_, value: unknown) => (value instanceof Error ? value.stack : value))}`)
      },
    }
    return log
  }
}
