import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Takes the lock of a file, against other processes and against other calls of this one. The kernel drops it when this process dies, because
 * the small program that holds it ends with our end of its pipe. Throws after the deadline.
 */
export async function takeLock(file: string, deadlineMs = 60_000): Promise<AsyncDisposable> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const child = spawn('flock', ['--no-fork', '--timeout', String(Math.ceil(deadlineMs / 1000)), file, 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = once(child, 'close')
  // It comes back once the lock is taken.
  child.stdin.on('error', () => {}) // the lock was not taken; that it ended says so
  child.stdin.write('\n')
  const taken = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)])
  if (!taken) throw new Error(`The lock ${file} was not free within ${Math.ceil(deadlineMs / 1000)} s`)
  return {
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}
