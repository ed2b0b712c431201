import type { Query } from './signature/authorization.ts'
import { canonicalQuery, parseQuery } from './signature/canonical.ts'

/** A request's address: path and query as they were sent, and what the query says of the call. */
export interface Target {
  readonly path: string
  readonly query: Query
  /** Where it is known already. */
  readonly canonicalQuery?: string
  readonly action: string | undefined
  readonly version: string | undefined
}

/** Addresses that name an action and nothing else: most calls have one of a few dozen. */
const known = new Map<string, Target>()
const MOST_KNOWN = 1_000
const LONGEST_KNOWN = 200

/** Reads an address; a query with a broken escape counts as none. Of members sent twice the last one counts. */
export function targetOf(url: string): Target {
  return known.get(url) ?? read(url)
}

function read(url: string): Target {
  const mark = url.indexOf('?')
  const query = mark < 0 ? [] : parseQuery(url.slice(mark + 1)) ?? []
  const named = new Map(query)
  const target: Target = { path: mark < 0 ? url : url.slice(0, mark), query, action: named.get('Action'), version: named.get('Version') }
  if (query.length !== 2 || named.size !== 2 || !target.action || !target.version || url.length > LONGEST_KNOWN) return target
  const whole = { ...target, canonicalQuery: canonicalQuery(query) }
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(url, whole)
  return whole
}
