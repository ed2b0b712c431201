import { mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'

import type { Architecture } from '#ports/components.ts'

import { ChildFailed, runChild } from './child.ts'
import { ReleaseUnavailable } from './release.ts'

/** A file of Go's own list of releases, as far as it is read here. */
interface ListedFile {
  readonly filename: string
  readonly os: string
  readonly arch: string
  readonly kind: string
  readonly sha256: string
}

export interface GoFromHome {
  /** Address of the list's folder, ending in a slash. */
  readonly home: string
  /** E.g. `1.26.8`. */
  readonly version: string
  readonly host: Architecture
  /** A folder of this download alone. */
  readonly work: string
  /** Saves what an address gives and answers with its SHA-256. */
  readonly download: (url: string, path: string, signal: AbortSignal) => Promise<string>
  readonly signal: AbortSignal
}

/**
 * Brings a Go release from its official home and answers with the unpacked folder, inside `work`. The archive's sum is that of the home's own list of
 * all releases; throws ReleaseUnavailable where list or archive cannot be had, or do not fit together.
 */
export async function bringGoFromHome({ home, version, host, work, download, signal }: GoFromHome): Promise<string> {
  await mkdir(work, { recursive: true })
  const list = join(work, 'releases.json')
  const index = `${home}?mode=json&include=all`
  await download(index, list, signal)
  const file = findArchive(await readFile(list, 'utf8'), version, host)
  if (file === undefined) throw new ReleaseUnavailable(`${index} lists no archive of Go ${version} for linux-${host}.`)
  const url = `${home}${file.filename}`
  const archive = join(work, 'go.tar.gz')
  const sum = await download(url, archive, signal)
  if (sum !== file.sha256) throw new ReleaseUnavailable(`${url} has the checksum ${sum}, and ${file.sha256} is the published one: it is not used.`)
  const unpacked = join(work, 'unpacked')
  await mkdir(unpacked)
  try {
    await runChild('tar', ['-xzf', archive, '-C', unpacked, '--no-same-owner', 'go'], { signal })
  } catch (error) {
    if (!(error instanceof ChildFailed)) throw error
    throw new ReleaseUnavailable(`${url} could not be unpacked: ${error.message}.`, { cause: error })
  }
  const folder = join(work, 'from-home')
  await rename(join(unpacked, 'go'), folder)
  return folder
}

/** What is no such list, a proxy's page for instance, has none. */
function findArchive(text: string, version: string, host: Architecture): ListedFile | undefined {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return undefined // a page for people
  }
  if (!Array.isArray(list)) return undefined
  const release = (list as readonly { version?: unknown; files?: unknown }[]).find((each) => each?.version === `go${version}`)
  const files = Array.isArray(release?.files) ? (release.files as readonly Partial<ListedFile>[]) : []
  const file = files.find((each) => each.os === 'linux' && each.arch === host && each.kind === 'archive')
  const isWhole = typeof file?.filename === 'string' && /^[\w.-]+$/.test(file.filename) && /^[0-9a-f]{64}$/.test(file.sha256 ?? '')
  return isWhole ? (file as ListedFile) : undefined
}
