/** Something that may change by itself at an instant; whoever handles it looks again, so one too many does no harm. */
export interface DueEvent {
  readonly at: number
  readonly kind: string
  readonly id: string
}

/** What is due next, in the order of (instant, kind, id). */
export class EventHeap {
  readonly #items: DueEvent[] = []

  peek(): DueEvent | undefined {
    return this.#items[0]
  }

  push(event: DueEvent): void {
    const items = this.#items
    let at = items.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, items[parent]!)) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = event
  }

  pop(): DueEvent | undefined {
    const items = this.#items, first = items[0], last = items.pop()
    if (!first || !last || items.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child++
      if (!isBefore(items[child]!, last)) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
    return first
  }
}

function isBefore(one: DueEvent, other: DueEvent): boolean {
  if (one.at !== other.at) return one.at < other.at
  return one.kind !== other.kind ? one.kind < other.kind : one.id < other.id
}
