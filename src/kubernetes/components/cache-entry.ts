import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

import type { Architecture, ComponentFile, ComponentName } from '#ports/components.ts'

/** Which result of the cache: `<cache>/<architecture>/<name>/<version>/<key>/` holds the program and `entry.json`. */
export interface EntryId {
  readonly name: ComponentName
  readonly version: string
  readonly architecture: Architecture
  readonly key: string
}

/** What `entry.json` says of the program beside it. */
export interface Entry {
  readonly from: 'release' | 'build'
  readonly sha256: string
  readonly sizeBytes: number
  /** The release's address, or the Go version that built it. */
  readonly origin: string
  readonly madeAt: string
}

export function entryFolder(cacheDir: string, id: EntryId): string {
  return join(cacheDir, id.architecture, id.name, id.version, id.key)
}

/** Finds a program in the cache; one that is not the recorded one any more, by size or checksum, is not there. Reads three small things, so it may be called often. */
export async function findEntry(cacheDir: string, id: EntryId): Promise<(ComponentFile & { from: Entry['from'] }) | undefined> {
  const folder = entryFolder(cacheDir, id)
  const path = join(folder, id.name)
  try {
    const entry = JSON.parse(await readFile(join(folder, 'entry.json'), 'utf8')) as Entry
    const { size } = await stat(path)
    if (size !== entry.sizeBytes) return undefined
    if (!(await isWhole({ path, sha256: entry.sha256 }))) return undefined
    const { name, version, architecture } = id
    return { name, version, architecture, path, sha256: entry.sha256, sizeBytes: size, from: entry.from }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Moves a finished program into the cache: checksum and mode first, then one rename of the whole folder, so that a kill at any moment leaves
 * either the old state or the new. `file` must lie on the cache's file system.
 */
export async function placeEntry(cacheDir: string, id: EntryId, file: string, from: Entry['from'], origin: string): Promise<void> {
  const folder = entryFolder(cacheDir, id)
  const draft = `${file}.entry`
  await chmod(file, 0o755)
  const { size } = await stat(file)
  const entry: Entry = { from, sha256: await sha256Of(file), sizeBytes: size, origin, madeAt: new Date().toISOString() }
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft)
  await rename(file, join(draft, id.name))
  await noteWhole(join(draft, id.name), entry.sha256)
  await writeFile(join(draft, 'entry.json'), `${JSON.stringify(entry, undefined, 2)}\n`)
  await mkdir(dirname(folder), { recursive: true })
  await rm(folder, { recursive: true, force: true }) // a damaged one; rename does not replace a folder with files in it
  await rename(draft, folder)
}

/**
 * Says whether a found program still has its recorded checksum. Once that was seen, the file is read again only when its change time is another:
 * the kernel sets that time on every write, and no program can set it back.
 */
export async function isWhole(file: Pick<ComponentFile, 'path' | 'sha256'>): Promise<boolean> {
  const { ctimeMs } = await stat(file.path)
  const noted = await readFile(noteOf(file.path), 'utf8').catch(() => '') // no note yet: look
  if (noted === noteText(file.sha256, ctimeMs)) return true
  const known = `${file.path}\0${noteText(file.sha256, ctimeMs)}`
  // Whoever asks meanwhile waits for the same look; and where no note can be kept, this process remembers.
  const look = looks.get(known) ?? lookWhole(file)
  looks.set(known, look)
  look.catch(() => looks.delete(known)) // one that could not be read is looked at again
  return look
}

const looks = new Map<string, Promise<boolean>>()

async function lookWhole({ path, sha256 }: Pick<ComponentFile, 'path' | 'sha256'>): Promise<boolean> {
  if ((await sha256Of(path)) !== sha256) return false
  await noteWhole(path, sha256).catch(() => undefined) // a full disk or another's cache: the look costs seconds the next time, too
  return true
}

/** Remembers beside a program that it was seen whole as it is now. */
async function noteWhole(path: string, sha256: string): Promise<void> {
  const draft = `${noteOf(path)}.${process.pid}`
  await writeFile(draft, noteText(sha256, (await stat(path)).ctimeMs))
  await rename(draft, noteOf(path))
}

function noteOf(path: string): string {
  return join(dirname(path), 'checked.json')
}

function noteText(sha256: string, ctimeMs: number): string {
  return JSON.stringify({ sha256, ctimeMs })
}

/** SHA-256 of a file, lower-case hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  return hash.digest('hex')
}
