import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { makeExecutableImage } from './executable-image.ts'
import type { Blob, Descriptor } from './oci.ts'

test('an image is its executable in a layer that tar understands, whatever its size', async () => {
  await using place = await makePlace()
  for (const size of [0, 1, 511, 512, 513, 3 * 2 ** 20]) {
    const executable = await place.write(`program-${size}`, Buffer.alloc(size, 'x'))
    const image = await makeExecutableImage({ executables: [executable], fileName: 'program', entrypoint: ['/program', 'run'] })
    const [layer, config] = image.blobs
    assert.ok(layer && config)
    const tar = await bytesOf(layer)
    assert.deepEqual([tar.length, digestOf(tar)], [layer.descriptor.size, layer.descriptor.digest])
    assert.match(execFileSync('tar', ['-tvf', '-'], { input: tar, encoding: 'utf8' }), new RegExp(`^drwxr-xr-x .* etc/\ndrwxrwxrwt .* tmp/\n-rwxr-xr-x 0/0 +${size} .* program\n$`))
    assert.deepEqual(execFileSync('tar', ['-xOf', '-', 'program'], { input: tar, maxBuffer: 2 * size + 1 }), Buffer.alloc(size, 'x'))
    const { config: { Entrypoint: entrypoint }, rootfs } = parse<{ config: { Entrypoint: string[] }; rootfs: { diff_ids: string[] } }>(await bytesOf(config))
    assert.deepEqual([entrypoint, rootfs.diff_ids], [['/program', 'run'], [layer.descriptor.digest]])
  }
})

test('the same executable is the same image, however old the file is', async () => {
  await using place = await makePlace()
  const executable = await place.write('program', Buffer.from('x'))
  const make = async () => (await makeExecutableImage({ executables: [executable], fileName: 'program', entrypoint: ['/program'] })).manifests.at(-1)?.descriptor.digest
  const before = await make()
  await utimes(executable, 1, 1)
  assert.equal(await make(), before)
})

test('its index names the processor that each ELF program is for, and children come before it', async () => {
  await using place = await makePlace()
  const executables = [await place.write('one', elf(0x3e)), await place.write('two', elf(0xb7))]
  const { manifests } = await makeExecutableImage({ executables, fileName: 'program', entrypoint: ['/program'] })
  const top = manifests.at(-1)
  assert.ok(top)
  const index = parse<{ manifests: Descriptor[] }>(await bytesOf(top))
  assert.deepEqual(index.manifests.map(({ platform }) => platform?.architecture), ['amd64', 'arm64'])
  assert.deepEqual(index.manifests.map(({ digest }) => digest), manifests.slice(0, -1).map(({ descriptor }) => descriptor.digest))
})

async function makePlace() {
  const dir = await mkdtemp(join(tmpdir(), 'edgehold-image-'))
  return {
    async write(name: string, content: Buffer) {
      await writeFile(join(dir, name), content)
      return join(dir, name)
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  }
}

function elf(machine: number): Buffer {
  const header = Buffer.alloc(64)
  header.write('\x7fELF', 'latin1')
  header.writeUInt16LE(machine, 18)
  return header
}

async function bytesOf(blob: Blob): Promise<Buffer> {
  const content = blob.open()
  if (Buffer.isBuffer(content)) return content
  const chunks: Buffer[] = await content.toArray()
  return Buffer.concat(chunks)
}

function parse<T>(bytes: Buffer): T {
  return JSON.parse(bytes.toString('utf8')) as T
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
