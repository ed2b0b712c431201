import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Who serves a state folder: written by the server, read by `up`, `down` and whoever looks for it. A pid is trusted only with its start time. */
export interface ServerMark {
  readonly pid: number
  /** Field 22 of /proc/PID/stat, which no later process with that pid shares. */
  readonly startTicks: string
  readonly endpoint: string
  readonly startedAt: number
}

function markFile(stateDir: string): string {
  return join(stateDir, 'server.json')
}

/** The live server of this state folder, if there is one. */
export function findServer(stateDir: string): ServerMark | undefined {
  let mark: ServerMark
  try {
    mark = JSON.parse(readFileSync(markFile(stateDir), 'utf8')) as ServerMark
  } catch {
    return undefined // no file, or one that a crash left half written: nobody serves
  }
  return startTicks(mark.pid) === mark.startTicks ? mark : undefined
}

/** Takes the state folder for this process; answers the one that already has it instead. */
export function takeServerMark(stateDir: string, endpoint: string): ServerMark | undefined {
  mkdirSync(stateDir, { recursive: true })
  const mark: ServerMark = { pid: process.pid, startTicks: startTicks(process.pid) ?? '', endpoint, startedAt: Date.now() }
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(markFile(stateDir), JSON.stringify(mark), { flag: 'wx', mode: 0o644 })
      return undefined
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
      const other = findServer(stateDir)
      if (other) return other
      rmSync(markFile(stateDir), { force: true })
    }
  }
  return findServer(stateDir)
}

export function dropServerMark(stateDir: string): void {
  if (findServer(stateDir)?.pid === process.pid) rmSync(markFile(stateDir), { force: true })
}

export function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined // no such process
  }
}
