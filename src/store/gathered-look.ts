/** One look for all that are asked for in one turn of the event loop. It begins after each of them asked. */
export function gatheredLook<Found>(read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Found>>): (id: string) => Promise<Found | undefined> {
  let next: { readonly ids: Set<string>; readonly found: Promise<ReadonlyMap<string, Found>> } | undefined
  return async id => {
    next ??= begin()
    next.ids.add(id)
    return (await next.found).get(id)
  }

  function begin(): { readonly ids: Set<string>; readonly found: Promise<ReadonlyMap<string, Found>> } {
    const ids = new Set<string>()
    const found = new Promise<void>(resolve => { setImmediate(resolve) }).then(async () => {
      next = undefined
      return await read([...ids])
    })
    return { ids, found }
  }
}

/** As gatheredLook, of records that are read by their ids. */
export function gatheredById<Item extends { readonly id: string }>(read: (ids: readonly string[]) => Promise<readonly Item[]>): (id: string) => Promise<Item | undefined> {
  return gatheredLook(async ids => new Map((await read(ids)).map(item => [item.id, item])))
}
