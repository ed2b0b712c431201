import type { Clock } from '#ports/clock.ts'
import type { Log } from '#ports/log.ts'
import type { RegionChange } from '#ports/region-events.ts'
import type { WorldStore, KeptThing } from '../store/world-store.ts'
import type { Draw } from './draw.ts'
import { EventHeap } from './event-heap.ts'
import { Table } from './table.ts'
import { TOLD, Unheard, type ToldOf } from './told.ts'

/** An instant that does not come. */
export const NEVER = Number.MAX_SAFE_INTEGER

/** The kind under which it is kept how far the world has lived: when its next event is to happen, and the instant at which that was so. */
const LIVED = 'lived'
/** The kind under which it is kept when calls were last to be met otherwise. */
const TURNED = 'turned'
/** Changes that are not left to the next call of a port. */
const MUCH = 200

/** The latest instant that a kept world has lived through, epoch ms; its clock must not show an earlier one. Undefined for a world that is new. */
export async function livedUntil(store: WorldStore, region: string): Promise<number | undefined> {
  const text = await store.find(region, LIVED, '')
  return text === undefined ? undefined : livedOf(text).at
}

/** Worlds that were kept by an earlier version say the next event alone. */
function livedOf(text: string): { readonly next: number; readonly at: number | undefined } {
  const [next, at] = [JSON.parse(text) as number | [number, number]].flat()
  return { next: next ?? NEVER, at }
}

/** Takes the events of one kind of thing; `at` is the world's instant. */
export type EventHandler = (id: string, at: number) => void

/**
 * One region's world in memory: its things, what is due in it and what changed. Whoever changes things does so in one go, without waiting in between, and then
 * calls `settle`, which ends when all of it is kept. Several such calls share one write.
 */
export class World {
  readonly region: string
  readonly draw: Draw
  readonly log: Log
  readonly #clock: Clock
  readonly #store: WorldStore
  readonly #events = new EventHeap()
  readonly #handlers = new Map<string, EventHandler>()
  readonly #tables = new Map<string, Table<unknown>>()
  readonly #turned: Table<number>
  readonly #onTurn: (() => void)[] = []
  /** Things that are not kept yet as they are, by `kind/id`. */
  readonly #changed = new Map<string, { kind: string; id: string; thing: unknown }>()
  readonly #replaying = new Set<string>()
  /** Something was changed that does not come again by itself. */
  #mustKeep = false
  #writing: Promise<void> | undefined
  #nextWrite: Promise<void> | undefined
  #claim = 0
  #instant: number | undefined
  /** What was to happen from then on had not happened when the world was kept last. */
  #keptUntil = 0
  #told: RegionChange[] = []
  #toldAt = 0
  readonly #unheard = new Unheard()
  /** What is to be done once a change was heard, of those that are told and of those that were given out. */
  #heard: (() => void)[] = []
  #given: (() => void)[] = []

  constructor(parts: { region: string; draw: Draw; clock: Clock; store: WorldStore; log: Log }) {
    this.region = parts.region
    this.draw = parts.draw
    this.log = parts.log
    this.#clock = parts.clock
    this.#store = parts.store
    this.#turned = this.table<number>(TURNED)
  }

  /** The world's instant: the event's own while events are lived through, the region's time otherwise. */
  now(): number {
    return this.#instant ?? this.#clock.now()
  }

