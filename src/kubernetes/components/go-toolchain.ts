import { chmod, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

import { InstallFailed, type Architecture } from '#ports/components.ts'

import { takeCacheLock } from './cache-lock.ts'
import { ChildFailed, runChild } from './child.ts'
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
  readonly download: (url: string, path: string, signal: AbortSignal) => Promise<unknown>
  readonly report: (text: string) => void
  readonly signal: AbortSignal
}

/**
 * Finds a Go that is new enough, or brings one from the Go module mirror into the cache. Answers with the folder that holds `go` (undefined: it is
 * on the PATH already) and its version, e.g. `go1.26.8`.
 */
export async function ensureGo(search: GoSearch, pinned: PinnedGo = PINNED_GO): Promise<{ folder?: string; version: string }> {
  const there = await versionOnPath(search)
  if (there !== undefined && !isOlder(there, search.needed)) return { version: there }
  const root = join(search.cacheDir, 'go', `go${pinned.version}.${search.host}`)
  const folder = join(root, 'bin')
  const found = { folder, version: `go${pinned.version}` }
  if (await isThere(folder)) return found
  const lock = await takeCacheLock(join(search.cacheDir, 'locks', 'go.lock'), search.signal, (owner) => search.report(`Waiting for process ${owner}, which is bringing Go`))
  try {
    if (!(await isThere(folder))) await bringGo(search, pinned, root)
    return found
  } catch (error) {
    if (!(error instanceof ReleaseUnavailable || error instanceof ModuleRefused)) throw error
    const has = there === undefined ? 'has none' : `has ${there}`
    throw new InstallFailed(`Building needs Go ${search.needed} or newer, this host ${has}, and it could not be downloaded: ${error.message} Install it from https://go.dev/dl/ and run the installation again.`, { cause: error })
  } finally {
    await lock.release()
  }
}

async function bringGo({ env, host, cacheDir, download, report, signal }: GoSearch, pinned: PinnedGo, root: string): Promise<void> {
  const mirror = (env['GOPROXY'] ?? '').split(/[,|]/).find((entry) => /^https?:/.test(entry))
  if (mirror === undefined) throw new ReleaseUnavailable('GOPROXY names no module mirror from which it could be brought.')
  const version = `v0.0.1-go${pinned.version}.linux-${host}`
  const work = join(cacheDir, 'work', 'go')
  report(`Downloading Go ${pinned.version} (70 MB) from ${new URL(mirror).host}`)
  try {
    await rm(work, { recursive: true, force: true })
    await mkdir(work, { recursive: true })
    const archive = join(work, 'go.zip')
    await download(`${mirror.replace(/\/$/, '')}/golang.org/toolchain/@v/${version}.zip`, archive, signal)
    const unpacked = join(work, 'go')
    await unpackModuleZip(await readFile(archive), `golang.org/toolchain@${version}/`, pinned.sums[host], unpacked)
    // Module archives carry no modes.
    for (const programs of ['bin', join('pkg', 'tool', `linux_${host}`)]) {
      for (const program of await readdir(join(unpacked, programs)).catch(() => [])) await chmod(join(unpacked, programs, program), 0o755)
    }
    await mkdir(join(cacheDir, 'go'), { recursive: true })
    await rename(unpacked, root)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
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
