import { ACTIONS } from '#api/actions/all.ts'
import { answerCalls, type CallAnswerer } from '#api/answer-calls.ts'
import { ApiMetrics } from '#api/metrics.ts'
import { createApi } from '#api/server.ts'
import { DEFAULT_SETTINGS } from '#api/settings.ts'
import type { RegionPorts } from '#api/regions.ts'
import { scenarioPlayer } from '#api/scenarios/player.ts'
import { versionOf } from '#client/calls.ts'
import { EdgeholdClient } from '#client/client.ts'
import { canonicalQuery, signedHeaders } from '#client/sign.ts'
import { keepLease } from '#kernel/keep-lease.ts'
import { SimulatedRegions } from '#main/simulated/regions.ts'
import type { Components } from '#ports/components.ts'
import type { OnDecision } from '#ports/decisions.ts'
import type { Log } from '#ports/log.ts'
import type { Queue } from '#ports/queue.ts'
import type { Store } from '#ports/store.ts'
import type { WorldStore } from '#providers/simulated/store/world-store.ts'
import { callInProcess } from './call-in-process.ts'
import { freePort } from './command.ts'
import { systemTime } from './waiting.ts'

const HOST = '127.0.0.1:7420'
export const KEY = { accountId: '2100000001', accessKeyId: 'AKLTSIM', secretAccessKey: 'sim-secret' }
const quiet = () => {}
const LOG: Log = { debug: quiet, info: quiet, warn: quiet, error: (facts, text) => { process.stderr.write(`${text} ${JSON.stringify(facts, (_, value: unknown) => (value instanceof Error ? value.stack : value))}\n`) }, child: () => LOG }

export interface History { readonly At: string; readonly Kind: string; readonly Id: string; readonly Name: string; readonly Status: { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] } | null; readonly Because: string; readonly Evidence: readonly { readonly Observer: string; readonly Source: string; readonly ObservedAt: string; readonly Fact: string }[] }
type Answer = Record<string, unknown> & { readonly Id?: string; readonly Ids?: readonly string[]; readonly Items?: readonly Record<string, unknown>[]; readonly TotalCount?: number }

/** A server process with simulated regions alone, without a socket: the API over a store, and the regions that it runs. */
export class SimulatedServer {
  readonly regions: SimulatedRegions
  readonly endpoint: string
  readonly #calls: CallAnswerer
  /** Where it listens. */
  readonly #app: ReturnType<typeof createApi> | undefined
  readonly #stopping: AbortController

  private constructor(parts: { regions: SimulatedRegions; endpoint: string; calls: CallAnswerer; app: ReturnType<typeof createApi> | undefined; stopping: AbortController }) {
    this.regions = parts.regions
    this.endpoint = parts.endpoint
    this.#calls = parts.calls
    this.#app = parts.app
    this.#stopping = parts.stopping
  }

  /** `listen`: on a port of its own, so that other servers reach it. */
  static async open({ store, queue, worldStore, name = 'server', listen = false, log = LOG, onDecision }: { store: Store; queue: Queue; worldStore: WorldStore; name?: string; listen?: boolean; log?: Log; onDecision?: OnDecision }): Promise<SimulatedServer> {
    const port = listen ? await freePort() : undefined
    const endpoint = port === undefined ? `http://${HOST}` : `http://127.0.0.1:${port}`
    const regions = new Map<string, RegionPorts>(), stopping = new AbortController()
    const lease = await keepLease({ queue, clock: systemTime, log, name })
    const components = { kubernetesVersions: () => ['v1.34.4', 'v1.35.4'] } as unknown as Components
    const simulated = new SimulatedRegions({ store, queue, worldStore, lease, components, regions, graceMs: 7_200_000, endpoint: () => endpoint, log, onDecision, signal: stopping.signal })
    await simulated.start()
    if (!await store.findAccessKey(KEY.accessKeyId)) await store.write(Date.now(), tx => tx.insertAccount({ id: KEY.accountId, accessKeyId: KEY.accessKeyId, secret: KEY.secretAccessKey, name: 'sim' }))
    const parts = {
      store, regions, log, realTime: systemTime, regionMaker: simulated,
      settings: { ...DEFAULT_SETTINGS, defaultRegion: 'sim-1', limits: { ...DEFAULT_SETTINGS.limits, readsPerSecond: undefined, writesPerSecond: undefined } },
    }
    simulated.playBy(scenarioPlayer(parts, ACTIONS))
    const app = port === undefined ? undefined : createApi({ ...parts, readyParts: async () => [] })
    await app?.listen({ host: '127.0.0.1', port: port ?? 0 })
    return new SimulatedServer({ regions: simulated, endpoint, calls: answerCalls(parts, new ApiMetrics(), ACTIONS), app, stopping })
  }