  /**
   * The things of one kind. `replays`: what becomes of them by itself follows from what is kept of them, so that after a crash it happens again at the same instants; it
   * need not be kept before it is told, and is written with the next call of a port, or when it has become much.
   */
  table<Thing>(kind: string, { replays = false }: { readonly replays?: boolean } = {}): Table<Thing> {
    const table = new Table<Thing>(kind, (...change) => this.#note(...change))
    if (replays) this.#replaying.add(kind)
    this.#tables.set(kind, table as Table<unknown>)
    return table
  }

  on(kind: string, handler: EventHandler): void {
    this.#handlers.set(kind, handler)
  }

  schedule(kind: string, id: string, at: number | undefined): void {
    if (at !== undefined && at < NEVER) this.#events.push({ kind, id, at })
  }

  /** `heard` is called when whoever watches has dealt with it. */
  tell(change: RegionChange, heard?: () => void): void {
    if (this.#told.length === 0) this.#toldAt = this.now()
    this.#told.push(change)
    this.#unheard.tell(change)
    if (heard) this.#heard.push(heard)
  }

  /** From this instant on calls of this region may succeed that did not before, and nobody can tell whose. It is kept, so that whoever was refused before, and could not be told, finds it at his next look. */
  turn(): void {
    this.#turned.put('', this.now())
    this.tell({ kind: 'Turn' })
    for (const told of this.#onTurn) told()
  }

  onTurn(told: () => void): void {
    this.#onTurn.push(told)
  }

  /** The latest such instant. */
  turnedAt(): number | undefined {
    return this.#turned.get('')
  }

  nextAt(): number | undefined {
    const next = this.#events.peek()?.at
    return this.#told.length === 0 ? next : Math.min(this.#toldAt, next ?? this.#toldAt)
  }

  async liveUntil(at: number): Promise<readonly RegionChange[]> {
    try {
      for (let event = this.#events.peek(); event && event.at <= at; event = this.#events.peek()) {
        this.#events.pop()
        this.#instant = event.at
        this.#handlers.get(event.kind)?.(event.id, event.at)
      }
    } finally {
      this.#instant = undefined
    }
    if (this.#mustKeep) await this.settle()
    // What comes again by itself is kept once it was heard, so that it need not be kept as told.
    else if (this.#told.length === 0) this.settleSoon()
    const told = this.#told
    this.#told = []
    this.#given = this.#given.concat(this.#heard.splice(0))
    this.#unheard.give()
    return told
  }

  /** Whoever watches has dealt with all that was given out. */
  heard(): void {
    this.#unheard.hear()
    for (const heard of this.#given.splice(0)) heard()
    this.settleSoon()
  }

  /** What was given out, by this process or one before it, and is not known to have been heard. */
  unheard(): readonly ToldOf[] {
    return this.#unheard.given()
  }

  /** Puts an event into its order again after a start of the process, if what became of it is not kept yet. */
  reschedule(kind: string, id: string, at: number | undefined): void {
    if (at !== undefined && at >= this.#keptUntil) this.schedule(kind, id, at)
  }

  /** Fills the tables with what is kept of the region. Things of kinds that nobody knows stay as they are. */
  async load(): Promise<void> {
    this.#claim = await this.#store.claim(this.region)
    for await (const { kind, id, text } of this.#store.load(this.region)) {
      if (kind === TOLD && text !== undefined) this.#unheard.adopt(id, text)
      else if (kind === LIVED) this.#keptUntil = livedOf(text ?? String(NEVER)).next
      else if (text !== undefined) this.#tables.get(kind)?.adopt(id, JSON.parse(text))
    }
  }

  /** Begins to write what was changed, if that is as much as this; nobody waits for it. */
  settleSoon(atLeast = MUCH): void {
    if (this.#changed.size + this.#unheard.size < atLeast || this.#nextWrite) return
    this.#settle().catch((error: unknown) => this.log.warn({ region: this.region, error }, 'Keeping the world did not succeed; it is tried with the next change'))
  }

  /** Ends when everything that was changed until now is kept. What could not be kept is written with the next call, so that it is never lost. */
  settle(): Promise<void> {
    return this.#changed.size === 0 ? this.#writing ?? Promise.resolve() : this.#settle()
  }

  #settle(): Promise<void> {
    return this.#nextWrite ??= (async () => {
      await this.#writing?.catch(() => {}) // who waited for it was told
      this.#nextWrite = undefined
      await (this.#writing = this.#write().finally(() => { this.#writing = undefined }))
    })()
  }

  async #write(): Promise<void> {
    const changed = [...this.#changed.values()]
    this.#changed.clear()
    this.#mustKeep = false
    const changes: KeptThing[] = changed.map(({ kind, id, thing }) => ({ kind, id, text: thing === undefined ? undefined : JSON.stringify(thing) }))
    changes.push({ kind: LIVED, id: '', text: JSON.stringify([this.#events.peek()?.at ?? NEVER, this.now()]) })
    const told = this.#unheard.changes()
    try {
      await this.#store.write(this.region, this.#claim, [...changes, ...told])
      this.#unheard.wrote(told)
    } catch (error) {
      this.#mustKeep = true
      this.#unheard.failed(told)
      for (const one of changed) if (!this.#changed.has(`${one.kind}/${one.id}`)) this.#changed.set(`${one.kind}/${one.id}`, one)
      throw error
    }
  }

  #note(kind: string, id: string, thing: unknown): void {
    if (!this.#replaying.has(kind)) this.#mustKeep = true
    this.#changed.set(`${kind}/${id}`, { kind, id, thing })
  }
}
