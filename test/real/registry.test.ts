// The region registry with the real programs, on loopback. Needs no root, but the components `registry`, `agnhost` and `coredns`.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { ComponentCache, defaultCacheDir } from '#kubernetes/components/component-cache.ts'
import { identifyProcess } from '#kubernetes/components/process-identity.ts'
import { systemClock } from '#main/system-clock.ts'
import { ComponentMissing, type Components } from '#ports/components.ts'
import { registryCgroup } from '#providers/local/registry/registry-cgroup.ts'
import { RegionRegistry } from '#providers/local/registry/region-registry.ts'
import { findRegistryProcesses } from '#providers/local/registry/registry-process.ts'

const repositoryDir = join(import.meta.dirname, '..', '..')
const cache = new ComponentCache({ cacheDir: defaultCacheDir(process.env), releases: false, repositoryDir })
const missing = await Promise.all(['registry', 'agnhost', 'coredns'].map(async (name) => cache.find(name).then(() => [], (error: unknown) => {
  if (error instanceof ComponentMissing) return [name]
  throw error
})))
const skip = missing.flat().length > 0 && `components are missing: ${missing.flat().join(', ')}`
const signal = () => AbortSignal.timeout(180_000)

test('a region\'s registry, from nothing to nothing', { skip }, async (t) => {
  await using place = await makePlace()
  const { registry, folder, base } = place

  await t.test('is filled from the installed components', async () => {
    await registry.ensure(signal())
    const images = Object.fromEntries((await registry.list()).map(({ name, tags }) => [name, tags]))
    assert.deepEqual(images['pause'], ['3.10'])
    assert.deepEqual(images['coredns'], [(await cache.find('coredns')).version])
    assert.deepEqual(images['agnhost'], [(await cache.find('agnhost')).version])
  })

  await t.test('gives images by HTTP whose layer holds the program', async () => {
    const accept = { accept: 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' }
    const index = await getJson<{ manifests: { digest: string; platform: { os: string; architecture: string } }[] }>(`${base}/pause/manifests/3.10`, accept)
    const mine = index.manifests.find(({ platform }) => platform.architecture === { x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64'])
    assert.equal(mine?.platform.os, 'linux')
    const manifest = await getJson<{ config: { digest: string }; layers: { digest: string; size: number }[] }>(`${base}/pause/manifests/${mine?.digest}`, accept)
    const config = await getJson<{ config: { Entrypoint: string[] }; rootfs: { diff_ids: string[] } }>(`${base}/pause/blobs/${manifest.config.digest}`)
    assert.deepEqual(config.config.Entrypoint, ['/agnhost', 'pause'])
    const [layer] = manifest.layers
    assert.deepEqual(config.rootfs.diff_ids, [layer?.digest])
    const tar = Buffer.from(await (await fetch(`${base}/pause/blobs/${layer?.digest}`)).arrayBuffer())
    assert.equal(tar.length, layer?.size)
    const unpacked = join(folder, 'unpacked')
    await mkdir(unpacked)
    execFileSync('tar', ['-xf', '-', '-C', unpacked], { input: tar })
    assert.deepEqual((await readdir(unpacked)).toSorted(), ['agnhost', 'etc', 'tmp'])
    assert.equal(createHash('sha256').update(await readFile(join(unpacked, 'agnhost'))).digest('hex'), (await cache.find('agnhost')).sha256)
    assert.match(execFileSync(join(unpacked, 'agnhost'), ['--help'], { encoding: 'utf8' }), /pause/)
  })

  await t.test('refuses to be written to by machines', async () => {
    const started = await fetch(`${base}/pause/blobs/uploads/`, { method: 'POST' })
    assert.equal(started.status, 405)
    const manifest = await fetch(`${base}/pause/manifests/3.10`)
    const again = await fetch(`${base}/pause/manifests/other`, { method: 'PUT', body: await manifest.text(), headers: { 'content-type': manifest.headers.get('content-type') ?? '' } })
    assert.equal(again.status, 405)
    assert.equal((await fetch(`${base}/pause/manifests/3.10`, { method: 'DELETE' })).status, 405)
    assert.deepEqual((await findRegistryProcesses(join(folder, 'registry'))).map(({ config }) => config.split('-')[0]), ['reader'])
  })

  await t.test('is adopted by the next server, and nothing is pushed twice', async () => {
    const before = await findRegistryProcesses(join(folder, 'registry'))
    const filled = await stat(join(folder, 'registry', 'filled.json'))
    const next = place.another()
    await next.ensure(signal())
    assert.equal((await stat(join(folder, 'registry', 'filled.json'))).mtimeMs, filled.mtimeMs)
    assert.deepEqual(await findRegistryProcesses(join(folder, 'registry')), before)
    assert.deepEqual(place.started(), before.map(({ pid }) => pid), 'no other was started')
  })

  await t.test('comes back after it was killed', async () => {
    const [before] = await findRegistryProcesses(join(folder, 'registry'))
    assert.ok(before)
    process.kill(before.pid, 'SIGKILL')
    await registry.ensure(signal())
    const after = await findRegistryProcesses(join(folder, 'registry'))
    assert.equal(after.length, 1)
    assert.notEqual(after[0]?.pid, before.pid)
    assert.equal((await fetch(`${base}/pause/manifests/3.10`)).status, 200)
  })

  await t.test('takes a program with its entrypoint, several at once', async () => {
    const executable = join(folder, 'hello')
    await writeFile(executable, '\x7fELF', 'latin1')
    await chmod(executable, 0o755)
    const push = (tag: string) => registry.push({ name: 'team/hello', tag, executable, entrypoint: ['/hello', 'there'] })
    await Promise.all([push('one'), push('two')])
    assert.deepEqual((await registry.list()).find(({ name }) => name === 'team/hello')?.tags, ['one', 'two'])
  })

  await t.test('takes an OCI archive and the output of docker save, and says what is wrong with anything else', async () => {
    const { oci, docker } = await makeArchives(folder)
    await registry.push({ name: 'from-oci', tag: 'v1', archive: oci })
    await registry.push({ name: 'from-docker', tag: 'v1', archive: docker })
    const names = (await registry.list()).map(({ name }) => name)
    assert.ok(names.includes('from-oci') && names.includes('from-docker'), names.join())
    const saved = await getJson<{ layers: { digest: string }[] }>(`${base}/from-docker/manifests/v1`, { accept: 'application/vnd.oci.image.manifest.v1+json' })
    assert.equal((await fetch(`${base}/from-docker/blobs/${saved.layers[0]?.digest}`)).status, 200)
    const other = join(folder, 'other.tar')
    execFileSync('tar', ['-cf', other, '-C', folder, 'hello'])
    await assert.rejects(registry.push({ name: 'x', tag: 'y', executable: other }), /is no program/)
    await assert.rejects(registry.push({ name: 'x', tag: 'y', archive: other }), /neither an OCI layout .* nor the output of docker save/)
  })

  await t.test('says so when its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const other = new RegionRegistry({ stateDir: join(folder, 'other'), listenHost: '127.0.0.1', port: (taken.address() as AddressInfo).port, components: cache })
    await assert.rejects(other.ensure(signal()), /The registry ended at once with code 1\. Its last words: .*address already in use/s)
    taken.close()
  })

  await t.test('lies in a cgroup of its own, which goes with it', { skip: process.getuid?.() !== 0 && 'needs root for cgroups' }, async () => {
    const hash = randomBytes(4).toString('hex')
    const own = new RegionRegistry({ stateDir: join(folder, 'own'), listenHost: '127.0.0.1', port: await freePort(), components: cache, ...registryCgroup(hash, systemClock) })
    const folders = () => execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '3', '-name', `edgehold-${hash}*`], { encoding: 'utf8' })
    try {
      await own.ensure(signal())
      const [running] = await findRegistryProcesses(join(folder, 'own', 'registry'))
      const groups = (await readFile(`/proc/${running?.pid}/cgroup`, 'utf8')).trim().split('\n')
      assert.ok(groups.some((line) => line.endsWith(`:/edgehold-${hash}/registry`)), groups.join())
      for (const line of groups) if (/memory|pids|name=systemd|^0:/.test(line) && !line.endsWith('/registry')) assert.fail(`${line} is the server's`)
    } finally {
      await own.ensureGone()
    }
    assert.equal(folders(), '')
  })

  await t.test('leaves no process when it is to be gone, and keeps its images', async () => {
    await registry.ensureGone()
    await registry.ensureGone()
    assert.deepEqual(await findRegistryProcesses(join(folder, 'registry')), [])
    await registry.ensure(signal())
    assert.ok((await registry.list()).some(({ name }) => name === 'team/hello'))
    await registry.ensureGone()
    assert.deepEqual(await findRegistryProcesses(join(folder, 'registry')), [])
  })
})

