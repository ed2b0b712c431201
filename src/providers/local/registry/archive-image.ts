import { createReadStream } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { sha256Of } from '#kubernetes/components/cache-entry.ts'

import { bufferBlob, jsonBlob, MEDIA, type Blob, type Descriptor, type Image } from './oci.ts'

/** An archive that holds no image we understand; the message says what is wrong with it. */
export class ArchiveRefused extends Error {
  readonly kind = 'ArchiveRefused'
}

const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const INDEXES: readonly string[] = [MEDIA.index, DOCKER_LIST]
const MANIFESTS: readonly string[] = [MEDIA.manifest, DOCKER_MANIFEST]

/** Reads an unpacked OCI layout (`index.json`, `blobs/`) or `docker save` folder (`manifest.json`). */
export async function readArchiveImage(folder: string): Promise<Image> {
  const index = await readJson<{ manifests?: readonly Descriptor[] }>(folder, 'index.json')
  if (index) return readLayout(folder, index.manifests ?? [])
  const saved = await readJson<readonly { Config: string; Layers: readonly string[] }[]>(folder, 'manifest.json')
  if (saved) return readSaved(folder, saved)
  throw new ArchiveRefused('The archive holds neither an OCI layout (index.json) nor the output of docker save (manifest.json).')
}

async function readLayout(folder: string, manifests: readonly Descriptor[]): Promise<Image> {
  const [top, ...others] = manifests
  if (!top || others.length > 0) throw new ArchiveRefused(`The archive holds ${manifests.length} images; one is needed.`)
  const blobs: Blob[] = []
  const found: Blob[] = []
  await collect(folder, top, blobs, found)
  return { blobs, manifests: found }
}

/** Children before parents, so that the registry knows all that a manifest names. */
async function collect(folder: string, descriptor: Descriptor, blobs: Blob[], manifests: Blob[]): Promise<void> {
  const bytes = await readFile(blobPath(folder, descriptor.digest)).catch(() => undefined) // platforms may be left out of an archive
  if (!bytes) throw new ArchiveRefused(`The archive names ${descriptor.digest} and does not hold it.`)
  const content = JSON.parse(bytes.toString('utf8')) as { manifests?: readonly Descriptor[]; config?: Descriptor; layers?: readonly Descriptor[] }
  if (INDEXES.includes(descriptor.mediaType)) {
    for (const child of content.manifests ?? []) await collect(folder, child, blobs, manifests)
  } else if (MANIFESTS.includes(descriptor.mediaType) && content.config) {
    for (const part of [content.config, ...(content.layers ?? [])]) {
      blobs.push({ descriptor: part, open: () => createReadStream(blobPath(folder, part.digest)) })
    }
  } else throw new ArchiveRefused(`The archive holds a ${descriptor.mediaType}, which is no image.`)
  manifests.push({ descriptor, open: () => bytes })
}

async function readSaved(folder: string, images: readonly { Config: string; Layers: readonly string[] }[]): Promise<Image> {
  const [image, ...others] = images
  if (!image || others.length > 0) throw new ArchiveRefused(`The archive holds ${images.length} images; one is needed.`)
  const config = bufferBlob(MEDIA.config, await readFile(await inside(folder, image.Config)))
  const layers = await Promise.all(image.Layers.map(async (layer) => layerBlob(await inside(folder, layer))))
  const descriptors = layers.map((layer) => layer.descriptor)
  const manifest = jsonBlob(MEDIA.manifest, { schemaVersion: 2, mediaType: MEDIA.manifest, config: config.descriptor, layers: descriptors })
  return { blobs: [config, ...layers], manifests: [manifest] }
}

async function layerBlob(path: string): Promise<Blob> {
  const [{ size }, sum] = await Promise.all([stat(path), sha256Of(path)])
  const start: Buffer[] = await createReadStream(path, { end: 1 }).toArray()
  const isGzip = Buffer.concat(start).equals(Buffer.from([0x1f, 0x8b]))
  return { descriptor: { mediaType: isGzip ? MEDIA.layerGzip : MEDIA.layer, digest: `sha256:${sum}`, size }, open: () => createReadStream(path) }
}

function blobPath(folder: string, digest: string): string {
  const parts = /^(sha256|sha512):([0-9a-f]+)$/.exec(digest)
  if (!parts) throw new ArchiveRefused(`The archive names the digest ${digest}, which is none.`)
  return join(folder, 'blobs', parts[1] ?? '', parts[2] ?? '')
}

/** A name from the archive may not lead out of it, not by a link either; `folder` has no links in it. */
async function inside(folder: string, name: string): Promise<string> {
  const path = await realpath(join(folder, name))
  if (!path.startsWith(`${folder}/`)) throw new ArchiveRefused(`The archive names ${name}, which lies outside it.`)
  return path
}

async function readJson<T>(folder: string, name: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, name), 'utf8')) as T
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ArchiveRefused(`The archive's ${name} cannot be read: ${String(cause)}`, { cause })
  }
}
