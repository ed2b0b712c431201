import { spawn } from 'node:child_process'
import { setPriority } from 'node:os'

/** A child process that did not end with exit code 0; `lastLines` is the end of what it said. */
export class ChildFailed extends Error {
  readonly kind = 'ChildFailed'
  readonly lastLines: string

  constructor(message: string, lastLines: string) {
    super(lastLines === '' ? message : `${message}: ${lastLines}`)
    this.lastLines = lastLines
  }
}

export interface ChildOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  /** Nice value; builds run at 10, so that the server beside them stays quick. */
  readonly nice?: number
  /** Told the process id, which is also that of its process group, as soon as it runs. */
  readonly onStart?: (pid: number) => Promise<void>
}

const KEPT_CHARACTERS = 8_192
const LAST_LINES = 6

/**
 * Runs a program in a process group of its own and answers with its standard output (its last 8 KiB). Throws ChildFailed when it cannot be
 * started or ends with anything but 0. On abort the whole group is killed, so that no compiler goes on alone.
 */
export async function runChild(command: string, args: readonly string[], options: ChildOptions): Promise<string> {
  options.signal.throwIfAborted()
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-KEPT_CHARACTERS)
    said = (said + text).slice(-KEPT_CHARACTERS)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-KEPT_CHARACTERS)))
  const ended = new Promise<{ code: number | null; killedBy: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', (cause) => reject(new ChildFailed(`${command} cannot be run`, cause.message)))
    child.once('close', (code, killedBy) => resolve({ code, killedBy }))
  })
  const killGroup = () => {
    if (child.pid !== undefined) killProcessGroup(child.pid)
  }
  options.signal.addEventListener('abort', killGroup, { once: true })
  try {
    if (child.pid !== undefined) {
      if (options.nice !== undefined) setPriority(child.pid, options.nice)
      await options.onStart?.(child.pid)
    }
    const { code, killedBy } = await ended
    options.signal.throwIfAborted()
    if (code !== 0) {
      const how = killedBy === null ? `ended with code ${code}` : `was killed by ${killedBy}`
      throw new ChildFailed(`${[command, ...args.slice(0, 2)].join(' ')} ${how}`, lastLines(said))
    }
    return output
  } finally {
    options.signal.removeEventListener('abort', killGroup)
  }
}

/** Kills every process of a group; one that has already ended is fine. */
export function killProcessGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-LAST_LINES).join('\n').slice(-1_000)
}
