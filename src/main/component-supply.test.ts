import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ComponentMissing, InstallFailed, type ComponentFile, type Components, type InstallProgress } from '#ports/components.ts'
import type { Log } from '#ports/log.ts'
import { ComponentSupply } from './component-supply.ts'

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT }
const V = 'v1.35.4'

/** Components of which each installation brings what is missing, once it may. */
class FakeComponents {
  readonly missing = new Set<string>(['etcd', 'kubelet'])
  installations = 0
  gate = Promise.withResolvers<void>()
  fails: Error | undefined

  kubernetesVersions(): readonly string[] { return [V] }
  async list(): Promise<readonly never[]> { return [] }

  async find(name: string): Promise<ComponentFile> {
    if (this.missing.has(name)) throw new ComponentMissing(`${name} is not installed`)
    return { name, version: V, architecture: 'amd64', path: `/cache/${name}`, sha256: '', sizeBytes: 1 }
  }

  async install({ onProgress }: { onProgress: (progress: InstallProgress) => void }): Promise<void> {
    this.installations += 1
    onProgress({ done: 0, total: 2, text: 'Building etcd v3.6.16, about 1 minute' })
    await this.gate.promise
    if (this.fails) throw this.fails
    this.missing.clear()
  }
}

test('a version waits with the installation\'s own words, and is ready when all its programs are there', async () => {
  const components = new FakeComponents(), supply = new ComponentSupply(components as unknown as Components, SILENT)
  const running = supply.run(() => undefined, async () => undefined, new AbortController().signal)
  assert.deepEqual(await supply.stateOf(V), { state: 'waiting', says: `The components of Kubernetes ${V} are not there yet: Building etcd v3.6.16, about 1 minute` })
  components.gate.resolve()
  await running
  assert.deepEqual([await supply.stateOf(V), supply.isWhole(), components.installations], [{ state: 'ready' }, true, 1])
})

test('a program that is damaged or taken away later is brought again, once, and waited for', async () => {
  const components = new FakeComponents(), supply = new ComponentSupply(components as unknown as Components, SILENT)
  components.gate.resolve()
  await supply.run(() => undefined, async () => undefined, new AbortController().signal)
  components.gate = Promise.withResolvers()
  components.missing.add('etcd')
  let told = 0
  supply.onSupplied(() => { told += 1 })
  assert.equal((await supply.stateOf(V)).state, 'waiting')
  assert.equal((await supply.stateOf(V)).state, 'waiting')
  assert.deepEqual([supply.isWhole(), components.installations], [false, 2])
  components.gate.resolve()
  for (const patience = Date.now() + 5_000; !supply.isWhole() && Date.now() < patience;) await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual([await supply.stateOf(V), supply.isWhole(), components.installations], [{ state: 'ready' }, true, 2])
  assert.ok(told >= 2, 'who waits is told')
})

test('what was given up on says why, and is tried again after a while', async () => {
  const components = new FakeComponents(), supply = new ComponentSupply(components as unknown as Components, SILENT)
  components.fails = new InstallFailed('The disk is full.')
  components.gate.resolve()
  const waits: string[] = []
  await supply.run(() => undefined, async () => {
    const state = await supply.stateOf(V)
    waits.push(state.state === 'gaveUp' ? state.says : state.state)
    components.fails = undefined
  }, new AbortController().signal)
  assert.deepEqual([waits, await supply.stateOf(V)], [['The disk is full.'], { state: 'ready' }])
})
