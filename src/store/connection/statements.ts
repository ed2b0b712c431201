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
