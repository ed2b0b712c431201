import { types, type CustomTypesConfig } from 'pg'
import { isText } from '../texts.ts'
import { sentTexts } from './sent-texts.ts'

const names = new Map<string, string>()

/** The name under which a statement is prepared on every connection: the same text has the same name. Texts must come from a small set, never from values. */
export function statementName(text: string): string {
  let name = names.get(text)
  if (name === undefined) {
    name = `s${names.size}`
    names.set(text, name)
  }
  return name
}

const INT8 = 20

/** Times and counters are `bigint` columns and stay far below 2^53, so they are read as numbers. */
export const CLIENT_TYPES: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => (oid === INT8 ? Number : types.getTypeParser(oid, format))) as CustomTypesConfig['getTypeParser'],
}

/** Of each statement's text: the places of values that it takes as lists of texts. */
const listsOf = new Map<string, ReadonlySet<number>>()

/** The values of a statement. `pg` escapes lists element by element, which is much of what a statement over a hundred keys costs here; where the statement says `$n::text[]` they are sent as bytes, and what is not a list of texts is left to it. */
export function sentValues(text: string, values: readonly unknown[]): unknown[] {
  let lists = listsOf.get(text)
  if (!lists) listsOf.set(text, lists = new Set([...text.matchAll(/\$(\d+)::text\[\]/g)].map(([, place]) => Number(place) - 1)))
  return values.map((value, place) => (lists.has(place) && areTexts(value) ? sentTexts(value) : value))
}

function areTexts(value: unknown): value is readonly (string | null)[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string' || item === null)
}

/**
 * Whether a column is one of a list of ids, which `asIds` makes of them. PostgreSQL learns only while it runs how many there are and so makes one plan for all, by the column's index; of `= any` over an array
 * that is sent it makes a new plan at each call, as one for few looks cheaper, and that costs more than finding a few rows does.
 */
export function isAmong(column: string, parameter: `$${number}`): string {
  return `${column} = any (array(select json_array_elements_text(${parameter}::json)))`
}

/**
 * For FROM: as isAmong, of rows that meet a condition upon columns which stand before that one in an index. Each id is looked up by all of it: where PostgreSQL has not looked at a table since it got its first rows that meet the condition,
 * it would rather read all that do, which it takes for none.
 */
export function eachAmong(table: string, condition: string, column: string, parameter: `$${number}`): string {
  return `(select distinct value as asked from json_array_elements_text(${parameter}::json)) ids cross join lateral (select * from ${table} where ${condition} and ${column} = asked offset 0) ${table}`
}

/** What JSON writes of bytes that are no text. */
export const NO_TEXT = /\\u(?:0000|d[89a-f])/

/** What is no text for PostgreSQL is nobody's id. */
export function asIds(ids: readonly string[]): string {
  const text = JSON.stringify(ids)
  return NO_TEXT.test(text) ? JSON.stringify(ids.filter(isText)) : text
}
