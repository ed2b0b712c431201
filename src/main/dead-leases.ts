import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '#ports/log.ts'
import type { Queue } from '#ports/queue.ts'
import type { Configuration } from './configuration.ts'
import { localHostName } from './local/host.ts'
import { startTicks } from './server-mark.ts'

type StateFolder = Pick<Configuration, 'stateDir'>
interface Holder { readonly pid: number; readonly startTicks: string }

/** Of the worker of the local region, and of those who hold the watches of simulated regions. */
const HOLDERS = ['', '/simulated'] as const
const TTL_MS = 3_500

/** The name of a lease of this process: no other process has it, on this host or another one. */
export function leaseName(configuration: StateFolder, of: typeof HOLDERS[number]): string {
  return nameOf(configuration, { pid: process.pid, startTicks: startTicks(process.pid) ?? '' }, of)
}

/**
 * Gives back what a server of this state folder held that died without doing so: its next server knows that it is dead, and need not wait until its leases lapse.
 * Who it was is remembered in the state folder.
 */
export async function freeLeasesOfDead(configuration: StateFolder, queue: Pick<Queue, 'register'>, log: Log): Promise<void> {
  const file = join(configuration.stateDir, 'lease-holder.json')
  try {
    const before = holderIn(file)
    // Registering a name anew makes all that was held under it nobody's.
    if (before && startTicks(before.pid) !== before.startTicks) for (const of of HOLDERS) await (await queue.register({ name: nameOf(configuration, before, of), hosts: [], ttlMs: TTL_MS })).release()
    writeFileSync(file, JSON.stringify({ pid: process.pid, startTicks: startTicks(process.pid) ?? '' } satisfies Holder))
  } catch (error) {
    log.warn({ error }, 'Freeing what a dead server held did not succeed; it lapses by itself')
  }
}

function nameOf(configuration: StateFolder, { pid, startTicks: ticks }: Holder, of: string): string {
  return `${localHostName(configuration)}/${pid}/${ticks}${of}`
}

function holderIn(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder
  } catch {
    return undefined // no server was here before, or its disk was full: its leases lapse by themselves
  }
}