  async call(action: string, body: object, region = 'sim-1'): Promise<{ readonly status: number; readonly code: string | undefined; readonly message: string | undefined; readonly result: Answer }> {
    const query = { Action: action, Version: versionOf(action) }, text = JSON.stringify(body)
    const headers = signedHeaders(HOST, query, text, KEY, { region, service: 'veecp_openapi' }, Date.now())
    const answered = await callInProcess(this.#calls, { url: `/?${canonicalQuery(query)}`, headers, body: text })
    const envelope = JSON.parse(answered.text) as { ResponseMetadata: { Error?: { Code: string; Message: string } }; Result?: Answer }
    return { status: answered.status, code: envelope.ResponseMetadata.Error?.Code, message: envelope.ResponseMetadata.Error?.Message, result: envelope.Result ?? {} }
  }

  /** Over its socket. */
  client(region: string): EdgeholdClient {
    return new EdgeholdClient({ endpoint: this.endpoint, accessKeyId: KEY.accessKeyId, secretAccessKey: KEY.secretAccessKey, region })
  }

  /** The result of a call that has to succeed. */
  async done(action: string, body: object = {}, region = 'sim-1'): Promise<Answer> {
    const { status, code, message, result } = await this.call(action, body, region)
    if (status !== 200) throw new Error(`${action} answered ${status} ${code}: ${message}`)
    return result
  }

  /** What a resource shows, as `Running/Ok`; `absent` where the list has none. */
  async shows(list: string, id: string, region = 'sim-1'): Promise<string> {
    const { Items: [item] = [] } = await this.done(list, { Filter: { Ids: [id] } }, region)
    const status = item?.['Status'] as History['Status'] | undefined
    return status ? `${status.Phase}/${status.Conditions.map(condition => condition.Type).join('+')}` : 'absent'
  }

  /** Every status change of a region, oldest first. */
  async history(region: string): Promise<readonly History[]> {
    const all: History[] = []
    for (let number = 1; ; number++) {
      const { Items = [], TotalCount = 0 } = await this.done('ListStatusHistory', { PageNumber: number, PageSize: 100 }, region)
      all.push(...Items as unknown as History[])
      if (all.length >= TotalCount || Items.length === 0) return all.toReversed()
    }
  }

  /** A cluster with a static pool and machines that joined by its script; the clock has to be paused, and is stepped. */
  async fleet(region: string, machines: readonly string[]): Promise<{ readonly cluster: string; readonly pool: string; readonly machines: readonly string[] }> {
    const { Id: cluster = '' } = await this.done('CreateCluster', {
      Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] },
      PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] },
    }, region)
    await this.done('SetClock', { Step: '60s' }, region)
    const { Id: pool = '' } = await this.done('CreateEdgeNodePool', { ClusterId: cluster, Name: 'counters' }, region)
    const { Ids: [script = ''] = [] } = await this.done('CreateBatchEdgeMachine', { ClusterId: cluster, NodePoolId: pool, Name: 'tills', TTLHours: 1 }, region)
    const made: string[] = []
    for (const Name of machines) {
      const { Id = '' } = await this.done('AddMachine', { Name }, region)
      made.push(Id)
      await this.done('SetMachine', { Id, RunScript: script }, region)
    }
    await this.done('SetClock', { Step: '60s' }, region)
    return { cluster, pool, machines: made }
  }

  /** Nobody reaches it any more, as where its process is gone. */
  cut(): void {
    this.#app?.server.close()
    this.#app?.server.closeAllConnections()
  }

  /** As a process that is asked to end. */
  async close(): Promise<void> {
    this.#stopping.abort()
    await this.regions.stop()
    await this.#app?.close()
  }
}
