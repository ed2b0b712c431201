import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { readOrMakeSecretFile } from '../postgres/state-folder.ts'

const KEY_BYTES = 32

/** The key that seals every secret in the database: `EDGEHOLD_MASTER_KEY` (base64 of 32 bytes) if given, else a file of mode 0600 that is made once. */
export async function loadMasterKey(stateDir: string, given: string | undefined): Promise<KeyObject> {
  const text = given ?? (await readOrMakeMasterKeyFile(stateDir))
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== KEY_BYTES) throw new Error(`The master key must be the base64 form of ${KEY_BYTES} bytes; make one with: openssl rand -base64 ${KEY_BYTES}`)
  return createSecretKey(bytes)
}

async function readOrMakeMasterKeyFile(stateDir: string): Promise<string> {
  const folder = join(stateDir, 'secrets')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  return readOrMakeSecretFile(join(folder, 'master.key'), () => randomBytes(KEY_BYTES).toString('base64'))
}
