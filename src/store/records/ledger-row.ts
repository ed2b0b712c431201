import type { LedgerEntry } from '#ports/store.ts'

export interface LedgerRow {
  readonly id: string
  readonly account_id: string
  readonly region: string
  readonly kind: LedgerEntry['kind']
  readonly provider_id: string | null
  readonly owner_kind: LedgerEntry['owner']['kind']
  readonly owner_id: string
  readonly owner_name: string
  readonly cluster_id: string | null
  readonly state: LedgerEntry['state']
  readonly because: string | null
  readonly delete_protected: boolean
  readonly since: number
  readonly power: 'on' | 'off' | null
}

export const LEDGER_COLUMNS = 'id, account_id, region, kind, provider_id, owner_kind, owner_id, owner_name, cluster_id, state, because, delete_protected, since, power'

export function ledgerEntryOf(row: LedgerRow): LedgerEntry {
  return {
    id: row.id, accountId: row.account_id, region: row.region, kind: row.kind, owner: { kind: row.owner_kind, id: row.owner_id, name: row.owner_name },
    state: row.state, deleteProtected: row.delete_protected, since: row.since,
    ...(row.provider_id === null ? {} : { providerId: row.provider_id }),
    ...(row.cluster_id === null ? {} : { clusterId: row.cluster_id }),
    ...(row.because === null ? {} : { because: row.because }),
    ...(row.power === null ? {} : { power: row.power }),
  }
}

export function ledgerRow(entry: LedgerEntry): LedgerRow {
  return {
    id: entry.id, account_id: entry.accountId, region: entry.region, kind: entry.kind, provider_id: entry.providerId ?? null, owner_kind: entry.owner.kind,
    owner_id: entry.owner.id, owner_name: entry.owner.name, cluster_id: entry.clusterId ?? null, state: entry.state, because: entry.because ?? null,
    delete_protected: entry.deleteProtected, since: entry.since, power: entry.power ?? null,
  }
}
