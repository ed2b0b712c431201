import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { rfc3339Milliseconds } from '#model/time.ts'
import type { AccessKeyShown, Store, Transaction } from '#ports/store.ts'
import { openStore } from '#store/open.ts'
import { credentialsFile, drawKey, type Credentials } from './account.ts'
import type { Configuration } from './configuration.ts'
import { pinoLog } from './pino-log.ts'
import { systemClock } from './system-clock.ts'

type Output = 'table' | 'json'

/** A running server remembers keys for some seconds, twice. */
const KNOWN_SOON = 'A server that runs goes by it within 20 s.'

/** `key list`. */
export function listKeys(configuration: Configuration, output: Output): Promise<number> {
  return withStore(configuration, async store => {
    const keys = await write(store, tx => tx.accessKeys())
    process.stdout.write(output === 'json' ? `${JSON.stringify(keys.map(shown), undefined, 2)}\n` : keys.map(line).join(''))
    return 0
  })
}

/** `key create`: its secret is told once and kept nowhere that could be read. */
export function createKey(configuration: Configuration, isAdministrator: boolean, output: Output): Promise<number> {
  return withStore(configuration, async (store, accountId) => {
    const made = drawKey(randomBytes)
    await write(store, tx => tx.insertAccount({ id: accountId, accessKeyId: made.AccessKeyId, secret: made.SecretAccessKey, name: accountId, ...isAdministrator && { administrator: true } }))
    process.stdout.write(output === 'json' ? `${JSON.stringify({ ...made, Administrator: isAdministrator }, undefined, 2)}\n` : `VOLCENGINE_ACCESS_KEY=${made.AccessKeyId}\nVOLCENGINE_SECRET_KEY=${made.SecretAccessKey}\n`)
    return 0
  })
}

/** `key set`. */
export function setKey(configuration: Configuration, accessKeyId: string, isAdministrator: boolean): Promise<number> {
  return withStore(configuration, async store => {
    if (!(await write(store, tx => tx.setAdministrator(accessKeyId, isAdministrator)))) throw new Error(`There is no key ${accessKeyId}; ./edgehold key list names those that there are.`)
    process.stderr.write(`The key ${accessKeyId} is ${isAdministrator ? 'an' : 'no'} administrator's. ${KNOWN_SOON}\n`)
    return 0
  })
}

function line({ id, accountId, administrator, createdAt }: AccessKeyShown): string {
  return `${id}  ${accountId}  ${(administrator ? 'administrator' : 'user').padEnd(13)}  ${rfc3339Milliseconds(createdAt)}\n`
}

function shown({ id, accountId, administrator, createdAt }: AccessKeyShown): object {
  return { AccessKeyId: id, AccountId: accountId, Administrator: administrator, CreatedAt: rfc3339Milliseconds(createdAt) }
}

function write<T>(store: Store, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return store.write(systemClock.now(), work)
}

/** Whoever reads the state folder's secrets may say whose the administrator's key is. A database that did not run goes on running, as after `down`: others may have begun to use it. */
async function withStore(configuration: Configuration, work: (store: Store, accountId: string) => Promise<number>): Promise<number> {
  const { stateDir, databaseUrl } = configuration, file = credentialsFile(stateDir)
  if (!existsSync(file)) throw new Error(`There are no keys yet for ${stateDir}; ./edgehold up makes the first one.`)
  const AccessKeyId = ownKeyOf(file)
  const opened = await openStore({ stateDir, databaseUrl, masterKey: process.env['EDGEHOLD_MASTER_KEY'], asItIs: true, log: pinoLog({ fd: 2 }, 'warn'), clock: systemClock })
  try {
    const own = await opened.store.findAccessKey(AccessKeyId)
    if (!own) throw new Error(`The database does not know the key ${AccessKeyId} of ${file}; ./edgehold up adds it.`)
    return await work(opened.store, own.accountId)
  } finally {
    await opened.close()
  }
}

function ownKeyOf(file: string): string {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as Credentials).AccessKeyId
  } catch (error) {
    throw new Error(`${file} cannot be read as the credentials that ./edgehold up writes.`, { cause: error })
  }
}
