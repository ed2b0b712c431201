import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { EdgeholdClient } from '#client/client.ts'
import { CommandFailed } from './errors.ts'
import type { Common } from './flags.ts'

interface Saved { readonly AccessKeyId?: string; readonly SecretAccessKey?: string; readonly Endpoint?: string; readonly Region?: string }

export function stateFolder(flags: Pick<Common, 'state'>): string {
  return flags.state ?? (process.getuid?.() === 0 ? '/var/lib/edgehold' : join(homedir(), '.local/share/edgehold'))
}

/** A client for these flags: flags win over VOLCENGINE_… variables, they over `<state>/credentials.json`. Throws CommandFailed where no keys are found. */
export function connect(flags: Common): EdgeholdClient {
  const environment = process.env
  const fromEnvironment = {
    accessKeyId: environment['VOLCENGINE_ACCESS_KEY'], secretAccessKey: environment['VOLCENGINE_SECRET_KEY'],
    endpoint: environment['VOLCENGINE_ENDPOINT'], region: environment['VOLCENGINE_REGION'],
  }
  const isWhole = Object.values(fromEnvironment).every(Boolean)
  const saved = isWhole ? {} : readSaved(flags)
  const accessKeyId = fromEnvironment.accessKeyId || saved.AccessKeyId
  const secretAccessKey = fromEnvironment.secretAccessKey || saved.SecretAccessKey
  const endpoint = flags.endpoint || fromEnvironment.endpoint || saved.Endpoint
  const region = flags.region || fromEnvironment.region || saved.Region
  if (!accessKeyId || !secretAccessKey || !endpoint || !region) {
    throw new CommandFailed(`No access key, endpoint or region is known: ${credentialsFile(flags)} is not there or has not all of them.\nStart a server with "edgehold up --detach" (the same --state), or set VOLCENGINE_ACCESS_KEY, VOLCENGINE_SECRET_KEY, VOLCENGINE_ENDPOINT and VOLCENGINE_REGION.`)
  }
  return new EdgeholdClient({ endpoint, accessKeyId, secretAccessKey, region, ...environment['VOLCENGINE_SESSION_TOKEN'] && { sessionToken: environment['VOLCENGINE_SESSION_TOKEN'] } })
}

function credentialsFile(flags: Pick<Common, 'state'>): string {
  return join(stateFolder(flags), 'credentials.json')
}

function readSaved(flags: Pick<Common, 'state'>): Saved {
  const path = credentialsFile(flags)
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Saved
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return {}
    if (code === 'EACCES') throw new CommandFailed(`${path} may not be read by this user: run the command as the user who started the server, e.g. with sudo.`)
    throw new CommandFailed(`${path} could not be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
