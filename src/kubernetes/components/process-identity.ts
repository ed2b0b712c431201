import { readFileSync } from 'node:fs'

/** A process that cannot be mistaken for a later one with the same number: its start time goes with it. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since boot, from /proc; empty where there is no /proc. */
  readonly startedAt: string
}

/** Answers who a process number belongs to now, or undefined when nothing runs under it (a zombie runs no more). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined
    // EPERM: it runs, as another user
  }
  try {
    // Fields are counted after the last ')', because the program's name, in parentheses, may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : { pid, startedAt: fields[19] ?? '' }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return process.platform === 'linux' ? undefined : { pid, startedAt: '' }
  }
}

/** Says whether that very process still runs. */
export function stillRuns(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startedAt === identity.startedAt
}
