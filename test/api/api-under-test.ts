import { randomBytes } from 'node:crypto'
import { text as textOf } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { createApi, type ApiParts } from '#api/server.ts'
import { DEFAULT_SETTINGS, type ApiSettings } from '#api/settings.ts'
import type { RegionPorts } from '#api/regions.ts'
import { refuse } from '#model/errors/catalogue.ts'
import { versionOf } from '#client/calls.ts'
import { canonicalQuery, signedHeaders } from '#client/sign.ts'
import { newId } from '#model/ids.ts'
import type { Log } from '#ports/log.ts'
import type { Store } from '#ports/store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { systemTime } from '#test/harness/waiting.ts'

/** Its key is the administrator's. */
export const OURS = { accountId: '2100000001', accessKeyId: 'AKLTOURS', secretAccessKey: 'ours-secret' }
export const THEIRS = { accountId: '2100000002', accessKeyId: 'AKLTTHEIRS', secretAccessKey: 'theirs-secret' }
const HOST = '127.0.0.1:7420'

export interface Answer { readonly status: number; readonly headers: Record<string, unknown>; readonly body: Envelope; readonly text: string }
export interface Envelope {
  readonly ResponseMetadata: { readonly RequestId: string; readonly Action: string; readonly Version: string; readonly Service: string; readonly Region: string; readonly Error?: { readonly CodeN: number; readonly Code: string; readonly Message: string } }
  readonly Result?: Record<string, unknown> & { readonly Id?: string; readonly Ids?: readonly string[]; readonly Items?: readonly Record<string, unknown>[]; readonly TotalCount?: number }
}

export interface CallAs { readonly as?: typeof OURS; readonly region?: string; readonly service?: string; readonly version?: string; readonly headers?: Record<string, string>; readonly now?: number }

/** The API over a store of its own with two accounts, one region that works and one that takes no orders. `errors` are the log's errors. */
export class ApiUnderTest {
  storeReady = true
  readonly app: FastifyInstance
  readonly store: Store
  readonly errors: object[] = []
  readonly local: RegionPorts
  now = Date.UTC(2026, 10, 25, 12)
  readonly ending = new AbortController()

  private constructor(store: Store, settings: Partial<ApiSettings>, region: Partial<RegionPorts>) {
    this.store = store
    this.local = {
      kind: 'Local', ready: () => ({ ready: true, text: 'Everything is ready' }), now: () => this.now, servedVersions: () => ['v1.34.4', 'v1.35.4'],
      reservedRanges: () => [{ cidr: '10.213.0.0/16', by: 'the bridge of the region has 10.213.0.0/16' }],
      bootstrapLine: token => `curl -fsSk https://10.213.0.1:7443/script?token=${token} -o join.sh && sh join.sh`, ...region,
    }
    const shell: RegionPorts = {
      kind: 'Simulated', ready: () => ({ ready: false, text: 'not in this version' }), now: () => this.now, servedVersions: () => ['v1.35.4'], reservedRanges: () => [],
      refusesWrites: () => ({ why: 'the simulated region is not in this version', passes: false }),
    }
    const parts: ApiParts = {
      store, regions: new Map([['local-1', this.local], ['sim-1', shell]]), settings: { ...DEFAULT_SETTINGS, ...settings }, log: this.#log(), realTime: { now: () => this.now, sleep: (ms, signal) => systemTime.sleep(ms, signal) }, ending: this.ending.signal,
      regionMaker: { create: async ({ region }) => (region === 'sim-taken' ? undefined : region ?? 'sim-2'), remove: async () => true, learn: async () => {}, plays: { fresh: notPlayed, in: notPlayed, told: async () => {} } },
      readyParts: async () => [{ name: 'store', ready: this.storeReady, required: true, text: this.storeReady ? 'reached' : 'away' }],
    }
    this.app = createApi(parts)
  }

  static async open(settings: Partial<ApiSettings> = {}, region: Partial<RegionPorts> = {}, store: Store = new MemoryStore()): Promise<ApiUnderTest> {
    const api = new ApiUnderTest(store, settings, region)
    await store.write(api.now, async tx => {
      for (const { accountId, accessKeyId, secretAccessKey } of [OURS, THEIRS]) await tx.insertAccount({ id: accountId, accessKeyId, secret: secretAccessKey, name: accountId, ...accessKeyId === OURS.accessKeyId && { administrator: true } })
    })
    await api.app.ready()
    return api
  }

  /** A signed call; `body` as JSON, or as the raw text it is. */
  async call(action: string, body: unknown = {}, how: CallAs = {}): Promise<Answer> {
    const query = { Action: action, Version: how.version ?? versionOf(action) }
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const headers = signedHeaders(HOST, query, text, how.as ?? OURS, { region: how.region ?? 'local-1', service: how.service ?? 'veecp_openapi' }, how.now ?? this.now)
    return this.send('POST', `/?${canonicalQuery(query)}`, { ...headers, ...how.headers }, text)
  }

