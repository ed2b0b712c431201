import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32, deflateRawSync } from 'node:zlib'

import { InstallFailed } from '#ports/components.ts'

import { ensureGo, isOlder, type GoSearch, type PinnedGo } from './go-toolchain.ts'
import { runChild } from './child.ts'

const PREFIX = 'golang.org/toolchain@v0.0.1-go9.9.9.linux-amd64/'
const FILES = { 'bin/go': '#!/bin/sh\necho "a Go of the mirror"\n', 'VERSION': 'go9.9.9\n'.repeat(50), 'LICENSE': '' }

test('versions are compared as numbers', () => {
  assert.equal(isOlder('go1.9.7', '1.26.0'), true)
  assert.equal(isOlder('go1.26.8', '1.26.0'), false)
  assert.equal(isOlder('go1.26.0', '1.26.0'), false)
  assert.equal(isOlder('go1.26rc1', '1.26.1'), true)
  assert.equal(isOlder('go2.0', '1.26.1'), false)
})

test('a host without Go gets the pinned one from the mirror, once', async () => {
  await using place = await makePlace()
  const found = await ensureGo(place.search, place.pinned)
  assert.equal(found.version, 'go9.9.9')
  const said = await runChild(join(found.folder ?? '', 'go'), [], { signal: AbortSignal.timeout(5_000) })
  assert.equal(said, 'a Go of the mirror\n')
  await ensureGo(place.search, place.pinned)
  assert.deepEqual(place.asked, ['https://mirror.test/golang.org/toolchain/@v/v0.0.1-go9.9.9.linux-amd64.zip'])
})

test('a Go that is too old is passed over, one that is new enough is used', async () => {
  await using place = await makePlace()
  await writeFile(join(place.dir, 'go'), '#!/bin/sh\necho go1.20.3\n')
  await chmod(join(place.dir, 'go'), 0o755)
  const search = { ...place.search, env: { ...place.search.env, PATH: place.dir } }
  assert.deepEqual(await ensureGo({ ...search, needed: '1.20.0' }, place.pinned), { version: 'go1.20.3' })
  assert.equal((await ensureGo(search, place.pinned)).version, 'go9.9.9')
})

test('an archive with another sum is refused and nothing of it is kept', async () => {
  await using place = await makePlace()
  const pinned = { ...place.pinned, sums: { ...place.pinned.sums, amd64: 'h1:another' } }
  await assert.rejects(ensureGo(place.search, pinned), (error) => error instanceof InstallFailed && /has none.*is the known one.*go\.dev\/dl/.test(error.message))
  assert.deepEqual(await readdir(join(place.dir, 'cache', 'work')), [])
  await assert.rejects(readdir(join(place.dir, 'cache', 'go')), { code: 'ENOENT' })
})

test('an archive that was cut off, or leads out of its folder, is refused', async () => {
  for (const zip of [makeZip(FILES).subarray(0, -40), makeZip({ ...FILES, '../../escaped': 'x' })]) {
    await using place = await makePlace(zip)
    await assert.rejects(ensureGo(place.search, place.pinned), InstallFailed)
    assert.deepEqual((await readdir(place.dir)).filter((name) => name === 'escaped'), [])
  }
})

async function makePlace(zip = makeZip(FILES)) {
  const dir = await mkdtemp(join(tmpdir(), 'edgehold-go-'))
  const asked: string[] = []
  const search: GoSearch = {
    env: { PATH: join(dir, 'empty'), GOPROXY: 'off,https://mirror.test/,direct' }, needed: '1.26.0', host: 'amd64', cacheDir: join(dir, 'cache'),
    download: async (url, path) => {
      asked.push(url)
      await writeFile(path, zip)
    },
    report: () => undefined, signal: AbortSignal.timeout(20_000),
  }
  const pinned: PinnedGo = { version: '9.9.9', sums: { amd64: dirhash(FILES), arm64: '' } }
  return { dir, asked, search, pinned, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}

function dirhash(files: Readonly<Record<string, string>>): string {
  const lines = Object.keys(files).toSorted().map((name) => `${createHash('sha256').update(files[name] ?? '').digest('hex')}  ${PREFIX}${name}\n`)
  return `h1:${createHash('sha256').update(lines.join('')).digest('base64')}`
}

function makeZip(files: Readonly<Record<string, string>>): Buffer {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const [file, text] of Object.entries(files)) {
    const name = Buffer.from(PREFIX + file)
    const packed = deflateRawSync(text)
    const fields = Buffer.alloc(26) // from "version needed" to "extra length", the same in both headers
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(8, 4)
    fields.writeUInt32LE(crc32(text), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(Buffer.byteLength(text), 18)
    fields.writeUInt16LE(name.length, 22)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(at, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, tail, name)
    const body = [Buffer.from('PK\x03\x04', 'latin1'), fields, name, packed]
    bodies.push(...body)
    at += body.reduce((sum, part) => sum + part.length, 0)
  }
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 0, 'latin1')
  end.writeUInt16LE(Object.keys(files).length, 8)
  end.writeUInt16LE(Object.keys(files).length, 10)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...bodies, ...directory, end])
}
