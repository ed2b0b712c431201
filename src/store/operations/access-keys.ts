import type { KeyObject } from 'node:crypto'

import type { AccessKey, AccessKeyShown, NewAccessKey } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'
import { seal, unseal } from '../encryption/seal.ts'

/** Long enough that signatures of a busy caller cost no query, short enough that a key taken away is refused soon. */
const KNOWN_FOR_MS = 10_000
/** Unknown keys are asked for again sooner, and only so many are kept: callers choose their names. */
const UNKNOWN_FOR_MS = 1_000
const KEPT = 10_000

function place(accessKeyId: string): string {
  return `access-key/${accessKeyId}`
}

/** Access keys as this process has lately seen them. */
export class AccessKeys {
  readonly #connection: Queryable
  readonly #key: KeyObject
  readonly #now: () => number
  readonly #kept = new Map<string, { until: number; found: AccessKey | undefined }>()

  constructor(connection: Queryable, key: KeyObject, now: () => number) {
    this.#connection = connection
    this.#key = key
    this.#now = now
  }

  async find(accessKeyId: string): Promise<AccessKey | undefined> {
    const kept = this.#kept.get(accessKeyId)
    if (kept && kept.until > this.#now()) return kept.found
    const [row] = await this.#connection.query<{ account_id: string; sealed: Buffer; administrator: boolean }>('select account_id, sealed, administrator from access_key where id = $1', [accessKeyId])
    const found = row && { accountId: row.account_id, secret: unseal(this.#key, place(accessKeyId), row.sealed), ...(row.administrator && { administrator: true as const }) }
    if (this.#kept.size >= KEPT) this.#kept.clear()
    this.#kept.set(accessKeyId, { until: this.#now() + (found ? KNOWN_FOR_MS : UNKNOWN_FOR_MS), found })
    return found
  }

  forget(accessKeyId: string): void {
    this.#kept.delete(accessKeyId)
  }
}

export async function insertAccount(connection: Queryable, key: KeyObject, account: NewAccessKey): Promise<void> {
  await connection.query('insert into account (id, name) values ($1, $2) on conflict (id) do nothing', [account.id, account.name])
  await connection.query('insert into access_key (id, account_id, sealed, administrator) values ($1, $2, $3, $4)', [account.accessKeyId, account.id, seal(key, place(account.accessKeyId), account.secret), account.administrator === true])
}

export async function accessKeys(connection: Queryable): Promise<readonly AccessKeyShown[]> {
  const rows = await connection.query<{ id: string; account_id: string; administrator: boolean; created_at: number }>(
    'select id, account_id, administrator, floor(extract(epoch from created_at) * 1000)::bigint as created_at from access_key order by access_key.created_at, id')
  return rows.map(row => ({ id: row.id, accountId: row.account_id, administrator: row.administrator, createdAt: row.created_at }))
}

export async function setAdministrator(connection: Queryable, accessKeyId: string, administrator: boolean): Promise<boolean> {
  return (await connection.query('update access_key set administrator = $2 where id = $1 returning id', [accessKeyId, administrator])).length > 0
}
