import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A registry process that did not come up or did not end; the message carries its last words. */
export class RegistryFailed extends Error {
  readonly kind = 'RegistryFailed'
}

export interface RegistryProcessOptions {
  readonly executable: string
  /** Configuration of the distribution registry, as YAML (JSON is YAML). */
  readonly config: object
  /** Where its configuration and log lie; with `role` it tells our processes from all others. */
  readonly folder: string
  readonly role: 'reader' | 'writer'
  /** Answers whether it serves; asked until it does. */
  readonly serves: (signal: AbortSignal) => Promise<boolean>
  readonly onStarted?: (pid: number) => Promise<void>
}

const START_MS = 10_000
const STOP_MS = 5_000
/** One question; whoever else has the port may accept it and never answer. */
const ASK_MS = 1_000
const LOOK_EVERY_MS = 25
const LOG_LIMIT_BYTES = 10 * 2 ** 20

/**
 * Makes sure that one registry process runs with exactly this program and configuration. One that does is adopted, whoever started it: a process
 * is known by the configuration file it was started with, whose name holds role and content. Any other of the same role is stopped first.
 */
export async function ensureRegistryProcess(options: RegistryProcessOptions, signal: AbortSignal): Promise<void> {
  const { folder, role, executable } = options
  const text = JSON.stringify(options.config, undefined, 2)
  const identity = createHash('sha256').update(executable).update(text).digest('hex').slice(0, 12)
  const config = join(folder, `${role}-${identity}.yml`)
  const running = await findRegistryProcesses(folder, role)
  const adopted = running.find((one) => one.config === basename(config))
  if (adopted && (await servesWithin(options, START_MS, signal, () => true))) return
  await stopRegistryProcesses(folder, role)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(config, text)
  await start(options, config, signal)
}

async function start(options: RegistryProcessOptions, config: string, signal: AbortSignal): Promise<void> {
  const log = join(options.folder, 'log')
  const size = await stat(log).then((file) => file.size, () => 0) // no log yet
  if (size > LOG_LIMIT_BYTES) await rename(log, `${log}.1`)
  await using output = await open(log, 'a')
  const from = (await output.stat()).size
  // OTEL: it would send traces to localhost otherwise.
  const env = { PATH: process.env['PATH'], OTEL_TRACES_EXPORTER: 'none' }
  const child = spawn(options.executable, ['serve', config], { cwd: options.folder, detached: true, stdio: ['ignore', output.fd, output.fd], env })
  let ended: string | undefined
  child.once('error', (error) => (ended = `cannot be run: ${error.message}`))
  child.once('exit', (code, killedBy) => (ended = `ended at once with ${killedBy ?? `code ${code}`}`))
  child.unref()
  if (child.pid !== undefined) await options.onStarted?.(child.pid)
  if (await servesWithin(options, START_MS, signal, () => ended === undefined)) return
  const words = (await readFile(log)).subarray(from).toString('utf8').trimEnd().split('\n').slice(-4).join('\n')
  if (ended === undefined) await stopRegistryProcesses(options.folder, options.role)
  throw new RegistryFailed(`The registry ${ended ?? `does not answer after ${START_MS / 1000} s`}. Its last words: ${words || '(none)'}`)
}

async function servesWithin({ serves }: RegistryProcessOptions, ms: number, signal: AbortSignal, isAlive: () => boolean): Promise<boolean> {
  const deadline = Date.now() + ms
  while (isAlive() && Date.now() < deadline) {
    if (await serves(AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)]))) return isAlive()
    signal.throwIfAborted()
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
  return false
}

/** Stops every registry of this folder (and role); answers when none runs any more. */
export async function stopRegistryProcesses(folder: string, role?: 'reader' | 'writer'): Promise<void> {
  const killAt = Date.now() + STOP_MS
  for (let first = true; ; first = false) {
    const running = await findRegistryProcesses(folder, role)
    const isLate = Date.now() > killAt
    if (running.length === 0) break
    if (Date.now() > killAt + STOP_MS) throw new RegistryFailed(`The registry process ${running[0]?.pid} does not end, not even by SIGKILL.`)
    if (first || isLate) for (const { pid } of running) signalProcess(pid, isLate ? 'SIGKILL' : 'SIGTERM')
    await sleep(LOOK_EVERY_MS)
  }
  const files = await readdir(folder).catch(() => []) // never made
  const stale = files.filter((file) => file.endsWith('.yml') && (role === undefined || file.startsWith(`${role}-`)))
  await Promise.all(stale.map((file) => rm(join(folder, file), { force: true })))
}

/** Our processes, by their command line `registry serve <folder>/<role>-<hash>.yml`. */
export async function findRegistryProcesses(folder: string, role?: 'reader' | 'writer'): Promise<readonly { pid: number; config: string }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name))
  const found = await Promise.all(pids.map(async (pid) => {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') // it has ended meanwhile
    const [, verb, config = ''] = text.split('\0')
    const isOurs = verb === 'serve' && dirname(config) === folder && basename(config).startsWith(role === undefined ? '' : `${role}-`)
    return isOurs ? [{ pid: Number(pid), config: basename(config) }] : []
  }))
  return found.flat()
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
