import type { MachineSecret } from '#ports/store.ts'
import type { Queryable } from '../connection/database.ts'

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
  const [row] = await connection.query<MachineSecretRow>(`select ${COLUMNS} from machine_secret where secret_hash = $1`, [secretHash])
  return row && machineSecretOf(row)
}

export async function machineSecretsOf(connection: Queryable, clusterId: string): Promise<readonly MachineSecret[]> {
  const rows = await connection.query<MachineSecretRow>(`select ${COLUMNS} from machine_secret where cluster_id = $1 order by changed_at, secret_hash`, [clusterId])
  return rows.map(machineSecretOf)
}

export async function putMachineSecret(connection: Queryable, secret: MachineSecret): Promise<void> {
  await connection.query(
    `insert into machine_secret (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (secret_hash) do update set cluster_id = excluded.cluster_id, node_pool_id = excluded.node_pool_id, node_id = excluded.node_id, node_name = excluded.node_name,
       onboarding_id = excluded.onboarding_id, state = excluded.state, certificate_until = excluded.certificate_until, changed_at = excluded.changed_at`,
    [secret.secretHash, secret.clusterId, secret.nodePoolId, secret.nodeId, secret.nodeName, secret.onboardingId, secret.state, secret.certificateUntil ?? null, Math.floor(secret.changedAt)],
  )
}

function machineSecretOf(row: MachineSecretRow): MachineSecret {
  return {
    secretHash: row.secret_hash, clusterId: row.cluster_id, nodePoolId: row.node_pool_id, nodeId: row.node_id, nodeName: row.node_name, onboardingId: row.onboarding_id,
    state: row.state, changedAt: row.changed_at, ...(row.certificate_until === null ? {} : { certificateUntil: row.certificate_until }),
  }
}
