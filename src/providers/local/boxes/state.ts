import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode } from './cgroups.ts'
import type { BoxNames } from './names.ts'

/** What was ordered of a box, written under its lock before anything of it is made. */
export interface BoxOrder {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly link: 'up' | 'cut'
  readonly createdAt: number
  readonly nodePoolId?: string
}

/** The first process of a box that is on. */
export interface BoxRun {
  readonly pid: number
  readonly startTime: string
  readonly onSince: number
}

export async function readOrder(names: BoxNames): Promise<BoxOrder | undefined> {
  const text = await readOptional(`${names.state}.json`)
  return text === undefined ? undefined : (JSON.parse(text) as BoxOrder)
}

export async function writeOrder(names: BoxNames, order: BoxOrder): Promise<void> {
  await writeWhole(`${names.state}.json`, JSON.stringify(order))
}

/** The run that the boot script wrote down, only while that very process lives (pid, start time and the host's boot are its identity). */
export async function livingRun(names: BoxNames): Promise<BoxRun | undefined> {
  const [pid, startTime, bootId, onSince] = ((await readOptional(`${names.state}.run`)) ?? '').trim().split(' ')
  if (!pid || !startTime || bootId !== hostBootId()) return undefined
  const seen = processStartTime(Number(pid))
  return seen === startTime ? { pid: Number(pid), startTime, onSince: Number(onSince) } : undefined
}

/** When the last run began and ended; `undefined` if no end is written down. */
export async function lastEnd(names: BoxNames): Promise<{ onSince: number; endedAt: number } | undefined> {
  const [onSince, endedAt] = ((await readOptional(`${names.state}.end`)) ?? '').trim().split(' ')
  return endedAt ? { onSince: Number(onSince), endedAt: Number(endedAt) } : undefined
}

/** For an end that nobody was there to write down (the host went down, or the waiter was killed too): it is noticed now. */
export async function writeNoticedEnd(names: BoxNames, now: number): Promise<void> {
  const [, , , onSince] = ((await readOptional(`${names.state}.run`)) ?? '').trim().split(' ')
  await writeFile(`${names.state}.end`, `${onSince ?? 0} ${now}\n`)
}

export async function hasRunFile(names: BoxNames): Promise<boolean> {
  return (await readOptional(`${names.state}.run`)) !== undefined
}

export async function forgetRun(names: BoxNames): Promise<void> {
  for (const ending of ['.run', '.run.part', '.end']) await rm(`${names.state}${ending}`, { force: true })
}

export async function forgetState(names: BoxNames): Promise<void> {
  await forgetRun(names)
  for (const ending of ['.json', '.json.part', '.lock']) await rm(`${names.state}${ending}`, { force: true })
}

/** Field 22 of /proc/PID/stat; `undefined` for a process that is gone or only waits to be collected. */
export function processStartTime(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return undefined
    throw error
  }
}

let bootId: string | undefined
const hostBootId = (): string => (bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.part`, text)
  await rename(`${path}.part`, path)
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
