import type { Change } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'

/** Past every time that a region's clock may show, so that the row that holds now is the answer. */
const END_OF_TIME = '2100-01-01T00:00:00Z'

/** Since when and why each of these resources shows what it shows: its newest row of history, by its id. */
export async function reasonsOf(client: EdgeholdClient, ids: readonly string[]): Promise<ReadonlyMap<string, Change>> {
  const reasons = new Map<string, Change>()
  for (let first = 0; first < ids.length; first += 100) {
    const rows = await client.all('ListStatusHistory', { Filter: { Ids: ids.slice(first, first + 100) }, At: END_OF_TIME })
    for (const row of rows) reasons.set(row.Id, row)
  }
  return reasons
}
