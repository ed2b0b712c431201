/** What tests make outside of their process goes at their end; this takes it away where that end does not come: a test run is killed at its limit, or ends in the midst of making things. */
import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { join } from 'node:path'

export interface Farewell {
  /** It is taken away already. */
  dismiss(): void
}

/**
 * Has a line of sh run when this process has ended, whatever ended it. Its shell is in a session of its own, so that who kills the test with all it started does not kill it, too. What the line names is
 * told by the environment alone: what a test left is counted by the command lines of processes.
 */
export function whenEnded(line: string, environment: NodeJS.ProcessEnv): Farewell {
  // The kernel closes our end of the pipe when this process is gone.
  const child = spawn('sh', ['-c', `read -r word; [ "$word" = dismissed ] || { ${line}; }`], { env: environment, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  child.on('error', error => { process.stderr.write(`What this test makes outside of its process is not watched over: ${error.message}\n`) })
  child.stdin.on('error', () => undefined) // somebody ended it
  child.unref()
  const pipe = child.stdin as Socket
  pipe.unref()
  return { dismiss: () => { pipe.end('dismissed\n') } }
}

const COMMAND = join(import.meta.dirname, '../../edgehold')

/** The same for an installation: down with all that is left of it on the host, and its folders gone. `as`: words before the command, for another user's. */
export function downWhenEnded(environment: NodeJS.ProcessEnv, folders: readonly string[], as = ''): Farewell {
  const named = Object.fromEntries(folders.map((folder, index) => [`EDGEHOLD_TEST_FOLDER_${index}`, folder]))
  const remove = Object.keys(named).map(name => `"$${name}"`).join(' ')
  // What was being started when the process was killed may come up while the rest goes down.
  return whenEnded(`for round in 1 2 3; do if ${as} "$EDGEHOLD_TEST_COMMAND" down --all; then rm -rf -- ${remove}; exit; fi; done`, { ...environment, ...named, EDGEHOLD_TEST_COMMAND: COMMAND })
}
