import type { RegionChange } from '#ports/region-events.ts'
import type { KeptThing } from '../store/world-store.ts'

/** The kind under which it is kept what was told and not heard yet, as it was written together. */
export const TOLD = 'told'

/** What a change is of, without how it was seen then. What machines ask is not among these: they ask again. */
export type ToldOf = readonly [kind: 'Turn'] | readonly [kind: 'ControlPlane' | 'Room', clusterId: string] | readonly [kind: 'Machine' | 'MachineAfterAll', id: string] | readonly [kind: 'Node', clusterId: string, name: string] | readonly [kind: 'Workload', clusterId: string, addon: string]

/** `turn` tells which was told first. */
interface Told { readonly turn: number; readonly of: ToldOf }

/**
 * What was told and is not known to have been heard. What was told between two writes of the world is kept in one row, which goes once all of it was heard, so that a write costs what changed and no
 * more; after a crash a row tells some that was heard already once more, which does no harm.
 */
export class Unheard {
  /** Told and not given out, by what it is of. */
  readonly #waiting = new Map<string, Told>()
  readonly #given = new Set<Told>()
  readonly #unwritten = new Set<Told>()
  /** Rows that may be kept, by their ids, with what of them was not heard. */
  readonly #rows = new Map<string, Set<Told>>()
  readonly #rowOf = new WeakMap<Told, string>()
  /** Ids of rows that are to be written as they are now. */
  readonly #changed = new Set<string>()
  #turn = 0

  /** Changes that are not written yet. */
  get size(): number {
    return this.#unwritten.size + this.#changed.size
  }

  /** What was given out, in the order in which it was told. */
  given(): readonly ToldOf[] {
    const inOrder = [...this.#given].toSorted((one, other) => one.turn - other.turn)
    return [...new Map(inOrder.map(({ of }) => [of.join('/'), of])).values()]
  }

  tell(change: RegionChange): void {
    const of = ofChange(change)
    const id = of?.join('/')
    if (!of || id === undefined || this.#waiting.has(id)) return
    const told = { turn: ++this.#turn, of }
    this.#waiting.set(id, told)
    this.#unwritten.add(told)
  }

  /** All that waits is given to whoever watches. */
  give(): void {
    for (const told of this.#waiting.values()) this.#given.add(told)
    this.#waiting.clear()
  }

  /** All that was given out was heard; what was told again since then was not. */
  hear(): void {
    for (const told of this.#given) {
      // What was heard before it was written is not written at all.
      if (this.#unwritten.delete(told)) continue
      const id = this.#rowOf.get(told) ?? '', row = this.#rows.get(id)
      row?.delete(told)
      if (row?.size === 0) this.#changed.add(id)
    }
    this.#given.clear()
  }

  /** A row as it was kept: what it tells was given out to a process that is no more. Earlier versions kept one row of all, without turns, or one of each thing. */
  adopt(id: string, text: string): void {
    const kept = JSON.parse(text) as Told | readonly (Told | ToldOf)[]
    const row = (Array.isArray(kept) ? kept as readonly (Told | ToldOf)[] : [kept as Told]).map(one => ('turn' in one ? one : { turn: ++this.#turn, of: one }))
    for (const told of row) {
      this.#turn = Math.max(this.#turn, told.turn)
      this.#given.add(told)
      this.#rowOf.set(told, id)
    }
    this.#rows.set(id, new Set(row))
  }

  /** What is to be written, one write at a time; `wrote` or `failed` says how that went. */
  changes(): readonly KeptThing[] {
    const [first] = this.#unwritten
    if (first) {
      const id = String(first.turn)
      this.#rows.set(id, new Set(this.#unwritten))
      for (const told of this.#unwritten) this.#rowOf.set(told, id)
      this.#unwritten.clear()
      this.#changed.add(id)
    }
    const changes = [...this.#changed].map((id): KeptThing => {
      const row = this.#rows.get(id) ?? new Set()
      return { kind: TOLD, id, text: row.size === 0 ? undefined : JSON.stringify([...row]) }
    })
    this.#changed.clear()
    return changes
  }

  wrote(changes: readonly KeptThing[]): void {
    for (const { id, text } of changes) if (text === undefined) this.#rows.delete(id)
  }

  failed(changes: readonly KeptThing[]): void {
    for (const { id } of changes) this.#changed.add(id)
  }
}

function ofChange(change: RegionChange): ToldOf | undefined {
  switch (change.kind) {
    case 'ControlPlane':
    case 'Room': return [change.kind, change.clusterId]
    case 'Turn': return [change.kind]
    case 'Machine': return [change.kind, change.id]
    case 'MachineAfterAll': return [change.kind, change.seen.id]
    case 'Node': return [change.kind, change.clusterId, change.name]
    case 'Workload': return [change.kind, change.clusterId, change.addon]
    case 'Join':
    case 'Report':
    case 'Membership': return undefined
  }
}
