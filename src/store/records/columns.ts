/** The columns of tables to which rows are sent, with their types, as the migrations made them: each that a row sets. */
import type { Columns } from '../connection/sent-rows.ts'

const BASE = { id: 'text', account_id: 'text', region: 'text', revision: 'bigint', created_at: 'bigint', updated_at: 'bigint', create_client_token: 'text', update_client_token: 'text', name: 'text', spec: 'json', facts: 'json', said: 'json' } as const
const SHOWN = { phase: 'text', conditions: 'text[]' } as const

export const COLUMNS_OF = {
  cluster: { ...BASE, ...SHOWN, counts: 'json', delete_protection: 'boolean', pod_network_mode: 'text', profile: 'text', tags: 'jsonb', address: 'text' },
  node_pool: { ...BASE, ...SHOWN, counts: 'json', cluster_id: 'text', type: 'text', auto_scaling: 'boolean', tags: 'jsonb' },
  node: { ...BASE, cluster_id: 'text', node_pool_id: 'text', address: 'text', machine_id: 'text', instance_id: 'text' },
  node_status: { ...SHOWN, id: 'text', account_id: 'text', region: 'text', created_at: 'bigint', name: 'text' },
  addon: { ...BASE, ...SHOWN, cluster_id: 'text', deploy_mode: 'text', deploy_node_type: 'text' },
  node_tally: { ...SHOWN, account_id: 'text', region: 'text', nodes: 'bigint' },
  status_change: {
    ...SHOWN, at: 'bigint', account_id: 'text', region: 'text', kind: 'text', id: 'text', name: 'text', cluster_id: 'text', rule: 'text', because: 'text', evidence: 'json', caused_by: 'json', operation: 'text',
  },
  machine: {
    id: 'text', account_id: 'text', region: 'text', name: 'text', address: 'text', power: 'text', link: 'text', machine_id: 'text', granted: 'boolean', created_at: 'bigint', deletion_requested_at: 'bigint',
    owner_node_id: 'text', owner_node_pool_id: 'text', owner_cluster_id: 'text', instance_id: 'text', template: 'json', refused: 'json', obstacle: 'json', sealed_first_boot: 'bytea',
  },
  ledger: {
    id: 'text', account_id: 'text', region: 'text', kind: 'text', provider_id: 'text', owner_kind: 'text', owner_id: 'text', owner_name: 'text', cluster_id: 'text', state: 'text', because: 'text',
    delete_protected: 'boolean', since: 'bigint', power: 'text', price: 'bigint', priced_at: 'bigint',
  },
  client_token: { account_id: 'text', region: 'text', action: 'text', token: 'text', request_hash: 'text', resource_id: 'text', result: 'json' },
} as const satisfies Readonly<Record<string, Columns>>

/** Those columns of a table alone. */
export function someOf(columns: Columns, names: readonly string[]): Columns {
  return Object.fromEntries(names.flatMap(name => (columns[name] === undefined ? [] : [[name, columns[name]]])))
}
