import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiClient } from '#kubernetes/client/api-client.ts'
import { ComponentCache, defaultCacheDir } from '#kubernetes/components/component-cache.ts'
import { makePki } from '#kubernetes/pki/cluster-pki.ts'
import { signer } from '#kubernetes/pki/certificate.ts'
import { rememberNetwork } from '#main/local/remembered-network.ts'
import { systemClock } from '#main/system-clock.ts'
import type { Clock } from '#ports/clock.ts'
import type { Components } from '#ports/components.ts'
import type { ControlPlaneOrder } from '#ports/control-plane-host.ts'
import type { Log } from '#ports/log.ts'
import { LocalControlPlaneHost, type LocalControlPlaneHostOptions } from '#providers/local/control-plane/local-control-plane-host.ts'
import { chooseHostNetwork } from '#providers/local/host-network/choose.ts'
import { ensureHostNetwork, removeHostNetwork } from '#providers/local/host-network/host-network.ts'
import { addressPool, stateHash, type HostNetworkSettings } from '#providers/local/host-network/settings.ts'
import { cidrOf, nthAddress } from '#model/cidr.ts'
import { downWhenEnded, type Farewell } from '#test/harness/when-ended.ts'

export const clock: Clock = systemClock
export const quietLog: Log = { debug() {}, info() {}, warn(facts, text) { console.error(text, facts) }, error(facts, text) { console.error(text, facts) }, child: () => quietLog }

/** Why these tests cannot run here, or undefined. */
export function missingForControlPlanes(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces'
  if (!existsSync(defaultCacheDir(process.env))) return 'needs the components: run ./edgehold components install'
  return undefined
}

export const installed: Components = new ComponentCache({ cacheDir: defaultCacheDir(process.env), releases: false, repositoryDir: join(import.meta.dirname, '../..') })

type Outside = Pick<LocalControlPlaneHostOptions, 'advertised' | 'outsidePortBase'>

/** A region of its own on this host with a state folder of its own; all of it goes at the end. */
export class Region implements AsyncDisposable {
  readonly stateFolder = mkdtempSync(join(tmpdir(), 'edgehold-control-plane-'))
  readonly hash = stateHash(this.stateFolder)
  readonly runFolder = `/run/edgehold/${this.hash}`
  readonly host: LocalControlPlaneHost
  readonly network: HostNetworkSettings
  readonly #clusters = new Set<string>()

  readonly #outside: Outside | undefined
  /** It all goes as well where this process is killed: as an installation's, since it has the same names and files. */
  readonly #farewell: Farewell

  static async make(components: Components = installed, outside?: Outside): Promise<Region> {
    const region = new Region(components, outside)
    try {
      return await region.#withNetwork()
    } catch (error) {
      await region[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(components: Components, outside: Outside | undefined) {
    this.#outside = outside
    this.#farewell = downWhenEnded({ ...process.env, EDGEHOLD_STATE: this.stateFolder }, [this.stateFolder, this.runFolder])
    this.network = { hash: this.hash, bridge: '', cidr: '10.0.0.0/20', open: false }
    this.host = new LocalControlPlaneHost({ hash: this.hash, stateFolder: this.stateFolder, runFolder: this.runFolder, network: this.network, components, clock, log: quietLog, ...outside })
  }

  async #withNetwork(): Promise<Region> {
    Object.assign(this.network, await chooseHostNetwork(this.hash))
    rememberNetwork(this.stateFolder, this.network)
    await ensureHostNetwork(this.network, this.#outside && [])
    return this
  }

  /** Another host object over the same folders, as another server process has it. */
  another(components: Components = installed, outside = this.#outside): LocalControlPlaneHost {
    return new LocalControlPlaneHost({ hash: this.hash, stateFolder: this.stateFolder, runFolder: this.runFolder, network: this.network, components, clock, log: quietLog, ...outside })
  }

  async order(clusterId: string, version: string): Promise<ControlPlaneOrder> {
    this.#clusters.add(clusterId)
    const address = nthAddress(cidrOf(this.network.cidr), 1 + this.#clusters.size)
    return { clusterId, name: clusterId, version, address, podCidr: '172.20.0.0/16', serviceCidr: '172.21.0.0/16', maxPodsPerNode: 64, pki: await makePki(Date.now()) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    {
      // Each of them goes, whatever becomes of the others.
      await using all = new AsyncDisposableStack()
      all.defer(() => removeHostNetwork(this.network))
      for (const clusterId of this.#clusters) all.defer(() => this.host.ensureGone(clusterId))
    }
    this.#farewell.dismiss()
    rmSync(this.runFolder, { recursive: true, force: true })
    rmSync(this.stateFolder, { recursive: true, force: true })
  }

  /** Everything on this host that bears the region's name. */
  left(): string[] {
    const found: string[] = []
    const namespaces = existsSync('/run/netns') ? readdirSync('/run/netns') : []
    found.push(...namespaces.filter(name => name.includes(this.hash)).map(name => `namespace ${name}`))
    found.push(...execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' }).split('\n').filter(line => line.includes(this.hash) || line.includes(`master ${this.network.bridge}`)))
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
      const command = readIfThere(`/proc/${pid}/cmdline`)
      if (command.includes(this.hash) && !command.includes('node')) found.push(`process ${pid} ${command.replaceAll('\0', ' ').slice(0, 120)}`)
    }
    found.push(...execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '4', '-name', `edgehold-${this.hash}*`], { encoding: 'utf8' }).split('\n').filter(line => line !== ''))
    found.push(...readFileSync('/proc/self/mounts', 'utf8').split('\n').filter(line => line.includes(this.hash)))
    if (existsSync(this.stateFolder)) found.push(...readdirSync(this.stateFolder, { recursive: true }).map(String).filter(path => !['clusters', 'network.json'].includes(path)).map(path => `state ${path}`))
    return found
  }
}

/** A client with every right. */
export async function administrator(order: ControlPlaneOrder): Promise<ApiClient> {
  const sign = await signer({ cert: order.pki.caCert, key: order.pki.caKey })
  const credentials = await sign({ commonName: 'test', organizations: ['system:masters'], use: 'client', now: Date.now(), validMs: 3_600_000 })
  return new ApiClient({ server: `https://${order.address}:6443`, caCert: order.pki.caCert, credentials })
}

/** Waits for a fact; fails with what was seen last when the deadline is over. */
export async function until<T>(what: string, deadlineMs: number, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + deadlineMs
  let lastError: unknown
  for (;;) {
    const seen = await look().catch((error: unknown) => { lastError = error; return undefined })
    if (seen !== undefined && seen !== false) return seen
    if (Date.now() > deadline) throw new Error(`Not within ${deadlineMs / 1000} s: ${what}`, { cause: lastError })
    await clock.sleep(25)
  }
}

/** Usable: ready, and pods can be made. */
export async function untilUsable(order: ControlPlaneOrder, deadlineMs = 60_000): Promise<void> {
  const api = await administrator(order)
  try {
    await until('the API server is ready', deadlineMs, async () => (await api.call('GET', '/readyz')).httpStatus === 200)
    await until('the default service account is there', deadlineMs, async () => await api.find('/api/v1/namespaces/default/serviceaccounts/default') !== undefined)
  } finally {
    await api.close()
  }
}

export { addressPool }
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // The process has ended since the folder was listed.
    return ''
  }
}
