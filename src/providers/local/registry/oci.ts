import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'

// The few shapes of the OCI image specification (image-spec 1.1) that we write.

export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  /** Uncompressed: machines are a bridge away, and unpacking costs them less than compressing costs us. */
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string }
}

/** Content that a registry keeps under its digest; `open` may be called more than once. */
export interface Blob {
  readonly descriptor: Descriptor
  readonly open: () => Readable | Buffer
}

/** An image ready to be pushed: blobs first, then its manifests in this order; the last one gets the tag. */
export interface Image {
  readonly blobs: readonly Blob[]
  readonly manifests: readonly Blob[]
}

export function jsonBlob(mediaType: string, value: unknown): Blob {
  return bufferBlob(mediaType, Buffer.from(JSON.stringify(value)))
}

export function bufferBlob(mediaType: string, bytes: Buffer): Blob {
  return { descriptor: { mediaType, digest: sha256(bytes), size: bytes.length }, open: () => bytes }
}

export function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** An index over manifests; each descriptor carries its platform. */
export function indexBlob(manifests: readonly Descriptor[]): Blob {
  return jsonBlob(MEDIA.index, { schemaVersion: 2, mediaType: MEDIA.index, manifests })
}