test('several processes write at once: a server that fills, and people who push', { skip }, async (t) => {
  await using place = await makePlace(async (folder) => {
    const small = join(folder, 'small')
    await writeFile(small, `\x7fELF${'x'.repeat(100_000)}`, { encoding: 'latin1', mode: 0o755 })
    const { path: _, ...facts } = await cache.find('registry')
    return { find: async (name, options) => (name === 'registry' ? cache.find(name, options) : { ...facts, name, path: small }), kubernetesVersions: () => [], list: async () => [], install: async () => {} }
  })
  const { registry, folder } = place
  const executable = join(folder, 'small')
  const tagsOf = async (name: string) => (await registry.list()).find((image) => image.name === name)?.tags

  await t.test('each waits for its turn, and none is cut off', async () => {
    const push = (tag: string) => place.another().push({ name: 'team/hello', tag, executable })
    await registry.ensure(signal())
    await rm(join(folder, 'registry', 'filled.json')) // as if all images were still to come
    await Promise.all([place.another().ensure(signal()), push('one'), push('two'), place.another().ensure(signal()), push('three')])
    assert.deepEqual(await tagsOf('team/hello'), ['one', 'three', 'two'])
    assert.deepEqual(await tagsOf('pause'), ['3.10'])
    assert.deepEqual((await findRegistryProcesses(join(folder, 'registry'))).map(({ config }) => config.split('-')[0]), ['reader'], 'no writer stays')
    assert.deepEqual((await readdir(join(folder, 'registry'))).filter((name) => name.includes('lock')), [])
  })

  await t.test('one that was killed in the middle of a push holds nobody up', async () => {
    const dead = spawn('true')
    await once(dead, 'exit')
    await writeFile(join(folder, 'registry', 'writer.lock'), JSON.stringify({ owner: { pid: dead.pid, startedAt: '1' }, nonce: 'of the dead' }))
    await registry.push({ name: 'team/hello', tag: 'four', executable })
    assert.ok((await tagsOf('team/hello'))?.includes('four'))
  })

  await t.test('one that writes for longer than a push may take is named', async () => {
    await writeFile(join(folder, 'registry', 'writer.lock'), JSON.stringify({ owner: identifyProcess(process.pid), nonce: 'of a living one' }))
    await rm(join(folder, 'registry', 'filled.json'))
    await assert.rejects(registry.ensure(AbortSignal.timeout(1_000)), new RegExp(`Process ${process.pid} has been writing to the registry all the time`))
    await rm(join(folder, 'registry', 'writer.lock'))
  })
})

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

