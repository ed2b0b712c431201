import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs a program of ours whose standard output nobody reads from its beginning. */
export async function unheard(words: readonly string[], env: NodeJS.ProcessEnv): Promise<{ readonly code: number; readonly errors: string }> {
  // It begins when its output has certainly been closed.
  const child = spawn('sh', ['-c', 'read -r _; exec "$0" --disable-warning=ExperimentalWarning "$@"', process.execPath, ...words], { env })
  const ended = once(child, 'close') as Promise<[number | null]>
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => { errors += chunk.toString() })
  child.stdout.destroy()
  await once(child.stdout, 'close')
  child.stdin.end('\n')
  return { code: (await ended)[0] ?? -1, errors }
}
