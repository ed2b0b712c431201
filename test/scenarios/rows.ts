import type { Played, Scenario } from '#client/calls.ts'

type Row = Scenario['Reaches'][number]
type Told = Played['Story'][number]

export function rowKeyText(row: Row | undefined): string {
  return row ? `${row.Kind} {${row.Phase},[${row.Conditions.join(',')}]}` : ''
}

/** True if that is the moment at which the row came to hold. */
export function sameRow(row: Row | undefined, { Resource, Status }: Told): boolean {
  return row !== undefined && Resource?.Kind === row.Kind && (row.Name === undefined || row.Name === Resource.Name)
    && Status?.Phase === row.Phase && Status.Conditions.map(condition => condition.Type).join() === row.Conditions.join()
}

/** Who had which status, in order: what must be the same however the calls were made. */
export function pairsOf(story: readonly Told[]): string[] {
  return story.filter(told => told.Resource).map(({ Resource, Status }) => `${Resource?.Kind ?? ''} ${Resource?.Name ?? ''} ${Status ? `{${Status.Phase},[${Status.Conditions.map(condition => condition.Type).join()}]}` : 'gone'}`)
}

/** True if that pair of `pairsOf` is the row's. */
export function isPairOf(row: Row | undefined, pair: string): boolean {
  return row !== undefined && pair.startsWith(`${row.Kind} ${row.Name ?? ''}`) && pair.endsWith(` {${row.Phase},[${row.Conditions.join()}]}`)
}
