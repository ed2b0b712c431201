import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * One writer a box, across processes. The lock is held by a small `flock` process whose life hangs on our pipe to it, so it is free again
 * when we end in any way. Within this process callers queue up.
 */
export class BoxLocks {
  readonly #queues = new Map<string, Promise<unknown>>()

  async hold<T>(path: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(path) ?? Promise.resolve()
    const mine = before.then(() => holdFileLock(path, work))
    const quiet = mine.catch(() => {}) // the caller gets the error; the queue only needs the end
    this.#queues.set(path, quiet)
    try {
      return await mine
    } finally {
      if (this.#queues.get(path) === quiet) this.#queues.delete(path)
    }
  }
}

async function holdFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const holder = spawn('flock', ['--exclusive', '--timeout', '120', path, 'sh', '-c', 'echo held; cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(holder, 'close')
  holder.stdin.on('error', () => {}) // it was killed; the lock is gone either way
  const held = await Promise.race([once(holder.stdout, 'data').then(() => true), ended.then(() => false)])
  if (!held) throw new Error(`The lock ${path} is held by another process for more than 2 minutes`)
  try {
    return await work()
  } finally {
    holder.stdin.end()
    await ended
  }
}
