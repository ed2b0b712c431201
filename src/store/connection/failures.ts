import { DatabaseError } from 'pg'

import { StoreUnavailable } from '#ports/store.ts'

const DISK_FULL = '53100'
/**
 * Connection exceptions (class 08), want of something (53: connections, memory, disk), a server that shuts down, was killed or still starts, a session that was ended,
 * a statement that took too long, a disk that fails.
 */
const UNAVAILABLE = new Set(['57P01', '57P02', '57P03', '25P03', '57014', '58030'])

/** True where another server of the same data may answer the same call in a moment. Whatever has no SQLSTATE came from the connection, not from SQL. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return true
  const code = error.code ?? ''
  return code.startsWith('08') || code.startsWith('53') || UNAVAILABLE.has(code)
}

/** Serialisation failures and deadlocks: the transaction did nothing, and is run again from its start. */
export function isWorthRepeating(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === '40001' || error.code === '40P01')
}

/** Says only that a statement before it in its transaction failed. */
export function isAftermath(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '25P02'
}

/** The unique index that refused a row, or undefined if that was not the trouble. */
export function violatedUniqueIndex(error: unknown): string | undefined {
  return error instanceof DatabaseError && error.code === '23505' ? error.constraint : undefined
}

export function unavailable(cause: unknown): StoreUnavailable {
  if (cause instanceof DatabaseError && cause.code === DISK_FULL) return new StoreUnavailable('The disk of the database is full; make room, and try again', { cause })
  return new StoreUnavailable('The database cannot be reached at the moment; try again', { cause })
}
