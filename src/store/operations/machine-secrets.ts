import type { MachineSecret } from '#ports/store.ts'
import type { Queryable, TransactionConnection } from '../connection/database.ts'
import { asIds, isAmong } from '../connection/statements.ts'

interface MachineSecretRow {
  readonly secret_hash: string
  readonly cluster_id: string
  readonly node_pool_id: string
  readonly node_id: string
  readonly node_name: string
  readonly onboarding_id: string
  readonly state: MachineSecret['state']
  readonly certificate_until: number | null
  readonly changed_at: number
}

const COLUMNS = 'secret_hash, cluster_id, node_pool_id, node_id, node_name, onboarding_id, state, certificate_until, changed_at'

export async function findMachineSecret(connection: Queryable, secretHash: string): Promise<MachineSecret | undefined> {
  const [secret] = await machineSecretsByHash(connection, [secretHash])
  return secret
}

export async function machineSecretsByHash(connection: Queryable, secretHashes: readonly string[]): Promise<readonly MachineSecret[]> {
  const rows = await connection.query<MachineSecretRow>(`select ${COLUMNS} from machine_secret where ${isAmong('secret_hash', '$1')}`, [asIds(secretHashes)])
  return rows.map(machineSecretOf)
}

export async function machineSecretsOf(connection: Queryable, clusterId: string): Promise<readonly MachineSecret[]> {
  const rows = await connection.query<MachineSecretRow>(`select ${COLUMNS} from machine_secret where cluster_id = $1 order by changed_at, secret_hash`, [clusterId])
  return rows.map(machineSecretOf)
}

/** Sent, not waited for. */
export function putMachineSecrets(connection: TransactionConnection, secrets: readonly MachineSecret[]): void {
  const columns = [
    secrets.map(secret => secret.secretHash), secrets.map(secret => secret.clusterId), secrets.map(secret => secret.nodePoolId), secrets.map(secret => secret.nodeId), secrets.map(secret => secret.nodeName),
    secrets.map(secret => secret.onboardingId), secrets.map(secret => secret.state), secrets.map(secret => secret.certificateUntil ?? null), secrets.map(secret => Math.floor(secret.changedAt)),
  ]
  connection.send(
    `insert into machine_secret (${COLUMNS}) select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[])
     on conflict (secret_hash) do update set cluster_id = excluded.cluster_id, node_pool_id = excluded.node_pool_id, node_id = excluded.node_id, node_name = excluded.node_name,
       onboarding_id = excluded.onboarding_id, state = excluded.state, certificate_until = excluded.certificate_until, changed_at = excluded.changed_at`,
    columns,
  )
}

function machineSecretOf(row: MachineSecretRow): MachineSecret {
  return {
    secretHash: row.secret_hash, clusterId: row.cluster_id, nodePoolId: row.node_pool_id, nodeId: row.node_id, nodeName: row.node_name, onboardingId: row.onboarding_id,
    state: row.state, changedAt: row.changed_at, ...(row.certificate_until === null ? {} : { certificateUntil: row.certificate_until }),
  }
}