  async send(method: 'GET' | 'POST', url: string, headers: Record<string, string>, text?: string): Promise<Answer> {
    const response = await this.app.inject({ method, url, headers, payloadAsStream: true, ...text !== undefined && { payload: text } })
    if (String(response.headers['content-type']).startsWith('text/event-stream')) {
      // It would not end by itself; that it was begun is all that callers of this want to know.
      response.stream().destroy()
      response.raw.res.destroy()
      return { status: response.statusCode, headers: response.headers, text: '', body: { Result: {} } as Envelope }
    }
    const payload = await textOf(response.stream())
    return { status: response.statusCode, headers: response.headers, text: payload, body: response.headers['content-encoding'] === undefined ? JSON.parse(payload) as Envelope : {} as Envelope }
  }

  /** The result of a call that has to succeed. */
  async done(action: string, body: unknown = {}, how: CallAs = {}): Promise<NonNullable<Envelope['Result']>> {
    const { status, body: envelope, text } = await this.call(action, body, how)
    if (status !== 200 || !envelope.Result) throw new Error(`${action} answered ${status}: ${text}`)
    return envelope.Result
  }

  async createCluster(name: string, number: number, how: CallAs = {}, more: object = {}): Promise<string> {
    return (await this.done('CreateCluster', { ...clusterBody(name, number), ...more }, how)).Id ?? ''
  }

  /** What the cluster controller would see and write once the control plane is usable. */
  async makeClusterRun(id: string): Promise<void> {
    await this.store.write(this.now, async tx => {
      const cluster = await tx.lockCluster(id)
      if (!cluster) throw new Error(`no cluster ${id}`)
      const { updating: _done, ...facts } = cluster.facts
      await tx.changeCluster(id, { facts: { ...facts, controlPlane: 'usable', firstReadyAt: this.now }, address: '10.213.4.7' }, seen('its control plane is usable'))
    })
  }

  /** As its controller does it once all its pods are available. */
  async makeAddonRun(clusterId: string, name: string): Promise<void> {
    await this.store.write(this.now, async tx => {
      const addon = await tx.lockAddon(`${clusterId}:${name}`)
      if (!addon) throw new Error(`no add-on ${name}`)
      const { operation: _operation, ...facts } = addon.facts
      await tx.changeAddon(addon.id, { facts: { ...facts, applied: { version: addon.spec.version, at: this.now } } }, { evidence: [] })
    })
  }

  async makePoolRun(id: string): Promise<void> {
    await this.store.write(this.now, async tx => {
      const found = await this.store.findNodePool(id)
      await tx.lockCluster(found?.clusterId ?? '')
      const nodePool = await tx.lockNodePool(id)
      if (!nodePool) throw new Error(`no pool ${id}`)
      const { updating: _done, ...facts } = nodePool.facts
      await tx.changeNodePool(id, { facts: { ...facts, ready: true } }, seen('the pool is admitted'))
    })
  }

  /** A node as the join makes it; `ready` as its controller writes it later. */
  async joinNode(clusterId: string, nodePoolId: string, name: string, ready = true): Promise<string> {
    const id = newId('node', this.now, randomBytes(8))
    const scope = { accountId: OURS.accountId, region: 'local-1' }
    await this.store.write(this.now, async tx => {
      await tx.lockCluster(clusterId)
      await tx.lockNodePool(nodePoolId)
      const facts = { claimedAt: this.now, machineExistsAt: this.now, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false }
      const spec = { name, architecture: 'amd64', machineId: `machine-${name}` }
      const readyFacts = { firstReadyAt: this.now, ready: { status: 'True' as const, since: this.now, reason: 'KubeletReady', message: 'kubelet is posting ready status' } }
      await tx.insertNode({ id, ...scope, clusterId, nodePoolId, spec, facts: { ...facts, ...ready && readyFacts } }, seen('the machine joined'))
    })
    return id
  }

  /** Everything a call could have changed, for comparing before and after. */
  async everything(): Promise<object> {
    const page = { number: 1, size: 100 }
    const scopes = [OURS, THEIRS].flatMap(({ accountId }) => ['local-1', 'sim-1'].map(region => ({ accountId, region })))
    return Promise.all(scopes.map(async scope => Promise.all([
      this.store.listClusters(scope, {}, page), this.store.listNodePools(scope, {}, page), this.store.listNodes(scope, {}, page), this.store.listOnboardings(scope, {}, page),
      this.store.listKubeconfigs(scope, {}, page), this.store.listMachines(scope, {}, page), this.store.listLedger(scope, {}, page), this.store.listHistory(scope, {}, page),
      Promise.resolve(this.store instanceof MemoryStore ? [...this.store.waiting()] : []),
    ])))
  }

  #log(): Log {
    const quiet = () => {}
    const log: Log = { debug: quiet, info: quiet, warn: quiet, error: facts => { this.errors.push(facts) }, child: () => log }
    return log
  }
}

export function clusterBody(name: string, number: number): Record<string, unknown> {
  return {
    Name: name, Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-anything'] },
    PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`172.20.${number * 16}.0/20`] } }, ServicesConfig: { ServiceCidrsv4: [`172.30.${number * 16}.0/20`] },
  }
}

function seen(fact: string) {
  return { evidence: [{ observer: 'test', source: 'test', observedAt: 0, fact }] }
}

async function notPlayed(): Promise<never> {
  return refuse('OperationDenied.RegionNotReady', { region: 'sim-2', why: 'no scenarios are played here' })
}
