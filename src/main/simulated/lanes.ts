import type { RegionChange } from '#ports/region-events.ts'

export function inParts<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) => items.slice(part * size, (part + 1) * size))
}

/** As inParts, of about that size: what is of one cluster, or one machine, is in one part and in its order, so that parts may be heard side by side. */
export function inWholeParts(changes: readonly RegionChange[], size: number): readonly (readonly RegionChange[])[] {
  const parts: RegionChange[][] = []
  for (const some of Map.groupBy(changes, change => ('clusterId' in change ? change.clusterId : change.kind === 'Machine' ? change.id : '')).values()) {
    const last = parts.at(-1)
    if (last && last.length + some.length <= size) last.push(...some)
    else parts.push(some)
  }
  return parts
}

/** Once one has failed no more are begun; it is told when nothing is under way any more, so that whoever does it all again is alone. */
export async function inLanes<Item>(items: readonly Item[], lanes: number, act: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values(), failures: unknown[] = []
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, async () => {
    for (const item of waiting) {
      if (failures.length > 0) return
      await act(item).catch((error: unknown) => failures.push(error))
    }
  }))
  if (failures.length > 0) throw failures[0]
}
