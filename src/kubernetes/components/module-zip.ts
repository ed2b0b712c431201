import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { inflateRawSync } from 'node:zlib'

/** A module's archive that cannot be read, or that is not the one whose sum is known. */
export class ModuleRefused extends Error {
  readonly kind = 'ModuleRefused'
}

const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const END_BYTES = 22
const MAX_COMMENT_BYTES = 65_535
const STORED = 0
const DEFLATED = 8

interface ZipEntry {
  readonly name: string
  readonly read: () => Buffer
}

/**
 * Unpacks a Go module's zip into a folder, without its `module@version/` prefix, and compares it with its `h1:` sum (the one of go.sum and of Go's
 * checksum database: golang.org/x/mod/sumdb/dirhash). Throws ModuleRefused; the folder may then hold anything.
 */
export async function unpackModuleZip(zip: Buffer, prefix: string, sum: string, folder: string): Promise<void> {
  const lines: [name: string, line: string][] = []
  for (const entry of zipEntries(zip)) {
    const inside = entry.name.slice(prefix.length)
    if (!entry.name.startsWith(prefix) || normalize(inside) !== inside || inside.startsWith('..') || inside.startsWith('/')) {
      throw new ModuleRefused(`The module archive holds ${entry.name}, which does not belong there.`)
    }
    const content = entry.read()
    const path = join(folder, inside)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    lines.push([entry.name, `${createHash('sha256').update(content).digest('hex')}  ${entry.name}\n`])
  }
  lines.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const actual = `h1:${createHash('sha256').update(lines.map(([, line]) => line).join('')).digest('base64')}`
  if (actual !== sum) throw new ModuleRefused(`The module archive has the sum ${actual}, and ${sum} is the known one.`)
}

/** Walks a zip's central directory (PKWARE APPNOTE 4.3); folders and zip64 do not occur in module archives. */
function* zipEntries(zip: Buffer): Generator<ZipEntry> {
  let end = zip.length - END_BYTES
  while (end >= 0 && end >= zip.length - END_BYTES - MAX_COMMENT_BYTES && zip.readUInt32LE(end) !== END_SIGNATURE) end--
  if (end < 0 || zip.readUInt32LE(end) !== END_SIGNATURE) throw new ModuleRefused('The module archive is no zip file, or was cut off.')
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (zip.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new ModuleRefused('The module archive is damaged.')
    const method = zip.readUInt16LE(at + 10)
    const packedBytes = zip.readUInt32LE(at + 20)
    const nameBytes = zip.readUInt16LE(at + 28)
    const header = zip.readUInt32LE(at + 42)
    const name = zip.toString('utf8', at + 46, at + 46 + nameBytes)
    at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
    if (method !== STORED && method !== DEFLATED) throw new ModuleRefused(`The module archive packs ${name} in a way that is unknown here.`)
    // The local header's own lengths count: its extra field may differ from the directory's.
    const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28)
    const packed = zip.subarray(start, start + packedBytes)
    yield { name, read: () => (method === STORED ? packed : inflateRawSync(packed)) }
  }
}
