import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * What every kubelet sets when it starts. These hold for the whole kernel, so the kubelet of a box sets them for the host too: `panic`, for one, makes the
 * host restart by itself after a crash of its kernel.
 */
const OF_KUBELETS = ['vm/overcommit_memory', 'vm/panic_on_oom', 'kernel/panic', 'kernel/panic_on_oops', 'kernel/keys/root_maxkeys', 'kernel/keys/root_maxbytes'] as const

export interface KernelSettingsPlaces {
  /** `/proc/sys`. */
  readonly settings: string
  /** What they were before any region of this host; in memory, as the settings themselves are. */
  readonly before: string
}

const PLACES: KernelSettingsPlaces = { settings: '/proc/sys', before: '/run/edgehold/kernel-settings-before.json' }

/** Remembers the host's own values before the first box can change them. The first region to do so knows the truth: never overwritten. */
export async function rememberKernelSettings({ settings, before }: KernelSettingsPlaces = PLACES): Promise<void> {
  const values: Record<string, string> = {}
  for (const name of OF_KUBELETS) {
    const value = await readIfThere(join(settings, name))
    if (value !== undefined) values[name] = value.trim()
  }
  await mkdir(dirname(before), { recursive: true, mode: 0o711 })
  await writeFile(before, JSON.stringify(values), { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** Sets them back. Call it when the last region of this host has gone, and its boxes with it. */
export async function restoreKernelSettings({ settings, before }: KernelSettingsPlaces = PLACES): Promise<void> {
  const text = await readIfThere(before)
  if (text === undefined) return
  for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, string>)) {
    if ((await readIfThere(join(settings, name)))?.trim() !== value) await writeFile(join(settings, name), value)
  }
  await rm(before, { force: true })
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}
