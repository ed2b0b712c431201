import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { ComponentMissing, InstallFailed } from '#ports/components.ts'

import { ComponentCache } from './component-cache.ts'
import { identifyProcess } from './process-identity.ts'
import { makeTinyRepository, type TinyRepository } from './tiny-repository.harness.ts'

const DEADLINE_MS = 30_000
const signal = () => AbortSignal.timeout(DEADLINE_MS)

test('programs are built, found with their checksum, and not built again', async () => {
  await using repository = await makeTinyRepository()
  const first = await installIn(repository)
  const cache = open(repository)
  const alpha = await cache.find('alpha')
  assert.equal(alpha.sha256, createHash('sha256').update(await readFile(alpha.path)).digest('hex'))
  assert.equal(alpha.sizeBytes, (await readFile(alpha.path)).length)
  assert.equal(run(alpha.path), 'alpha one\n')
  assert.equal(run((await cache.find('gamma', { kubernetesVersion: 'v1.34.0' })).path), 'gamma two\n')
  assert.deepEqual(cache.kubernetesVersions(), ['v1.34.0'])
  assert.match(first.join('\n'), /0\/3 Building First v1\.0\.0 \(2 programs\), about \d+ minutes?\n2\/3 Installed First v1\.0\.0/)

  const second = await installIn(repository)
  assert.deepEqual(second, ['3/3 All 3 components are installed'])
  assert.deepEqual(await repository.builds(), ['example.test/first/alpha example.test/first/beta', 'example.test/second/gamma'])
})

test('what is not there is said in a sentence with the command that brings it', async () => {
  await using repository = await makeTinyRepository()
  const cache = open(repository)
  await assert.rejects(cache.find('alpha', { architecture: 'arm64' }), (error) => error instanceof ComponentMissing && /alpha v1\.0\.0 for arm64 is not installed; run: edgehold components install/.test(error.message))
  await assert.rejects(cache.find('gamma', { kubernetesVersion: 'v1.99.0' }), /Kubernetes v1\.99\.0 is not served; served are v1\.34\.0/)
  await assert.rejects(cache.find('delta'), /no component named delta/)
  const unserved = cache.install({ kubernetesVersions: ['v1.99.0'], onProgress: () => undefined, signal: signal() })
  await assert.rejects(unserved, (error) => error instanceof InstallFailed && /Kubernetes v1\.99\.0 is not served/.test(error.message))
})

test('a truncated file is missing at once, and so is one of the same size with another byte, and both are installed again', async () => {
  await using repository = await makeTinyRepository()
  await installIn(repository)
  const cache = open(repository)
  assert.ok((await cache.list()).every((state) => state.state === 'installed'))
  await truncate((await cache.find('alpha')).path, 10)
  await assert.rejects(cache.find('alpha'), ComponentMissing)
  const gamma = await cache.find('gamma')
  const bytes = await readFile(gamma.path)
  bytes[5000]! ^= 1
  await writeFile(gamma.path, bytes)
  for (const cacheOfSomebody of [cache, open(repository)]) await assert.rejects(cacheOfSomebody.find('gamma'), ComponentMissing)
  const states = await cache.list()
  assert.deepEqual(states.map((state) => [state.name, state.state, state.from]), [['alpha', 'missing', undefined], ['beta', 'installed', 'build'], ['gamma', 'missing', undefined]])
  await installIn(repository)
  assert.deepEqual((await repository.builds()).slice(2), ['example.test/first/alpha', 'example.test/second/gamma'])
  assert.equal(run((await cache.find('alpha')).path), 'alpha one\n')
})

test('what was seen whole is not read again until it changes, not even to be used', async () => {
  await using repository = await makeTinyRepository()
  await installIn(repository)
  const { path } = await open(repository).find('alpha')
  // A sum that nothing has: who reads the program finds it damaged.
  const entry = join(dirname(path), 'entry.json'), checked = join(dirname(path), 'checked.json')
  const noted = JSON.parse(await readFile(checked, 'utf8')) as { sha256: string }
  await writeFile(checked, JSON.stringify({ ...noted, sha256: '0'.repeat(64) }))
  await writeFile(entry, JSON.stringify({ ...(JSON.parse(await readFile(entry, 'utf8')) as object), sha256: '0'.repeat(64) }))
  assert.equal((await open(repository).find('alpha')).sha256, '0'.repeat(64))
  await rm(checked)
  await assert.rejects(open(repository).find('alpha'), ComponentMissing)
})

