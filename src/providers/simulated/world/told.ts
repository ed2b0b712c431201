import type { RegionChange } from '#ports/region-events.ts'
import type { KeptThing } from '../store/world-store.ts'

/** The kind under which it is kept what was told and not heard yet, each thing by itself. */
export const TOLD = 'told'
/** Under which an earlier version kept all of it together, as a list. */
const TOGETHER = ''

/** What a change is of, without how it was seen then. What machines ask is not among these: they ask again. */
export type ToldOf = readonly [kind: 'ControlPlane' | 'Room', clusterId: string] | readonly [kind: 'Machine', id: string] | readonly [kind: 'Node', clusterId: string, name: string] | readonly [kind: 'Workload', clusterId: string, addon: string]

/** `turn` tells which was told first. */
interface Told { readonly turn: number; readonly of: ToldOf }

/** What was told and is not known to have been heard. Each thing is written once when it was told and goes once it was heard, so that a write costs what changed and no more. */
export class Unheard {
  readonly #waiting = new Map<string, Told>()
  readonly #given = new Map<string, Told>()
  /** Ids that are to be written as they are now. */
  readonly #changed = new Set<string>()
  readonly #mayBeKept = new Set<string>()
  #turn = 0

  /** Changes that are not written yet. */
  get size(): number {
    return this.#changed.size
  }

  /** What was given out, in the order in which it was told. */
  given(): readonly ToldOf[] {
    return [...this.#given.values()].toSorted((one, other) => one.turn - other.turn).map(({ of }) => of)
  }

  tell(change: RegionChange): void {
    const of = ofChange(change)
    if (!of) return
    const id = of.join('/')
    if (this.#waiting.has(id)) return
    this.#waiting.set(id, { turn: ++this.#turn, of })
    if (!this.#given.has(id)) this.#changed.add(id)
  }

  /** All that waits is given to whoever watches. */
  give(): void {
    for (const [id, told] of this.#waiting) if (!this.#given.has(id)) this.#given.set(id, told)
    this.#waiting.clear()
  }

  /** All that was given out was heard; what was told again since then was not. */
  hear(): void {
    for (const id of this.#given.keys()) {
      // What was heard before it was written is not written at all.
      if (this.#waiting.has(id) || this.#mayBeKept.has(id)) this.#changed.add(id)
      else this.#changed.delete(id)
    }
    this.#given.clear()
  }

  /** As it was kept: it was given out to a process that is no more. */
  adopt(id: string, text: string): void {
    this.#mayBeKept.add(id)
    if (id !== TOGETHER) {
      const told = JSON.parse(text) as Told
      this.#turn = Math.max(this.#turn, told.turn)
      this.#given.set(id, told)
      return
    }
    this.#changed.add(id)
    for (const of of JSON.parse(text) as readonly ToldOf[]) {
      this.#given.set(of.join('/'), { turn: ++this.#turn, of })
      this.#changed.add(of.join('/'))
    }
  }

  /** What is to be written, one write at a time; `wrote` or `failed` says how that went. */
  changes(): readonly KeptThing[] {
    const changes = [...this.#changed].flatMap((id): readonly KeptThing[] => {
      const told = this.#given.get(id) ?? this.#waiting.get(id)
      if (!told && !this.#mayBeKept.has(id)) return []
      return [{ kind: TOLD, id, text: told && JSON.stringify(told) }]
    })
    this.#changed.clear()
    for (const { id } of changes) this.#mayBeKept.add(id)
    return changes
  }

  wrote(changes: readonly KeptThing[]): void {
    for (const { id, text } of changes) if (text === undefined) this.#mayBeKept.delete(id)
  }

  failed(changes: readonly KeptThing[]): void {
    for (const { id } of changes) this.#changed.add(id)
  }
}

function ofChange(change: RegionChange): ToldOf | undefined {
  switch (change.kind) {
    case 'ControlPlane':
    case 'Room': return [change.kind, change.clusterId]
    case 'Machine': return [change.kind, change.id]
    case 'Node': return [change.kind, change.clusterId, change.name]
    case 'Workload': return [change.kind, change.clusterId, change.addon]
    case 'Join':
    case 'Report':
    case 'Membership': return undefined
  }
}
