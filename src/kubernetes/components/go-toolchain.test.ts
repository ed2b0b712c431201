import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32, deflateRawSync } from 'node:zlib'

import { InstallFailed } from '#ports/components.ts'

import { ensureGo, isOlder, type GoSearch, type PinnedGo } from './go-toolchain.ts'
import { runChild } from './child.ts'
import { ReleaseSource } from './release.ts'

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

test('a host without Go and without a mirror gets it from Go\'s own home, by the sum in its list', async () => {
  await using place = await makePlace()
  await using home = await makeHome()
  const search = { ...place.search, env: { PATH: place.search.env['PATH'], GOPROXY: 'off' }, download: home.download }
  const found = await ensureGo(search, place.pinned, home.address)
  assert.equal(await runChild(join(found.folder ?? '', 'go'), [], { signal: AbortSignal.timeout(5_000) }), 'a Go of its home\n')
  await ensureGo(search, place.pinned, home.address)
  assert.deepEqual(home.asked, ['/dl/?mode=json&include=all', '/dl/go9.9.9.linux-amd64.tar.gz'], 'once')
  assert.deepEqual(place.said, [`Downloading Go 9.9.9 (70 MB) from ${new URL(home.address).host}`])
})

test('the mirror that was named comes first, and its home where that does not have it', async () => {
  await using place = await makePlace()
  await using home = await makeHome()
  await ensureGo({ ...place.search, download: (url, path, signal) => (url.startsWith(home.address) ? home : place.search).download(url, path, signal) }, place.pinned, home.address)
  assert.deepEqual([place.asked.length, home.asked.length], [1, 0])

  await using other = await makePlace()
  const search = { ...other.search, env: { ...other.search.env, GOPROXY: new URL('/mirror', home.address).href }, download: home.download }
  const found = await ensureGo(search, other.pinned, home.address)
  assert.equal(await runChild(join(found.folder ?? '', 'go'), [], { signal: AbortSignal.timeout(5_000) }), 'a Go of its home\n')
  assert.deepEqual(home.asked, ['/mirror/golang.org/toolchain/@v/v0.0.1-go9.9.9.linux-amd64.zip', '/dl/?mode=json&include=all', '/dl/go9.9.9.linux-amd64.tar.gz'])
})

test('an archive of another sum, a list without it, and a page for people are refused in a sentence, and nothing is kept', async () => {
  for (const [change, why] of [
    [{ sha256: '0'.repeat(64) }, /has the checksum \w+, and 0{64} is the published one/], [{ arch: 'riscv64' }, /lists no archive of Go 9\.9\.9 for linux-amd64/],
    [{ filename: '../../go.tar.gz' }, /lists no archive/], ['<html>', /lists no archive/],
  ] as const) {
    await using place = await makePlace()
    await using home = await makeHome(change)
    const search = { ...place.search, env: { PATH: place.search.env['PATH'] }, download: home.download }
    await assert.rejects(ensureGo(search, place.pinned, home.address), (error) => error instanceof InstallFailed && why.test(error.message) && /this host has none.*Install it from https:\/\/go\.dev\/dl\/ and run/.test(error.message))
    assert.deepEqual(await readdir(join(place.dir, 'cache', 'work')), [])
    await assert.rejects(readdir(join(place.dir, 'cache', 'go')), { code: 'ENOENT' })
  }
})

test('where releases are switched off, nobody asks Go\'s home', async () => {
  await using place = await makePlace()
  await using home = await makeHome()
  const search = { ...place.search, releases: false, env: { PATH: place.search.env['PATH'] }, download: home.download }
  await assert.rejects(ensureGo(search, place.pinned, home.address), /Building needs Go 1\.26\.0 or newer, this host has none.*releases are switched off.*Install it from/)
  assert.deepEqual(home.asked, [])
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

/** Go's home on this host: a list of releases, and one archive. `change`: what its list says otherwise. */
async function makeHome(change: object | string = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'edgehold-go-home-'))
  await mkdir(join(dir, 'go', 'bin'), { recursive: true })
  await writeFile(join(dir, 'go', 'bin', 'go'), '#!/bin/sh\necho "a Go of its home"\n', { mode: 0o755 })
  await runChild('tar', ['-czf', join(dir, 'go.tar.gz'), '-C', dir, 'go'], { signal: AbortSignal.timeout(5_000) })
  const archive = await readFile(join(dir, 'go.tar.gz'))
  const file = { filename: 'go9.9.9.linux-amd64.tar.gz', os: 'linux', arch: 'amd64', version: 'go9.9.9', sha256: createHash('sha256').update(archive).digest('hex'), size: archive.length, kind: 'archive' }
  const list = typeof change === 'string' ? change : JSON.stringify([
    { version: 'go9.9.10', stable: true, files: [{ ...file, version: 'go9.9.10', filename: 'go9.9.10.linux-amd64.tar.gz' }] },
    { version: 'go9.9.9', stable: true, files: [{ ...file, filename: 'go9.9.9.src.tar.gz', os: '', arch: '', kind: 'source' }, { ...file, ...change }] },
  ])
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url === '/dl/?mode=json&include=all') response.end(list)
    else if (request.url === '/dl/go9.9.9.linux-amd64.tar.gz') response.end(archive)
    else response.writeHead(404).end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const source = new ReleaseSource()
  return {
    asked, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dl/`,
    download: (url: string, path: string, signal: AbortSignal) => source.download(url, path, signal),
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function makePlace(zip = makeZip(FILES)) {
  const dir = await mkdtemp(join(tmpdir(), 'edgehold-go-'))
  const asked: string[] = []
  const said: string[] = []
  const search: GoSearch = {
    env: { PATH: join(dir, 'empty'), GOPROXY: 'off,https://mirror.test/,direct' }, needed: '1.26.0', host: 'amd64', cacheDir: join(dir, 'cache'),
    download: async (url, path) => {
      asked.push(url)
      await writeFile(path, zip)
      return createHash('sha256').update(zip).digest('hex')
    },
    releases: true,
    report: (text) => said.push(text), signal: AbortSignal.timeout(20_000),
  }
  const pinned: PinnedGo = { version: '9.9.9', sums: { amd64: dirhash(FILES), arm64: '' } }
  return { dir, asked, said, search, pinned, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
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
