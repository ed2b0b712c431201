import { chmod, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

import { InstallFailed, type Architecture } from '#ports/components.ts'

import { takeCacheLock } from './cache-lock.ts'
import { GO_HOME } from './catalogue.ts'
import { ChildFailed, runChild } from './child.ts'
import { bringGoFromHome } from './go-home.ts'
import { ModuleRefused, unpackModuleZip } from './module-zip.ts'
import { ReleaseUnavailable } from './release.ts'

/** A Go release as the module mirror serves it, with its sums of Go's checksum database. */
export interface PinnedGo {
  readonly version: string
  readonly sums: Readonly<Record<Architecture, string>>
}

/** The Go release with which the components were measured. Its sums: `go mod download -json golang.org/toolchain@v0.0.1-goVERSION.linux-ARCH`. */
export const PINNED_GO: PinnedGo = {
  version: '1.26.8',
  sums: {
    amd64: 'h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=',
    arm64: 'h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc=',
  },
}

export interface GoSearch {
  /** Environment whose PATH is searched and whose GOPROXY names the mirror. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** What the module asks for, e.g. `1.26.0`. */
  readonly needed: string
  /** The host's architecture; Go makes programs for the others too. */
  readonly host: Architecture
  readonly cacheDir: string
  /** Whether Go's official home may be asked. */
  readonly releases: boolean
  /** Saves what an address gives and answers with its SHA-256; throws ReleaseUnavailable. */
  readonly download: (url: string, path: string, signal: AbortSignal) => Promise<string>
  readonly report: (text: string) => void
  readonly signal: AbortSignal
}

/**
 * Finds a Go that is new enough, or brings one into the cache: from the module mirror that GOPROXY names, else from Go's official home. Answers with the folder that holds `go` (undefined: it is
 * on the PATH already) and its version, e.g. `go1.26.8`.
 */
export async function ensureGo(search: GoSearch, pinned: PinnedGo = PINNED_GO, home = GO_HOME): Promise<{ folder?: string; version: string }> {
  const there = await versionOnPath(search)
  if (there !== undefined && !isOlder(there, search.needed)) return { version: there }
  const root = join(search.cacheDir, 'go', `go${pinned.version}.${search.host}`)
  const folder = join(root, 'bin')
  const found = { folder, version: `go${pinned.version}` }
  if (await isThere(folder)) return found
  const lock = await takeCacheLock(join(search.cacheDir, 'locks', 'go.lock'), search.signal, (owner) => search.report(`Waiting for process ${owner}, which is bringing Go`))
  try {
    if (!(await isThere(folder))) await bringGo(search, pinned, home, root)
    return found
  } catch (error) {
    if (!(error instanceof ReleaseUnavailable || error instanceof ModuleRefused)) throw error
    const has = there === undefined ? 'has none' : `has ${there}`
    throw new InstallFailed(`Building needs Go ${search.needed} or newer, this host ${has}, and it could not be downloaded: ${error.message} Install it from https://go.dev/dl/ and run the installation again.`, { cause: error })
  } finally {
    await lock.release()
  }
}

/** What the environment names comes first; what is wrong with it is told together with what is wrong at home. */
async function bringGo(search: GoSearch, pinned: PinnedGo, home: string, root: string): Promise<void> {
  const mirror = (search.env['GOPROXY'] ?? '').split(/[,|]/).find((entry) => /^https?:/.test(entry))
  const sources = [
    ...(mirror === undefined ? [] : [{ from: mirror, bring: (work: string) => bringFromMirror(search, pinned, mirror, work) }]),
    ...(search.releases ? [{ from: home, bring: (work: string) => bringGoFromHome({ ...search, home, version: pinned.version, work }) }] : []),
  ]
  const work = join(search.cacheDir, 'work', 'go')
  const failures: Error[] = []
  for (const { from, bring } of sources) {
    search.report(`Downloading Go ${pinned.version} (70 MB) from ${new URL(from).host}`)
    try {
      await rm(work, { recursive: true, force: true })
      const brought = await bring(work)
      await mkdir(join(search.cacheDir, 'go'), { recursive: true })
      await rename(brought, root)
      return
    } catch (error) {
      if (!(error instanceof ReleaseUnavailable || error instanceof ModuleRefused)) throw error
      failures.push(error)
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }
  const why = failures.map((failure) => failure.message).join(' ')
  throw new ReleaseUnavailable(why === '' ? 'GOPROXY names no module mirror, and releases are switched off.' : why, { cause: new AggregateError(failures) })
}

async function bringFromMirror({ host, download, signal }: GoSearch, pinned: PinnedGo, mirror: string, work: string): Promise<string> {
  await mkdir(work, { recursive: true })
  const version = `v0.0.1-go${pinned.version}.linux-${host}`
  const archive = join(work, 'go.zip')
  await download(`${mirror.replace(/\/$/, '')}/golang.org/toolchain/@v/${version}.zip`, archive, signal)
  const unpacked = join(work, 'from-mirror')
  await unpackModuleZip(await readFile(archive), `golang.org/toolchain@${version}/`, pinned.sums[host], unpacked)
  // Module archives carry no modes.
  for (const programs of ['bin', join('pkg', 'tool', `linux_${host}`)]) {
    for (const program of await readdir(join(unpacked, programs)).catch(() => [])) await chmod(join(unpacked, programs, program), 0o755)
  }
  return unpacked
}

async function versionOnPath({ env, signal }: GoSearch): Promise<string | undefined> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const there = await Promise.all(folders.map(isThere))
  if (!there.includes(true)) return undefined
  try {
    return (await runChild('go', ['env', 'GOVERSION'], { env, cwd: '/', signal })).trim()
  } catch (error) {
    if (error instanceof ChildFailed) return undefined // one that does not run is none
    throw error
  }
}

/** Compares `go1.26.8` with `1.26.0`, number by number. */
export function isOlder(version: string, needed: string): boolean {
  const numbers = (text: string) => text.replace(/^go/, '').split('.').map((part) => Number.parseInt(part, 10) || 0)
  const [mine, theirs] = [numbers(version), numbers(needed)]
  const at = [0, 1, 2].find((i) => (mine[i] ?? 0) !== (theirs[i] ?? 0))
  return at !== undefined && (mine[at] ?? 0) < (theirs[at] ?? 0)
}

async function isThere(folder: string): Promise<boolean> {
  return stat(join(folder, 'go')).then((file) => file.isFile(), () => false)
}
