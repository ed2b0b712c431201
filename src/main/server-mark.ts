import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Who serves a state folder: written by the server, read by `up`, `down` and whoever looks for it. A pid is trusted only with its start time. */
export interface ServerMark {
  readonly pid: number
  /** Field 22 of /proc/PID/stat, which no later process with that pid shares. */
  readonly startTicks: string
  readonly endpoint: string
  readonly startedAt: number
  /** Set once its API answers; another server at the same address cannot be taken for it. */
  readonly answers?: true
}

function markFile(stateDir: string): string {
  return join(stateDir, 'server.json')
}

/** The live server of this state folder, if there is one. */
export function findServer(stateDir: string): ServerMark | undefined {
  return liveMark(markFile(stateDir))
}

/** The mark in a file if the process that wrote it lives. */
function liveMark(file: string): ServerMark | undefined {
  let mark: ServerMark
  try {
    mark = JSON.parse(readFileSync(file, 'utf8')) as ServerMark
  } catch {
    return undefined // no file, or one that a crash left half written: nobody serves
  }
  return startTicks(mark.pid) === mark.startTicks ? mark : undefined
}

/** Others hold the guard for a few file operations only. */
const ATTEMPTS = 200
const PAUSE_MS = 10

/** Takes the state folder for this process; answers the one that already has it instead. Of several that try at once exactly one gets it. */
export function takeServerMark(stateDir: string, endpoint: string): ServerMark | undefined {
  mkdirSync(stateDir, { recursive: true })
  const file = markFile(stateDir)
  const mark: ServerMark = { pid: process.pid, startTicks: startTicks(process.pid) ?? '', endpoint, startedAt: Date.now() }
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, JSON.stringify(mark), { mode: 0o644 })
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // A link makes the file appear whole or not at all.
      if (linked(draft, file)) return undefined
      const other = liveMark(file)
      if (other) return other
      if (replaceDead(draft, file)) return undefined
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
    }
    throw new Error(`The state folder ${stateDir} could not be taken: ${file} names no live process and could not be replaced. Remove it and its .takeover, and start again.`)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Puts our mark over a dead one. Behind a guard, so that nobody who saw the dead one removes the mark of who was quicker. Answers whether it was done. */
function replaceDead(draft: string, file: string): boolean {
  const guard = `${file}.takeover`
  if (!linked(draft, guard)) {
    if (!liveMark(guard)) rmSync(guard, { force: true }) // its holder died in between
    return false
  }
  try {
    if (liveMark(file)) return false
    renameSync(draft, file)
    return true
  } finally {
    rmSync(guard, { force: true })
  }
}

function linked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

/** Says in the mark of this process that its API answers. */
export function markAnswering(stateDir: string): void {
  const mark = findServer(stateDir)
  if (mark?.pid !== process.pid) return
  const draft = `${markFile(stateDir)}.${process.pid}`
  writeFileSync(draft, JSON.stringify({ ...mark, answers: true } satisfies ServerMark), { mode: 0o644 })
  renameSync(draft, markFile(stateDir))
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
