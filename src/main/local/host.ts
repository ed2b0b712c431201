import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Configuration } from '../configuration.ts'

/** Names this host for local regions: the state folder together with the machine. Work of a local region is claimed only where this is the same. */
export function localHostName(configuration: Pick<Configuration, 'stateDir'>): string {
  return createHash('sha256').update(`${machineId()}\n${configuration.stateDir}`).digest('hex').slice(0, 24)
}

function machineId(): string {
  for (const file of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      return readFileSync(file, 'utf8').trim()
    } catch {
      continue // not on this distribution
    }
  }
  return readFileSync('/proc/sys/kernel/hostname', 'utf8').trim()
}

/** Why this host cannot carry a local region, as a sentence; undefined where it can. */
export function whyNoLocalRegion(): string | undefined {
  if (process.platform !== 'linux') return 'real control planes and machines need Linux'
  if (process.getuid?.() !== 0) return 'real control planes and machines need root, for network namespaces and mounts'
  return undefined
}