test('a program of another processor than the wanted one is not taken', async () => {
  await using origin = await serveReleases('right', Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), Buffer.alloc(11), Buffer.from([0xf3, 0x00])]))
  await using repository = await makeTinyRepository(origin.release)
  const lines = await installIn(repository, { releases: true })
  assert.match(lines.join('\n'), /Building First v1\.0\.0 .*is made for another processor and not for \w+64/)
  assert.equal((await open(repository).list())[0]?.from, 'build')
})

test('a changed go.mod is another program', async () => {
  await using repository = await makeTinyRepository()
  await installIn(repository)
  await writeFile(join(repository.dir, 'components', 'first', 'go.mod'), 'module example.test/first\n\ngo 1.22\n')
  await assert.rejects(open(repository).find('alpha'), ComponentMissing)
  assert.equal((await open(repository).find('gamma')).version, 'v1.34.0')
})

test('the official release is taken when its checksum is right', async () => {
  await using origin = await serveReleases('right')
  await using repository = await makeTinyRepository(origin.release)
  const lines = await installIn(repository, { releases: true })
  assert.match(lines.join('\n'), /Downloading First v1\.0\.0 from 127\.0\.0\.1/)
  const cache = open(repository)
  assert.equal(run((await cache.find('alpha')).path), 'released alpha\n')
  assert.deepEqual((await cache.list()).map((state) => state.from), ['release', 'release', 'build'])
  assert.deepEqual(await repository.builds(), ['example.test/second/gamma'])
})

test('a release with another checksum is refused and the program is built', async () => {
  await using origin = await serveReleases('wrong')
  await using repository = await makeTinyRepository(origin.release)
  const lines = await installIn(repository, { releases: true })
  assert.match(lines.join('\n'), /Building First v1\.0\.0 .*is the published one: it is not used/)
  assert.equal(run((await open(repository).find('alpha')).path), 'alpha one\n')
})

test('releases that break off, or are switched off, are built instead', async () => {
  await using origin = await serveReleases('broken')
  await using repository = await makeTinyRepository(origin.release)
  await installIn(repository, { releases: true })
  assert.equal(run((await open(repository).find('beta')).path), 'beta one\n')
  const asked = origin.asked()
  await rm(repository.cacheDir, { recursive: true })
  await installIn(repository)
  assert.equal(origin.asked(), asked)
})

test('a closed network costs one attempt for each host', async () => {
  const origin = await serveReleases('right')
  await origin[Symbol.asyncDispose]()
  await using repository = await makeTinyRepository(origin.release)
  const lines = await installIn(repository, { releases: true })
  assert.equal(lines.filter((line) => line.includes('cannot be reached')).length, 1)
  assert.equal(run((await open(repository).find('alpha')).path), 'alpha one\n')
})

test('a failed build is told with its last words, and the other groups are installed all the same', async () => {
  await using repository = await makeTinyRepository()
  await writeFile(join(repository.dir, 'components', 'first', 'alpha', 'main.go'), 'package main\n\nfunc main() { undefinedThing() }\n')
  await assert.rejects(installIn(repository), (error) => error instanceof InstallFailed && /Building First v1\.0\.0 for \w+ failed: .*undefined: undefinedThing/s.test(error.message))
  assert.equal((await open(repository).find('gamma')).name, 'gamma')
})

test('killed in the middle of a build, it goes on where it was and leaves no compiler behind', async () => {
  await using repository = await makeTinyRepository()
  await installIn(repository, { only: 0 })
  await writeFile(join(repository.dir, 'hold'), '')
  const installer = spawnInstall(repository)
  await until(async () => (await repository.builds()).length === 2)
  const lock = await until(async () => {
    const text = await readFile(join(repository.cacheDir, 'locks', `second-${host()}.lock`), 'utf8').catch(() => '{}')
    return (JSON.parse(text) as { child?: { pid: number } }).child
  })
  installer.kill('SIGKILL')
  await once(installer, 'exit')
  assert.ok(identifyProcess(lock.pid), 'the build outlives its killed parent')
  const before = await open(repository).find('alpha')
  const lines = await installIn(repository, { env: process.env }) // with the real go; the held one would wait for ever
  assert.ok(lines.every((line) => !line.includes('First')), 'what was finished is kept')
  assert.equal(run((await open(repository).find('gamma')).path), 'gamma two\n')
  assert.deepEqual(await open(repository).find('alpha'), before)
  await until(async () => identifyProcess(lock.pid) === undefined)
})

test('two processes that install at once build once', async () => {
  await using repository = await makeTinyRepository()
  await writeFile(join(repository.dir, 'hold'), '')
  const [one, two] = [spawnInstall(repository), spawnInstall(repository)]
  await until(async () => `${one.said()}${two.said()}`.includes('Waiting for process'))
  await rm(join(repository.dir, 'hold'))
  await Promise.all([one, two].map(async (child) => child.exitCode === null && once(child, 'exit')))
  assert.deepEqual([one.exitCode, two.exitCode], [0, 0], one.said() + two.said())
  assert.equal((await repository.builds()).length, 2)
})

