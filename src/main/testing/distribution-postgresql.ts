import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PROGRAM = '/usr/lib/postgresql/15/bin/postgres'
const PACKAGE = 'postgresql-15'
/** Read by Debian's postgresql-common when a server's package is installed. */
const SETTINGS = '/etc/postgresql-common/createcluster.d'
const OURS = `${SETTINGS}/edgehold-test.conf`

/**
 * Brings PostgreSQL 15, the oldest version that a database may have, from Debian's packages: its programs only. Left alone, the package would also make a
 * database of its own and keep it running. Answers a sentence where it cannot be had.
 */
export async function bringDistributionPostgresql(say: (text: string) => void): Promise<string | undefined> {
  if (existsSync(PROGRAM)) return undefined
  const sentence = `PostgreSQL 15 is missing; install: apt-get install ${PACKAGE}`
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return sentence
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const isKnown = async (): Promise<boolean> => (await run('apt-cache', ['search', '--names-only', `^${PACKAGE}$`], { env })).stdout !== ''
  const made = mkdirSync(SETTINGS, { recursive: true })
  writeFileSync(OURS, 'create_main_cluster = false\n')
  try {
    if (!await isKnown()) await run('apt-get', ['update', '-qq'], { env })
    if (!await isKnown()) return `${sentence} (this distribution has no such package)`
    say(`Installing ${PACKAGE} from the distribution; no database of it is made or started`)
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', PACKAGE], { env, maxBuffer: 1 << 26 })
    return existsSync(PROGRAM) ? undefined : `${sentence} (it was installed and has no ${PROGRAM})`
  } catch (cause) {
    return `${sentence} (trying it failed: ${cause instanceof Error ? (cause.message.split('\n').filter(line => line.trim() !== '').at(-1) ?? '') : String(cause)})`
  } finally {
    rmSync(OURS, { force: true })
    // The package may have put its own settings beside ours.
    if (made !== undefined && existsSync(SETTINGS) && readdirSync(SETTINGS).length === 0 && !existsSync(PROGRAM)) rmdirSync(SETTINGS)
  }
}
