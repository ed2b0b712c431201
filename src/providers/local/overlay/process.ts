import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The overlay's program did not come up or did not end; the message carries its last words. */
export class OverlayFailed extends Error {
  readonly kind = 'OverlayFailed'
}

export interface OverlayProcessOptions {
  readonly executable: string
  /** Where its settings lie, in memory; tells our processes from all others. */
  readonly folder: string
  readonly logFile: string
  /** The device that is there once it works. */
  readonly link: string
  readonly onStarted: (pid: number) => Promise<void>
}

const START_MS = 10_000
const STOP_MS = 5_000
const LOOK_EVERY_MS = 25
const LOG_LIMIT_BYTES = 10 * 2 ** 20

/**
 * Makes sure that one process runs with this program and these settings, and answers whether it was started now. One that does is adopted, whoever started it:
 * it is known by its settings file, whose name follows from `identity`, the part that cannot change while it runs. All else it reads again by a signal.
 */
export async function ensureOverlayProcess(options: OverlayProcessOptions, settings: object, identity: unknown): Promise<'started' | 'found'> {
  const { folder, executable, logFile } = options
  await keepShort(logFile)
  const key = createHash('sha256').update(executable).update(JSON.stringify(identity)).digest('hex').slice(0, 12)
  const file = join(folder, `region-${key}.yml`)
  const text = JSON.stringify(settings, undefined, 1)
  const [adopted, ...others] = (await findOverlayProcesses(folder)).toSorted((one, other) => Number(other.settings === basename(file)) - Number(one.settings === basename(file)))
  if (adopted?.settings === basename(file) && others.length === 0) {
    if (await readFile(file, 'utf8').catch(() => '') === text) return 'found' // gone from memory: then it is written again
    await replace(file, text)
    signalProcess(adopted.pid, 'SIGHUP')
    return 'found'
  }
  await stopOverlayProcesses(folder)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await replace(file, text)
  await start(options, file)
  return 'started'
}

/** Every packet of a stranger may be a line of it, and the process runs for months. It holds the file open for appending, so that it is emptied and not replaced. */
async function keepShort(logFile: string): Promise<void> {
  const size = await stat(logFile).then(found => found.size, () => 0) // nothing was said so far
  if (size <= LOG_LIMIT_BYTES) return
  await copyFile(logFile, `${logFile}.1`)
  await truncate(logFile)
}

async function start({ executable, link, logFile, onStarted }: OverlayProcessOptions, file: string): Promise<void> {
  await mkdir(dirname(logFile), { recursive: true })
  await using output = await open(logFile, 'a')
  const from = (await output.stat()).size
  const child = spawn(executable, ['-config', file], { cwd: '/', detached: true, stdio: ['ignore', output.fd, output.fd], env: {} })
  let ended: string | undefined
  child.once('error', error => (ended = `cannot be run: ${error.message}`))
  child.once('exit', (code, killedBy) => (ended = `ended at once with ${killedBy ?? `code ${code}`}`))
  child.unref()
  if (child.pid !== undefined) await onStarted(child.pid)
  const deadline = performance.now() + START_MS
  while (ended === undefined && performance.now() < deadline) {
    if ((await readdir('/sys/class/net')).includes(link)) return
    await sleep(LOOK_EVERY_MS)
  }
  const words = (await readFile(logFile)).subarray(from).toString('utf8').trimEnd().split('\n').slice(-3).join('\n')
  if (ended === undefined) await stopOverlayProcesses(dirname(file))
  throw new OverlayFailed(`nebula ${ended ?? `made no device within ${START_MS / 1000} s`}. Its last words: ${words || '(none)'}`)
}

/** Stops every process of this folder; answers when none runs any more. */
export async function stopOverlayProcesses(folder: string): Promise<void> {
  const killAt = performance.now() + STOP_MS
  for (let first = true; ; first = false) {
    const running = await findOverlayProcesses(folder)
    const isLate = performance.now() > killAt
    if (running.length === 0) break
    if (performance.now() > killAt + STOP_MS) throw new OverlayFailed(`The overlay's process ${running[0]?.pid} does not end, not even by SIGKILL.`)
    if (first || isLate) for (const { pid } of running) signalProcess(pid, isLate ? 'SIGKILL' : 'SIGTERM')
    await sleep(LOOK_EVERY_MS)
  }
  const files = await readdir(folder).catch(() => []) // never made
  await Promise.all(files.filter(name => name.startsWith('region-')).map(name => rm(join(folder, name), { force: true })))
}

/** Our processes, by their command line `nebula -config <folder>/region-<key>.yml`. */
export async function findOverlayProcesses(folder: string): Promise<readonly { pid: number; settings: string }[]> {
  const pids = (await readdir('/proc')).filter(name => /^[0-9]+$/.test(name))
  const found = await Promise.all(pids.map(async pid => ({ pid: Number(pid), settings: await settingsOf(Number(pid), folder) })))
  return found.flatMap(({ pid, settings }) => settings === undefined ? [] : [{ pid, settings }])
}

/** The settings file of a process of ours; undefined for all others and for those that ended. */
async function settingsOf(pid: number, folder: string): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') // it has ended meanwhile
  const [, option, file = ''] = text.split('\0')
  return option === '-config' && dirname(file) === folder ? basename(file) : undefined
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.part`, text, { mode: 0o600 })
  await rename(`${file}.part`, file)
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
