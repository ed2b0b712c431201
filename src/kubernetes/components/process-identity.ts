import { readFileSync } from 'node:fs'

/** A process that cannot be mistaken for a later one with the same number: its start time goes with it. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since boot, from /proc; empty where there is no /proc. */
  readonly startedAt: string
}

/** Answers who a process number belongs to now, or undefined when nothing runs under it (a zombie runs no more). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const bearer = findBearer(pid)
  return bearer === undefined || bearer.isZombie ? undefined : { pid, startedAt: bearer.startedAt }
}

/** Says whether that very process still runs. */
export function stillRuns(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startedAt === identity.startedAt
}

/** Says whether another process bears the number now. A group may outlive its leader, and until then nobody else gets the leader's number. */
export function isReplaced(identity: ProcessIdentity): boolean {
  const bearer = findBearer(identity.pid)
  return bearer !== undefined && bearer.startedAt !== identity.startedAt
}

function findBearer(pid: number): { startedAt: string; isZombie: boolean } | undefined {
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
    return { startedAt: fields[19] ?? '', isZombie: fields[0] === 'Z' }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ESRCH') throw error
    return process.platform === 'linux' ? undefined : { startedAt: '', isZombie: false }
  }
}
