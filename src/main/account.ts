import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '#ports/store.ts'

/** Ten digits, as the product's accounts. */
const DEFAULT_ACCOUNT = '2100000001'

export interface Credentials {
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly Endpoint: string
  readonly Region: string
}

export function credentialsFile(stateDir: string): string {
  return join(stateDir, 'credentials.json')
}

/**
 * The account of this state folder, made at the first start with an access key; the file (0600) is what the command line reads. Endpoint and region
 * follow what this start serves. A key that the database does not know (a start that was cut short, another state folder on the same database) is
 * added to the one default account, so that what was made before stays reachable. The first key of a database is the administrator's (docs/adr/0021-…); later ones are not.
 */
export async function ensureAccount(store: Store, stateDir: string, serves: { endpoint: string; region: string; now: number }): Promise<Credentials> {
  const file = credentialsFile(stateDir)
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Credentials) : undefined
  if (before && (await store.findAccessKey(before.AccessKeyId))) return write(file, { ...before, Endpoint: serves.endpoint, Region: serves.region }, before)
  const made = before ?? drawKey(randomBytes)
  // The file comes first: an account whose secret nobody wrote down would own clusters that nobody can reach.
  const credentials = write(file, { ...made, Endpoint: serves.endpoint, Region: serves.region }, before)
  await store.write(serves.now, async tx => {
    // Of starts that meet only one makes the first key.
    await tx.lockName('access-keys')
    const isFirst = (await tx.accessKeys()).length === 0
    await tx.insertAccount({ id: DEFAULT_ACCOUNT, accessKeyId: made.AccessKeyId, secret: made.SecretAccessKey, name: 'default', ...isFirst && { administrator: true } })
  })
  return credentials
}

export function drawKey(bytes: (count: number) => Buffer): Pick<Credentials, 'AccessKeyId' | 'SecretAccessKey'> {
  return { AccessKeyId: `AKLT${bytes(16).toString('hex').toUpperCase()}`, SecretAccessKey: bytes(30).toString('base64url') }
}

function write(file: string, credentials: Credentials, before: Credentials | undefined): Credentials {
  if (before && JSON.stringify(before) === JSON.stringify(credentials)) return credentials
  const draft = `${file}.new`
  writeFileSync(draft, `${JSON.stringify(credentials, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(draft, file)
  return credentials
}
