/** What the kernel says of processes: processor time, and memory as their fair share of it (PSS). */
import { readFileSync } from 'node:fs'
import { runProgram } from '#test/harness/command.ts'

const TICKS_A_SECOND = 100

/** Seconds of processor time, user and system, of a process with all its threads. */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

/** MiB that are a process's own share of memory. */
export function memoryMiB(pid: number): number {
  return Number(/^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024
}

export interface ProcessSeen { readonly pid: number; readonly parent: number; readonly command: string }

export async function processes(): Promise<readonly ProcessSeen[]> {
  const { stdout } = await runProgram('ps', ['-eo', 'pid=,ppid=,args='])
  return stdout.split('\n').flatMap(line => {
    const match = /^ *(\d+) +(\d+) (.*)$/.exec(line)
    return match ? [{ pid: Number(match[1]), parent: Number(match[2]), command: match[3] ?? '' }] : []
  })
}

/** A process and all that it started and that still are its children. */
export function familyOf(all: readonly ProcessSeen[], pid: number): readonly number[] {
  return [pid, ...all.filter(one => one.parent === pid).flatMap(one => familyOf(all, one.pid))]
}

/** All threads of these processes run on that processor from now on. */
export async function pin(pids: readonly number[], processor: number): Promise<void> {
  for (const pid of pids) await runProgram('taskset', ['-acp', String(processor), String(pid)])
}
