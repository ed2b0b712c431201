import { types, type CustomTypesConfig } from 'pg'

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

/** What JSON writes of control characters and of halves of surrogate pairs, which PostgreSQL's arrays write otherwise. */
const ESCAPED_OTHERWISE = /\\[^"\\]/

/**
 * A list of texts as PostgreSQL reads an array, which is as JSON does but for the brackets. `pg` escapes element by element, which is much of what a statement over a hundred keys costs here; whatever is
 * not a list of plain texts is left to it.
 */
export function sentValue(value: unknown): unknown {
  if (!Array.isArray(value) || !value.every(item => typeof item === 'string' || item === null)) return value
  const text = JSON.stringify(value)
  return ESCAPED_OTHERWISE.test(text) ? value : `{${text.slice(1, -1)}}`
}

/**
 * Whether a column is one of a list of ids, which `asIds` makes of them. PostgreSQL learns only while it runs how many there are and so makes one plan for all, by the column's index; of `= any` over an array
 * that is sent it makes a new plan at each call, as one for few looks cheaper, and that costs more than finding a few rows does.
 */
export function isAmong(column: string, parameter: `$${number}`): string {
  return `${column} = any (array(select json_array_elements_text(${parameter}::json)))`
}

/** What JSON writes of bytes that are no text. */
export const NO_TEXT = /\\u(?:0000|d[89a-f])/

/** What is no text for PostgreSQL is nobody's id. */
export function asIds(ids: readonly string[]): string {
  const text = JSON.stringify(ids)
  return NO_TEXT.test(text) ? JSON.stringify(ids.filter(isText)) : text
}

/** PostgreSQL has no text with such characters. */
export function isText(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0')
}

/** As JSON that PostgreSQL takes: the last words of a program may hold bytes that are no text, and would keep a status from ever being written. */
export function jsonOf(rows: readonly object[]): string {
  const text = JSON.stringify(rows)
  if (!NO_TEXT.test(text)) return text
  return JSON.stringify(rows, (_name, value: unknown) => (typeof value === 'string' ? value.replaceAll('\0', '\uFFFD').toWellFormed() : value))
}
