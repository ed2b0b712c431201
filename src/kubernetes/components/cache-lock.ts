import { link, mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { killProcessGroup } from './child.ts'
import { identifyProcess, isReplaced, stillRuns, type ProcessIdentity } from './process-identity.ts'

interface LockContent {
  readonly owner: ProcessIdentity
  /** Tells two holders within one process apart. */
  readonly nonce: string
  /** The build that the owner started; it outlives an owner that is killed. */
  readonly child?: ProcessIdentity
}

const LOOK_EVERY_MS = 300
/** The guard of a takeover is held for a few file operations; after this long its holder has died in between. */
const GUARD_STALE_MS = 10_000

/** A held lock: a file with its owner's process number in it. */
export interface CacheLock {
  /** Remembers the build that runs under the lock, so that whoever takes over from a dead owner can end it. */
  setChild(pid: number): Promise<void>
  release(): Promise<void>
}

/**
 * Takes the lock at `path`, waiting while a living process holds it (`onWait` is told its number once). A dead owner's lock is taken over and the
 * build that it left behind is killed. The lock saves work, nothing depends on it: results are moved into place whole.
 */
export async function takeCacheLock(path: string, signal: AbortSignal, onWait: (ownerPid: number) => void): Promise<CacheLock> {
  await mkdir(dirname(path), { recursive: true })
  const owner = identifyProcess(process.pid) ?? { pid: process.pid, startedAt: '' }
  const nonce = crypto.randomUUID()
  const draft = `${path}.${nonce}`
  const write = async (content: LockContent) => writeFile(draft, JSON.stringify(content))
  let told = false
  await write({ owner, nonce })
  try {
    // link() makes the file appear with its content or not at all
    while (!(await linked(draft, path))) {
      signal.throwIfAborted()
      const held = await readLock(path)
      if (held && !stillRuns(held.owner)) {
        await takeAway(path)
        continue
      }
      if (held && !told) onWait(held.owner.pid)
      told ||= held !== undefined
      await sleep(LOOK_EVERY_MS, undefined, { signal })
    }
  } finally {
    await rm(draft, { force: true })
  }
  return {
    async setChild(pid) {
      const child = identifyProcess(pid)
      await write(child ? { owner, nonce, child } : { owner, nonce })
      await rename(draft, path)
    },
    async release() {
      if ((await readLock(path))?.nonce === nonce) await rm(path, { force: true })
    },
  }
}

/** Removes a dead owner's lock. Behind a guard, so that of two who saw the dead one none removes the other's new lock. */
async function takeAway(path: string): Promise<void> {
  const guard = `${path}.takeover`
  try {
    await mkdir(guard)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const made = await stat(guard).catch(() => undefined) // gone meanwhile: look again
    if (made && Date.now() - made.mtimeMs > GUARD_STALE_MS) await rm(guard, { recursive: true, force: true })
    await sleep(20)
    return
  }
  try {
    const held = await readLock(path)
    if (!held || stillRuns(held.owner)) return
    if (held.child && !isReplaced(held.child)) killProcessGroup(held.child.pid)
    await rm(path, { force: true })
  } finally {
    await rmdir(guard)
  }
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function readLock(path: string): Promise<LockContent | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as LockContent
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
