import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Every kubelet, containerd and flanneld on this host takes a few instances; the kernel's default of 128 is used up by a handful of machines. */
const WANTED = { max_user_instances: 8192, max_user_watches: 1_048_576 } as const
type Limit = keyof typeof WANTED

const path = (limit: Limit): string => `/proc/sys/fs/inotify/${limit}`
/** What the limits were before any region of this host raised them. In memory, as the limits themselves are. */
const BEFORE = '/run/edgehold/inotify-before.json'

/** Raises the host's inotify limits where they are lower, and remembers what they were. */
export async function raiseInotifyLimits(): Promise<void> {
  const before: Partial<Record<Limit, number>> = {}
  for (const limit of Object.keys(WANTED) as Limit[]) {
    const now = Number(await readFile(path(limit), 'utf8'))
    if (now >= WANTED[limit]) continue
    before[limit] = now
    await writeFile(path(limit), String(WANTED[limit]))
  }
  if (Object.keys(before).length === 0) return
  await mkdir(dirname(BEFORE), { recursive: true, mode: 0o711 })
  // The first one to raise them knows the truth: never overwritten.
  await writeFile(BEFORE, JSON.stringify(before), { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** Sets the limits back to what they were. Call it when the last region of this host goes. */
export async function restoreInotifyLimits(): Promise<void> {
  const text = await readFile(BEFORE, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return
  const before = JSON.parse(text) as Partial<Record<Limit, number>>
  for (const [limit, value] of Object.entries(before)) await writeFile(path(limit as Limit), String(value))
  await rm(BEFORE, { force: true })
}
