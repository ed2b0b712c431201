import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const SETTING = '/proc/sys/net/ipv4/ip_forward'
/** There if it was off before a region of this host turned it on. In memory, as the setting itself is. */
const WAS_OFF = '/run/edgehold/ip-forward-was-off'

/** Lets this host pass packets on between the world outside and its regions. */
export async function allowForwarding(): Promise<void> {
  if ((await readFile(SETTING, 'utf8')).trim() === '1') return
  await mkdir(dirname(WAS_OFF), { recursive: true, mode: 0o711 })
  await writeFile(WAS_OFF, '')
  await writeFile(SETTING, '1')
}

/** Turns it off again if it was off before. Call it when the last region of this host goes. */
export async function restoreForwarding(): Promise<void> {
  const wasOff = await readFile(WAS_OFF).then(() => true, (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return false
    throw error
  })
  if (!wasOff) return
  await writeFile(SETTING, '0')
  await rm(WAS_OFF, { force: true })
}
