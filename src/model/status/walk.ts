import { type AnyStatus } from './table.ts'

/** Something that happens to a resource's facts; `undefined` where it cannot happen. Used by the tests of the transition tables. */
export interface Event<Sight> {
  readonly name: string
  readonly happens: (seen: Sight) => Sight | undefined
}

/** `Phase/Condition+Condition`, as transition tables write a status. */
export function statusKey(status: AnyStatus): string {
  return `${status.phase}/${status.conditions.join('+')}`
}

/** Everything that may follow a status, by its key; `gone` where the record may be forgotten. */
export type Transitions = Readonly<Record<string, readonly string[]>>

/** Walks every sight that the events can lead to from `start`, breadth first, and collects which status followed which. */
export function walk<Sight>(start: Sight, events: readonly Event<Sight>[], shows: (seen: Sight) => string): { readonly transitions: Map<string, Set<string>>; readonly visited: number; readonly fired: ReadonlySet<string> } {
  const transitions = new Map<string, Set<string>>()
  const known = new Set([JSON.stringify(start)])
  const fired = new Set<string>()
  const queue = [start]
  for (let seen = queue.pop(); seen !== undefined; seen = queue.pop()) {
    const from = shows(seen)
    for (const event of events) {
      const next = event.happens(seen)
      if (next === undefined) continue
      fired.add(event.name)
      const to = shows(next)
      if (to !== from) transitions.set(from, (transitions.get(from) ?? new Set()).add(to))
      const key = JSON.stringify(next)
      if (known.has(key)) continue
      known.add(key)
      queue.push(next)
    }
  }
  return { transitions, visited: known.size, fired }
}
