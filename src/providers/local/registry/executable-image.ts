import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'

import { elfArchitecture } from '#kubernetes/components/elf.ts'
import { ARCHITECTURES, type Architecture } from '#ports/components.ts'

import { indexBlob, jsonBlob, MEDIA, type Blob, type Image } from './oci.ts'

/** What becomes the image of one static executable, which lies in the root folder under `fileName`. */
export interface ExecutableImage {
  /** One file for each architecture. */
  readonly executables: readonly string[]
  readonly fileName: string
  readonly entrypoint: readonly string[]
  readonly command?: readonly string[]
}

const TAR_BLOCK = 512
/** A file that is no ELF program, a script for example, is given this host's architecture. */
const HOST = ARCHITECTURES.find((architecture) => architecture === { x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64']) ?? 'amd64'

/** Makes an image whose bytes depend on nothing but the executables and the entrypoint. */
export async function makeExecutableImage(image: ExecutableImage): Promise<Image> {
  const blobs: Blob[] = []
  const manifests: Blob[] = []
  for (const path of image.executables) {
    const architecture = await architectureOf(path)
    const layer = await makeLayer(path, image.fileName)
    const config = jsonBlob(MEDIA.config, {
      os: 'linux',
      architecture,
      config: { Entrypoint: image.entrypoint, ...(image.command ? { Cmd: image.command } : {}), Env: ['PATH=/'], WorkingDir: '/' },
      rootfs: { type: 'layers', diff_ids: [layer.descriptor.digest] },
    })
    const manifest = jsonBlob(MEDIA.manifest, { schemaVersion: 2, mediaType: MEDIA.manifest, config: config.descriptor, layers: [layer.descriptor] })
    blobs.push(layer, config)
    manifests.push({ ...manifest, descriptor: { ...manifest.descriptor, platform: { os: 'linux', architecture } } })
  }
  const index = indexBlob(manifests.map((manifest) => manifest.descriptor))
  return { blobs, manifests: [...manifests, index] }
}

/** A layer of the executable and of `/tmp` and `/etc`, which programs and container runtimes expect. */
async function makeLayer(path: string, fileName: string): Promise<Blob> {
  const { size } = await stat(path)
  const head = Buffer.concat([tarHeader('etc/', 0o755, 0, '5'), tarHeader('tmp/', 0o1777, 0, '5'), tarHeader(fileName, 0o755, size, '0')])
  const padding = (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK
  const tail = Buffer.alloc(padding + 2 * TAR_BLOCK)
  const read = () => Readable.from(concatenate(head, createReadStream(path, { highWaterMark: 1 << 20 }), tail), { objectMode: false })
  const hash = createHash('sha256')
  for await (const chunk of read()) hash.update(chunk as Buffer)
  return { descriptor: { mediaType: MEDIA.layer, digest: `sha256:${hash.digest('hex')}`, size: head.length + size + tail.length }, open: read }
}

async function* concatenate(head: Buffer, body: AsyncIterable<Buffer>, tail: Buffer): AsyncGenerator<Buffer> {
  yield head
  yield* body
  yield tail
}

/** One header of the POSIX ustar format, with time and owner zero. */
function tarHeader(name: string, mode: number, size: number, kind: '0' | '5'): Buffer {
  const header = Buffer.alloc(TAR_BLOCK)
  const octal = (value: number, offset: number, width: number) => header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset)
  header.write(name, 0, 100)
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  header.write(' '.repeat(8), 148) // the checksum counts itself as spaces
  header.write(kind, 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

async function architectureOf(path: string): Promise<Architecture> {
  const found = await elfArchitecture(path)
  return found === undefined || found === 'other' ? HOST : found
}
