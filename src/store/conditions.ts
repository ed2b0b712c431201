import type { Page, Scope, StatusFilter } from '#ports/store.ts'
import { STATE } from './operations/read-state.ts'

/**
 * The WHERE of a list. Only what was asked for is in the text, so the planner sees a plain condition with an index behind it; values are parameters. The
 * number of texts is the number of combinations of members, which prepared statements bear.
 */
export class Conditions {
  readonly values: unknown[] = []
  readonly #parts: string[] = []

  static inScope(scope: Scope): Conditions {
    return new Conditions().where('account_id = ?', scope.accountId).where('region = ?', scope.region)
  }

  /** Adds a condition; `?` stands for its one value. */
  where(condition: string, value: unknown): this {
    this.values.push(value)
    this.#parts.push(condition.replaceAll('?', `$${this.values.length}`))
    return this
  }

  plain(condition: string): this {
    this.#parts.push(condition)
    return this
  }

  equal(column: string, value: string | number | boolean | undefined): this {
    return value === undefined ? this : this.where(`${column} = ?`, value)
  }

  /** An absent or empty list means all (api.md 1.4). */
  oneOf(column: string, values: readonly (string | number)[] | undefined, type = 'text'): this {
    return values === undefined || values.length === 0 ? this : this.where(`${column} = any(?::${type}[])`, values)
  }

  /** Part of a name, case as it is; what LIKE would read as a pattern is escaped. */
  contains(column: string, part: string | undefined): this {
    return part === undefined || part === '' ? this : this.where(`${column} like ?`, `%${part.replaceAll(/[\\%_]/g, '\\$&')}%`)
  }

  /**
   * One of the pairs; within a pair both members must match, and an absent member matches all. However many pairs there are and whatever they name, the text is
   * one of eight, since each text is prepared on each connection and kept.
   */
  statuses(filters: readonly StatusFilter[] | undefined): this {
    if (filters === undefined || filters.length === 0 || filters.some(({ phase, condition }) => phase === undefined && condition === undefined)) return this
    const phases = filters.flatMap(({ phase, condition }) => (condition === undefined && phase !== undefined ? [phase] : []))
    const conditions = filters.flatMap(({ phase, condition }) => (phase === undefined && condition !== undefined ? [condition] : []))
    const both = filters.flatMap(({ phase, condition }) => (phase !== undefined && condition !== undefined ? [{ phase, condition }] : []))
    const parts = [
      ...(phases.length === 0 ? [] : [`phase = any($${this.values.push(phases)}::text[])`]),
      ...(conditions.length === 0 ? [] : [`conditions && $${this.values.push(conditions)}::text[]`]),
      // The phases stand alone besides, so that an index on them is of use.
      ...(both.length === 0 ? [] : [
        `(phase = any($${this.values.push(both.map(one => one.phase))}::text[]) and exists (select 1 from unnest($${this.values.length}::text[], $${this.values.push(both.map(one => one.condition))}::text[]) as w (a_phase, a_condition) where a_phase = phase and a_condition = any(conditions)))`,
      ]),
    ]
    return this.plain(`(${parts.join(' or ')})`)
  }

  get text(): string {
    return this.#parts.join(' and ')
  }
}

/**
 * One page, the exact count of all that match, and the state of the database, in one statement and so in one snapshot. A page beyond the end still gives the count: there is always a row,
 * and where the page is empty its columns are null. Rows are chosen by `key` alone, out of an index, and fetched afterwards, so that a late page does not read all before it.
 */
export function pageOf(table: string, key: string, columns: string, conditions: Conditions, order: readonly string[], page: Page): { text: string; values: unknown[] } {
  const values = [...conditions.values, page.size, (page.number - 1) * page.size]
  const limit = values.length - 1
  const text = `select counted.total_count, ${STATE} as state, p.* from (select count(*) as total_count from ${table} where ${conditions.text}) counted
    left join (select ${columns} from ${table} where ${key} in (select ${key} from ${table} where ${conditions.text} order by ${order.join(', ')} limit $${limit} offset $${limit + 1})) p on true
    order by ${order.map(column => `p.${column}`).join(', ')}`
  return { text, values }
}
