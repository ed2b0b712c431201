import { spawn } from 'node:child_process'
import { cgroupFolders, isUnified } from './cgroups.ts'
import type { BoxNames } from './names.ts'
import type { BoxHost } from './power.ts'
import type { BoxRun } from './state.ts'

const OUTPUT_LIMIT = 256 * 1024

// A process sent into a box stays in the caller's cgroups unless it moves itself first.
const ENTER = `for folder in $CGROUPS; do echo 0 > "$folder/cgroup.procs"; done
exec nsenter --target "$BOX_PID" --all -- env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"`

/** Runs a command inside a box that is on, in its namespaces and its cgroups, as its root. Aborting kills it. */
export function execInBox(
  names: BoxNames,
  host: BoxHost,
  run: BoxRun,
  command: readonly string[],
  options: { stdin?: string; signal: AbortSignal; onOutput?: (chunk: string) => void },
): Promise<{ exitCode: number; output: string }> {
  options.signal.throwIfAborted()
  // On v2 processes live in leaves only.
  const cgroup = isUnified(host.hierarchies) ? `${names.cgroup}/init` : names.cgroup
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', ENTER, 'exec-in-box', ...command], {
      detached: true, // a process group of its own, so that the whole command can be ended
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', BOX_PID: String(run.pid), CGROUPS: cgroupFolders(host.hierarchies, cgroup).join(' ') },
    })
    let output = ''
    const take = (chunk: string): void => {
      output = (output + chunk).slice(-OUTPUT_LIMIT)
      options.onOutput?.(chunk)
    }
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', take)
    }
    const stop = (): void => {
      if (child.pid) {
        try {
          process.kill(-child.pid, 'SIGKILL')
        } catch {
          // The group ended by itself.
        }
      }
      // What the command left in the background may hold the pipes open for ever.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    options.signal.addEventListener('abort', stop, { once: true })
    child.stdin.on('error', () => {}) // the command ended without reading all of it
    child.stdin.end(options.stdin ?? '')
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      // Output that is still in the pipes comes first; a background process that keeps them open is not waited for.
      const finish = (): void => {
        options.signal.removeEventListener('abort', stop)
        if (options.signal.aborted) reject(options.signal.reason as Error)
        else resolve({ exitCode: code ?? (signal === 'SIGKILL' ? 137 : 143), output })
      }
      const closed = new Promise((done) => child.once('close', done))
      void Promise.race([closed, host.clock.sleep(100)]).then(finish)
    })
  })
}