test('an interrupted install ends its build and can be repeated', async () => {
  await using repository = await makeTinyRepository()
  await writeFile(join(repository.dir, 'hold'), '')
  const interrupt = new AbortController()
  const installing = installIn(repository, { signal: interrupt.signal })
  await until(async () => (await repository.builds()).length === 1)
  interrupt.abort(new Error('enough'))
  await assert.rejects(installing, /enough/)
  await rm(join(repository.dir, 'hold'))
  await installIn(repository)
  assert.equal(run((await open(repository).find('beta')).path), 'beta one\n')
})

test('a folder of the operator wins over all else', async () => {
  await using repository = await makeTinyRepository()
  const folder = join(repository.dir, 'given')
  for (const path of ['alpha', 'v1.0.0/beta', 'v1.34.0/gamma']) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), `#!/bin/sh\necho given ${path}\n`, { mode: 0o755 })
  }
  const cache = new ComponentCache({ cacheDir: repository.cacheDir, folder, releases: false, repositoryDir: repository.dir, groups: repository.groups })
  await cache.install({ onProgress: () => undefined, signal: signal() })
  assert.equal(run((await cache.find('alpha')).path), 'given alpha\n')
  assert.equal(run((await cache.find('gamma')).path), 'given v1.34.0/gamma\n')
  assert.deepEqual((await cache.list()).map((state) => state.from), ['folder', 'folder', 'folder'])
  assert.deepEqual(await repository.builds(), [])
})

function open(repository: TinyRepository): ComponentCache {
  return new ComponentCache({ cacheDir: repository.cacheDir, releases: false, repositoryDir: repository.dir, groups: repository.groups })
}

/** Installs in this process, with the noting `go` in front, and answers with the lines of progress. */
async function installIn(repository: TinyRepository, options: { releases?: boolean; only?: 0 | 1; env?: NodeJS.ProcessEnv; signal?: AbortSignal } = {}): Promise<string[]> {
  const groups = options.only === undefined ? repository.groups : [repository.groups[options.only]]
  const { cacheDir, dir: repositoryDir } = repository
  const env = options.env ?? repository.env
  const cache = new ComponentCache({ cacheDir, releases: options.releases ?? false, repositoryDir, groups, env })
  const lines: string[] = []
  await cache.install({ onProgress: ({ done, total, text }) => lines.push(`${done}/${total} ${text}`), signal: options.signal ?? signal() })
  return lines
}

function spawnInstall(repository: TinyRepository) {
  const options = { cacheDir: repository.cacheDir, releases: false, repositoryDir: repository.dir, groups: repository.groups }
  const code = `
    import { ComponentCache } from ${JSON.stringify(join(import.meta.dirname, 'component-cache.ts'))}
    const cache = new ComponentCache({ ...${JSON.stringify(options)}, env: process.env })
    await cache.install({ onProgress: ({ text }) => console.log(text), signal: AbortSignal.timeout(${DEADLINE_MS}) })`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], { env: repository.env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  return Object.assign(child, { said: () => said })
}

/** A stand-in for an upstream: serves `/NAME` and `/NAME.sha256`. */
async function serveReleases(kind: 'right' | 'wrong' | 'broken', content?: Buffer) {
  let asked = 0
  const server: Server = createServer((request, response) => {
    asked++
    const name = (request.url ?? '').slice(1)
    const program = (which: string) => content ?? `#!/bin/sh\necho released ${which}\n`
    const sum = createHash('sha256').update(program(name.replace('.sha256', ''))).digest('hex')
    if (name.endsWith('.sha256')) response.end(`${sum}  ${name.replace('.sha256', '')}\n`)
    else if (kind === 'broken') {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('#!/bin/sh', () => response.destroy())
    } else response.end(kind === 'right' ? program(name) : `${String(program(name))}# changed\n`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    release: { url: `${base}/{name}`, sums: `${base}/{name}.sha256` },
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function run(path: string): string {
  const quoted = path.replaceAll("'", String.raw`'\''`)
  return execFileSync('sh', ['-c', `'${quoted}' 2>&1`], { encoding: 'utf8' }) // Go's println writes to standard error
}

function host(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch
}

async function until<T>(look: () => Promise<T>): Promise<NonNullable<T> & {}> {
  const deadline = Date.now() + DEADLINE_MS
  for (;;) {
    const seen = await look()
    if (seen) return seen
    if (Date.now() > deadline) throw new Error('waited in vain')
    await sleep(20)
  }
}
