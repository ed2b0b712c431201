/**
 * A status table: every pair of phase and condition that a resource may show, in the order a reader should learn them. The tables are data, so types,
 * validators, SQL checks, labels and documentation come from the same rows, and a pair that is not a row cannot be written. Most conditions stand
 * alone; the sets that may be listed together are named beside the table. Rows of nodes say before the meaning whether new pods may be scheduled.
 */
export type Origin = 'seed' | 'sibling'
export type StatusRow = readonly [phase: string, condition: string, origin: Origin, zh: string, en: string, ...schedulableAndMeaning: (boolean | string)[]]

/** A status as any table may have it; what a record of unknown kind shows. */
export interface AnyStatus { readonly phase: string; readonly conditions: readonly string[] }

export function statusTable<const Rows extends readonly StatusRow[]>(rows: Rows): Rows {
  return rows
}

export type PhaseOf<Rows extends readonly StatusRow[]> = Rows[number][0]

export type ConditionOf<Rows extends readonly StatusRow[], Phase extends string = string> =
  Extract<Rows[number], readonly [Phase, ...unknown[]]>[1]

/** `Phase/Condition` of every row. */
export type RowKeyOf<Rows extends readonly StatusRow[]> = Rows[number] extends infer Row ? Row extends readonly [infer Phase extends string, infer Condition extends string, ...unknown[]] ? `${Phase}/${Condition}` : never : never

/** One phase with the conditions its own rows allow; at least one, since the first says why. */
export type StatusOf<Rows extends readonly StatusRow[]> = {
  [Phase in PhaseOf<Rows>]: {
    readonly phase: Phase
    readonly conditions: readonly [ConditionOf<Rows, Phase>, ...ConditionOf<Rows, Phase>[]]
  }
}[PhaseOf<Rows>]

/** The sets of several conditions that may be listed together, each with its phase, in table order. */
export type ConditionSets = readonly (readonly [phase: string, conditions: readonly string[]])[]

/** True if the status is a row of the table, or one of the sets that may be listed together. */
export function isAllowed<Rows extends readonly StatusRow[]>(rows: Rows, together: ConditionSets, status: AnyStatus): status is StatusOf<Rows> {
  const { phase, conditions } = status
  // Each status that is settled comes by here.
  if (conditions.length === 1) return rows.some(row => row[0] === phase && row[1] === conditions[0])
  return together.some(([of, set]) => of === phase && set.join() === conditions.join())
}

/** Everything that may be shown: each row alone, then the sets. */
export function allowedSets(rows: readonly StatusRow[], together: ConditionSets): ConditionSets {
  return [...rows.map(([phase, condition]) => [phase, [condition]] as const), ...together]
}

/** The row of the first condition: its label is the one shown. */
export function rowOf(rows: readonly StatusRow[], status: AnyStatus): StatusRow {
  const row = rows.find(([phase, condition]) => phase === status.phase && condition === status.conditions[0])
  if (!row) throw new Error(`E-STATUS: no row for ${statusText(status)}`)
  return row
}

/** What the row means, a sentence. */
export function meaningOf(row: StatusRow): string {
  return String(row.at(-1))
}

/** `{Failed,[Balance,ResourceCleanupFailed]}`, the seed's own way to write a pair. */
export function statusText(status: AnyStatus): string {
  return `{${status.phase},[${status.conditions.join(',')}]}`
}

export function sameStatus(one: AnyStatus, other: AnyStatus): boolean {
  return one.phase === other.phase && one.conditions.join() === other.conditions.join()
}
