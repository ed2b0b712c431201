import type { Page, Scope } from '#ports/store.ts'
import type { StatusFilter } from '#ports/store-filters.ts'
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

  /** No condition yet, and the values of these before its own: for a statement that has these in a part of its own. */
  continued(): Conditions {
    const next = new Conditions()
    next.values.push(...this.values)
    return next
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
   * one of nine, since each text is prepared on each connection and kept. A single pair is a plain comparison, so that an index has the rows of its phase in the order of the list.
   */
  statuses(filters: readonly StatusFilter[] | undefined): this {
    if (filters === undefined || filters.length === 0 || filters.some(({ phase, condition }) => phase === undefined && condition === undefined)) return this
    const [first] = filters
    if (filters.length === 1 && first?.phase !== undefined) {
      this.where('phase = ?', first.phase)
      return first.condition === undefined ? this : this.where('? = any(conditions)', first.condition)
    }
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

/** What is listed, and how its matches are found. */
export interface Question {
  readonly table: string
  /** Where its matches are found, if that is not the table itself alone. */
  readonly foundIn?: string
  /** Names a row; rows are chosen by it alone, out of an index, and fetched afterwards. */
  readonly key: string
  readonly columns: string
  /** Columns, each perhaps with `desc` behind it. */
  readonly order: readonly string[]
  /** Where rows are tallied that have the same columns as the conditions name, besides a column of counts: `[table, column]`. */
  readonly tally?: readonly [table: string, column: string]
}

/**
 * One page, the exact count of all that match, and the state of the database, in one statement and so in one snapshot. A page beyond the end still gives the count: there is always a row,
 * and where the page is empty its columns are null. Without a tally all that match are found once, for the count and for the page. With one nothing is counted: the tally is summed up, and the
 * page is looked for from the end of the order to which it is nearer.
 */
export function pageOf({ table, foundIn = table, key, columns, order, tally }: Question, conditions: Conditions, page: Page): { text: string; values: unknown[] } {
  const values = [...conditions.values, page.size, (page.number - 1) * page.size]
  const limit = `$${values.length - 1}::bigint`, offset = `$${values.length}::bigint`
  const where = conditions.text, inOrder = order.join(', ')
  const ordered = order.map(column => column.split(' ')[0] ?? column)
  const [counts, keys] = tally === undefined
    ? [`found as materialized (select ${[...new Set([key, ...ordered])].join(', ')} from ${foundIn} where ${where}), counted as materialized (select count(*) as total_count from found)`,
      `select ${key} from found order by ${inOrder} limit ${limit} offset ${offset}`]
    : [`counted as materialized (select coalesce(sum(${tally[1]}), 0)::bigint as total_count from ${tally[0]} where ${where})`,
      `(select ${key} from ${foundIn} where ${where} order by ${inOrder} limit (select case when 2 * ${offset} <= total_count then ${limit} else 0 end from counted) offset ${offset})
      union all
      (select ${key} from ${foundIn} where ${where} order by ${order.map(reversed).join(', ')}
        limit (select case when 2 * ${offset} <= total_count then 0 else greatest(0, least(${limit}, total_count - ${offset})) end from counted) offset (select greatest(0, total_count - ${offset} - ${limit}) from counted))`]
  const text = `with ${counts}
    select counted.total_count, ${STATE} as state, p.* from counted left join (select ${columns} from ${table} where ${key} in (${keys})) p on true
    order by ${order.map(column => `p.${column}`).join(', ')}`
  return { text, values }
}

function reversed(column: string): string {
  return column.endsWith(' desc') ? column.slice(0, -' desc'.length) : `${column} desc`
}
