import { Readable } from 'node:stream'

import { fetch, type Dispatcher, type RequestInit } from 'undici'

import type { Blob, Image } from './oci.ts'

/** A registry that did not do what was asked; the message names the call and what it answered. */
export class RegistryRefused extends Error {
  readonly kind = 'RegistryRefused'
}

/** Pushes an image as `name:tag` through a dispatcher that leads to a writable registry. What is there already is not sent again. */
export async function pushImage(dispatcher: Dispatcher, name: string, tag: string, image: Image, signal: AbortSignal): Promise<void> {
  // The host is never looked up: the dispatcher leads to a socket.
  const base = `http://registry/v2/${name}`
  const call = async (url: string, init: RequestInit, expected: number) => {
    const response = await fetch(url, { ...init, dispatcher, signal })
    const text = await response.text()
    if (response.status !== expected) throw new RegistryRefused(`${init.method} ${url} answered ${response.status}: ${text.slice(0, 300)}`)
    return response
  }
  for (const { descriptor, open } of image.blobs) {
    const there = await fetch(`${base}/blobs/${descriptor.digest}`, { method: 'HEAD', dispatcher, signal })
    await there.body?.cancel()
    if (there.status === 200) continue
    const started = await call(`${base}/blobs/uploads/`, { method: 'POST' }, 202)
    const location = new URL(started.headers.get('location') ?? '', base)
    location.searchParams.set('digest', descriptor.digest)
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) }
    await call(location.href, { method: 'PUT', headers, ...streamed(open()) }, 201)
  }
  for (const [i, manifest] of image.manifests.entries()) {
    const reference = i === image.manifests.length - 1 ? tag : manifest.descriptor.digest
    const headers = { 'content-type': manifest.descriptor.mediaType }
    await call(`${base}/manifests/${reference}`, { method: 'PUT', headers, ...streamed(manifest.open()) }, 201)
  }
}

function streamed(content: ReturnType<Blob['open']>): RequestInit {
  return Buffer.isBuffer(content) ? { body: content } : { body: Readable.toWeb(content), duplex: 'half' }
}
