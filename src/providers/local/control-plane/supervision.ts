import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import type { ComponentSeen, ControlPlaneComponent } from '#ports/control-plane-host.ts'
import { processesOf, type CgroupHierarchies } from './cgroups.ts'
import type { ClusterPlaces } from './places.ts'

const RECENT_MS = 10 * 60_000
const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/** What a supervisor last wrote about its component. */
export interface SupervisorSaid {
  readonly supervisor: number | undefined
  readonly pid: number | undefined
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  readonly exitCode: number | undefined
}

/** Reads the `key=value` lines of a status file. */
export function parseSupervisorStatus(text: string): SupervisorSaid {
  const values = new Map(text.split('\n').map(line => line.split('=', 2) as [string, string | undefined]))
  const number = (key: string): number | undefined => {
    const value = values.get(key)
    return value ? Number(value) : undefined
  }
  return { supervisor: number('supervisor'), pid: number('pid'), startedAt: number('startedAt'), endedAt: number('endedAt'), exitCode: number('exitCode') }
}

/** What is so about one component now: files tell, but only the cgroup proves that a pid is that component. */
export interface ComponentSight {
  readonly seen: ComponentSeen
  /** A supervisor is there and will start it again if it ends. */
  readonly supervised: boolean
}

/** Reads without waiting: its few small files are in memory. */
export function lookAtComponent(places: ClusterPlaces, hierarchies: CgroupHierarchies, name: ControlPlaneComponent, now: number): ComponentSight {
  const folder = places.supervision(name)
  const text = readIfThere(places.statusFile(name))
  const members = processesOf(hierarchies, places.cgroupOf(name))
  const starts = readIfThere(`${folder}/starts`)
  const recentStarts = lines(starts).filter(at => Number(at) > now - RECENT_MS).length
  if (text === undefined) return { seen: { name, state: 'absent', recentStarts }, supervised: isSupervisor(members) }
  const said = parseSupervisorStatus(text)
  const supervised = said.supervisor !== undefined && members.includes(said.supervisor)
  const running = supervised && said.pid !== undefined && members.includes(said.pid)
  const lastExit = said.endedAt === undefined ? undefined : { at: said.endedAt, ...howItEnded(said.exitCode ?? 0), lastLines: lines(readIfThere(`${folder}/last-words`)).slice(-20) }
  return {
    supervised,
    seen: {
      name, recentStarts,
      state: running ? 'running' : 'exited',
      ...(running ? { pid: said.pid } : {}),
      ...(said.startedAt !== undefined ? { startedAt: said.startedAt } : {}),
      ...(lastExit ? { lastExit } : {}),
    },
  }
}

/** A shell gives 128 + n for a program that signal n ended. */
function howItEnded(exitCode: number): { code: number } | { signal: string } {
  const signal = exitCode > 128 ? SIGNALS.get(exitCode - 128) : undefined
  return signal === undefined ? { code: exitCode } : { signal }
}

/** A supervisor that has just been started has written nothing yet. */
function isSupervisor(members: readonly number[]): boolean {
  return members.some(pid => readIfThere(`/proc/${pid}/cmdline`)?.includes('supervisor.sh'))
}

const lines = (text: string | undefined): string[] => (text ?? '').split('\n').filter(line => line.trim() !== '')

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // ESRCH: a process that went between opening and reading.
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
