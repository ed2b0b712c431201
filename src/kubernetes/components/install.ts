import { mkdir, rm, statfs } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { InstallFailed, type Architecture, type InstallProgress } from '#ports/components.ts'

import { buildPrograms } from './build.ts'
import { placeEntry } from './cache-entry.ts'
import { takeCacheLock } from './cache-lock.ts'
import type { Group, Program, Release } from './catalogue.ts'
import { elfArchitecture } from './elf.ts'
import { ReleaseSource, ReleaseUnavailable } from './release.ts'

export interface Installation {
  readonly chosen: readonly { group: Group; programs: readonly Program[] }[]
  readonly architecture: Architecture
  readonly cacheDir: string
  readonly componentsDir: string
  readonly releases: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isThere: (group: Group, program: Program) => Promise<boolean>
  readonly keyOf: (group: Group) => Promise<string>
  readonly onProgress: (progress: InstallProgress) => void
  readonly signal: AbortSignal
}

/** The number of cores on which the catalogue's minutes were measured. */
const MEASURED_CORES = 2
const DISK_FULL_BYTES = 64 * 2 ** 20

/**
 * Installs what is missing, group after group. One group's failure does not stop the others; at the end InstallFailed tells of all of them.
 * What is finished stays, whenever it is interrupted.
 */
export async function installComponents(installation: Installation): Promise<void> {
  const { chosen, onProgress, signal } = installation
  const total = chosen.reduce((sum, { programs }) => sum + programs.length, 0)
  const failures: Error[] = []
  let done = 0
  const report = (text: string) => onProgress({ done, total, text })
  await using releases = new ReleaseSource()
  for (const { group, programs } of chosen) {
    signal.throwIfAborted()
    const missing = await missingOf(installation, group, programs)
    if (missing.length > 0) {
      try {
        await installGroup(installation, releases, group, programs, report)
      } catch (error) {
        signal.throwIfAborted()
        const failure = await asInstallFailed(error, installation, group)
        report(failure.message)
        failures.push(failure)
        continue
      }
    }
    done += programs.length
    if (missing.length > 0) report(`Installed ${group.title} ${group.version}`)
  }
  if (failures.length > 0) throw new InstallFailed(failures.map((failure) => failure.message).join('\n'), { cause: new AggregateError(failures) })
  report(`All ${total} components are installed`)
}

async function missingOf({ isThere }: Installation, group: Group, programs: readonly Program[]): Promise<Program[]> {
  const there = await Promise.all(programs.map((program) => isThere(group, program)))
  return programs.filter((_, i) => !there[i])
}

async function installGroup(
  installation: Installation, releases: ReleaseSource, group: Group, programs: readonly Program[], report: (text: string) => void,
): Promise<void> {
  const { architecture, cacheDir, signal } = installation
  const slot = `${group.folder}-${architecture}`
  const lock = await takeCacheLock(join(cacheDir, 'locks', `${slot}.lock`), signal, (owner) =>
    report(`Waiting for process ${owner}, which is installing ${group.title} ${group.version}`))
  const workDir = join(cacheDir, 'work', slot)
  try {
    const missing = await missingOf(installation, group, programs) // another process may have brought them meanwhile
    if (missing.length === 0) return
    await clear(workDir) // what a killed predecessor left
    await mkdir(workDir, { recursive: true })
    const key = await installation.keyOf(group)
    const place = async (name: string, file: string, from: 'release' | 'build', origin: string) => {
      const made = await elfArchitecture(file)
      if (made !== undefined && made !== architecture) {
        const what = `${name} of ${origin} is made for ${made === 'other' ? 'another processor' : made} and not for ${architecture}.`
        throw from === 'release' ? new ReleaseUnavailable(what) : new InstallFailed(what)
      }
      await placeEntry(cacheDir, { name, version: group.version, architecture, key }, file, from, origin)
    }
    const { remaining, why } = await fetchReleases(installation, releases, group, missing, workDir, report, place)
    if (remaining.length === 0) return
    report(announceBuild(group, remaining.length, why))
    const { componentsDir, env, releases: mayDownload } = installation
    const download = releases.download.bind(releases)
    const onStart = (pid: number) => lock.setChild(pid)
    const built = await buildPrograms({ group, programs: remaining, architecture, componentsDir, cacheDir, env, workDir, releases: mayDownload, download, report, onStart, signal })
    for (const [name, file] of built.files) await place(name, file, 'build', built.goVersion)
  } finally {
    await clear(workDir)
    await lock.release()
  }
}

/** Tries the official releases; answers what remains to be built, and why the first of them could not be had. */
async function fetchReleases(
  installation: Installation, releases: ReleaseSource, group: Group, programs: readonly Program[], workDir: string,
  report: (text: string) => void, place: (name: string, file: string, from: 'release', url: string) => Promise<void>,
): Promise<{ remaining: readonly Program[]; why?: string }> {
  if (!installation.releases) return { remaining: programs }
  const remaining: Program[] = []
  let why: string | undefined
  let told = false
  for (const program of programs) {
    if (!hasRelease(program)) {
      remaining.push(program)
      continue
    }
    if (!told && releases.isReachable(program.release)) {
      report(`Downloading ${group.title} ${group.version} from ${new URL(program.release.url).host}`)
      told = true
    }
    try {
      const { file, url } = await releases.fetchProgram(group, program, installation.architecture, workDir, installation.signal)
      await place(program.name, file, 'release', url)
    } catch (error) {
      if (!(error instanceof ReleaseUnavailable)) throw error
      if (told) why ??= error.message // an unreachable host is named once, not in every line
      remaining.push(program)
    }
  }
  return why === undefined ? { remaining } : { remaining, why }
}

function hasRelease(program: Program): program is Program & { release: Release } {
  return program.release !== undefined
}

function announceBuild(group: Group, count: number, why: string | undefined): string {
  const minutes = Math.max(1, Math.round((group.minutes * MEASURED_CORES) / availableParallelism()))
  const programs = count === 1 ? '' : ` (${count} programs)`
  const reason = why === undefined ? '' : `; ${why.replace(/\.$/, '')}`
  return `Building ${group.title} ${group.version}${programs}, about ${minutes} minute${minutes === 1 ? '' : 's'}${reason}`
}

async function asInstallFailed(error: unknown, { cacheDir }: Installation, group: Group): Promise<InstallFailed> {
  const message = error instanceof Error ? error.message : String(error)
  const said = error instanceof InstallFailed ? message : `Installing ${group.title} ${group.version} failed: ${message}`
  const disk = await statfs(cacheDir).catch(() => undefined) // the folder itself may be what could not be made
  const isFull = disk !== undefined && disk.bavail * disk.bsize < DISK_FULL_BYTES
  return new InstallFailed(isFull ? `${said}\nThe disk that holds ${cacheDir} is full; free some GiB there and run the installation again.` : said, { cause: error })
}

function clear(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 5 })
}
