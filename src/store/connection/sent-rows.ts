/**
 * Rows that are sent to a table: each column goes as one list of texts, and PostgreSQL makes of a text what the column is. To unpack the same rows from JSON, which it reads three times until a column of JSON has its value,
 * took it nearly twice the time that writing them takes.
 */
import { asText } from '../texts.ts'
import { NO_TEXT } from './statements.ts'
import { sentTexts } from './sent-texts.ts'

export type ColumnType = 'text' | 'bigint' | 'boolean' | 'text[]' | 'json' | 'jsonb' | 'bytea'

/** Columns by name, with their types: one of all that its statement may send. */
export type Columns = Readonly<Record<string, ColumnType>>

export interface SentRows {
  /** For FROM, of whose rows the columns are called `names`: texts. */
  readonly source: string
  /** The columns' names, with commas. */
  readonly names: string
  /** What the columns hold of rows that are called `sent`, as names. */
  readonly selected: string
  /** What one of them holds. */
  readonly cell: (column: string) => string
  /** A statement that inserts them. */
  readonly into: (table: string) => string
  /** The parameters of the rows, from $1 on. */
  readonly values: readonly Buffer[]
  /** The next parameter. */
  readonly next: `$${number}`
}

/** Each member of a row that is null or absent is NULL. At least one row. */
export function sentRows<Name extends string>(columns: Readonly<Record<Name, ColumnType>>, rows: readonly { readonly [name in NoInfer<Name>]?: unknown }[]): SentRows {
  const names = Object.keys(columns) as Name[]
  const cell = (column: string) => cellOf(column, columns[column as Name])
  const source = `unnest(${names.map((_, index) => `$${index + 1}::text[]`).join(', ')})`, all = names.join(', '), selected = names.map(cell).join(', ')
  return {
    source, names: all, selected, cell, into: table => `insert into ${table} (${all}) select ${selected} from ${source} as sent (${all})`,
    values: names.map(name => sentTexts(textsOf(columns[name], rows.map(row => row[name])))), next: `$${names.length + 1}`,
  }
}

function cellOf(column: string, type: ColumnType): string {
  return type === 'text' ? `sent.${column}` : `sent.${column}::${type}`
}

function textsOf(type: ColumnType, values: readonly unknown[]): (string | null)[] {
  const textOf = TEXT_OF[type]
  return values.map(value => (value === null || value === undefined ? null : textOf(value)))
}

const plain = (value: unknown): string => asText(String(value))
const TEXT_OF: Readonly<Record<ColumnType, (value: unknown) => string>> = { text: plain, bigint: String, boolean: String, 'text[]': value => arrayOf(value as readonly string[]), json: jsonTextOf, jsonb: jsonTextOf, bytea: value => `\\x${(value as Buffer).toString('hex')}` }

/** As all of which NO_TEXT tells begins; few texts have it. */
const ESCAPED = '\\u'

function arrayOf(texts: readonly string[]): string {
  return `{${texts.map(text => `"${asText(text).replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}

/** As JSON that PostgreSQL takes. */
function jsonTextOf(value: unknown): string {
  const text = JSON.stringify(value)
  return text.includes(ESCAPED) && NO_TEXT.test(text) ? JSON.stringify(value, (_name, member: unknown) => (typeof member === 'string' ? asText(member) : member)) : text
}
