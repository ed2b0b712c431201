import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A program the host must have, and the Debian package that brings it. */
export interface HostProgram { readonly program: string; readonly package: string }

/** What real tests look with, beside what the local region itself brings. */
export const REAL_TEST_PROGRAMS: readonly HostProgram[] = [
  { program: 'openssl', package: 'openssl' },
  { program: 'pgrep', package: 'procps' },
]

/** What the tests with a virtual machine need. */
export const VIRTUAL_MACHINE_PROGRAMS: readonly HostProgram[] = [
  { program: 'debootstrap', package: 'debootstrap' },
  { program: 'qemu-system-x86_64', package: 'qemu-system-x86' },
]

/** Installs what is missing by apt-get; answers a sentence on what could not be had. */
export async function bringPrograms(programs: readonly HostProgram[], say: (text: string) => void): Promise<string | undefined> {
  const missing = programs.filter(({ program }) => !isOnPath(program))
  if (missing.length === 0) return undefined
  const packages = [...new Set(missing.map(each => each.package))]
  const sentence = `${missing.map(each => each.program).join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing; install: apt-get install ${packages.join(' ')}`
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) return sentence
  say(`Installing ${packages.join(', ')} from the distribution`)
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    await run('apt-get', ['update', '-qq'], { env: environment })
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env: environment, maxBuffer: 1 << 26 })
  } catch (cause) {
    return `${sentence} (trying it failed: ${cause instanceof Error ? (cause.message.split('\n').filter(line => line.trim() !== '').at(-1) ?? '') : String(cause)})`
  }
  const still = missing.filter(({ program }) => !isOnPath(program))
  return still.length === 0 ? undefined : `${still.map(each => each.program).join(', ')} cannot be had from the distribution's packages`
}

function isOnPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin']
  return folders.some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false // not in this folder
    }
  })
}