async function makePlace(makeComponents: (folder: string) => Promise<Components> = async () => cache) {
  const folder = await mkdtemp(join(tmpdir(), 'edgehold-region-'))
  const port = await freePort()
  const started: number[] = []
  const components = await makeComponents(folder)
  const make = () => new RegionRegistry({
    stateDir: folder, listenHost: '127.0.0.1', port, components, onStarted: async (pid) => void started.push(pid),
  })
  const registry = make()
  return {
    folder, registry, another: make, started: () => started, base: `http://127.0.0.1:${port}/v2`,
    async [Symbol.asyncDispose]() {
      await registry.ensureGone()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The same one-layer image in both forms that people have. */
async function makeArchives(folder: string): Promise<{ oci: string; docker: string }> {
  const root = join(folder, 'archives')
  const blobs = join(root, 'oci', 'blobs', 'sha256')
  const saved = join(root, 'docker')
  await Promise.all([mkdir(blobs, { recursive: true }), mkdir(saved, { recursive: true })])
  const layer = execFileSync('tar', ['-cf', '-', '-C', folder, 'hello'])
  const put = async (mediaType: string, bytes: Buffer) => {
    const sum = createHash('sha256').update(bytes).digest('hex')
    await writeFile(join(blobs, sum), bytes)
    return { mediaType, digest: `sha256:${sum}`, size: bytes.length }
  }
  const layers = [await put('application/vnd.oci.image.layer.v1.tar', layer)]
  const configBytes = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', config: {}, rootfs: { type: 'layers', diff_ids: [layers[0]?.digest] } }))
  const config = await put('application/vnd.oci.image.config.v1+json', configBytes)
  const manifestType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = await put(manifestType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers })))
  await writeFile(join(root, 'oci', 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }))
  await writeFile(join(root, 'oci', 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await Promise.all([writeFile(join(saved, 'config.json'), configBytes), writeFile(join(saved, 'layer.tar'), layer)])
  await writeFile(join(saved, 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: ['x:y'], Layers: ['layer.tar'] }]))
  for (const form of ['oci', 'docker']) execFileSync('tar', ['-cf', join(root, `${form}.tar`), '-C', join(root, form), '.'])
  return { oci: join(root, 'oci.tar'), docker: join(root, 'docker.tar') }
}

async function getJson<T>(url: string, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(url, { headers })
  assert.equal(response.status, 200, `${url}: ${response.status}`)
  return (await response.json()) as T
}
