/**
 * The API and the store by themselves, as a process of its own on a database of its own: a region that runs nothing, so that only the calls are measured. Prints one line of
 * JSON once it listens, see ApiAlone; ends with its input. Argument: a folder for its state.
 */
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createApi } from '#api/server.ts'
import type { RegionPorts } from '#api/regions.ts'
import { DEFAULT_SETTINGS } from '#api/settings.ts'
import { systemClock } from '#main/system-clock.ts'
import { newId } from '#model/ids.ts'
import { openStore } from '#store/open.ts'
import { clusterSpec, nodePoolSpec, READY_POOL, USABLE_CLUSTER } from '#test/harness/sample-records.ts'
import { quiet } from './quiet.ts'

export interface ApiAlone {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Usable clusters, each with a pool that admits machines. */
  readonly fleet: readonly { readonly clusterId: string; readonly nodePoolId: string }[]
}

const REGION = 'alone-1'
const CLUSTERS = 10

if (import.meta.main) {
  const opened = await openStore({ stateDir: process.argv[2] ?? '', log: quiet, clock: systemClock })
  const account = { id: '2100000001', accessKeyId: 'AKLTBENCH', secret: randomBytes(24).toString('base64url'), name: 'bench' }
  await opened.store.write(systemClock.now(), tx => tx.insertAccount(account))
  const region: RegionPorts = {
    kind: 'Simulated', ready: () => ({ ready: true, text: 'It runs nothing' }), now: () => systemClock.now(), servedVersions: () => ['v1.35.4'], reservedRanges: () => [], bootstrapLine: token => `sh ${token}`,
  }
  const api = createApi({
    store: opened.store, regions: new Map([[REGION, region]]), log: quiet, realTime: systemClock, readyParts: async () => [],
    settings: { ...DEFAULT_SETTINGS, defaultRegion: REGION, limits: { readsPerSecond: undefined, writesPerSecond: undefined, perAction: {} } },
  })
  const fleet = await fill(opened.store)
  await api.listen({ host: '127.0.0.1', port: 0 })
  const said: ApiAlone = { endpoint: `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`, region: REGION, accessKeyId: account.accessKeyId, secretAccessKey: account.secret, fleet }
  process.stdout.write(`${JSON.stringify(said)}\n`)
  for await (const _nothing of process.stdin);
  await api.close()
  await opened.stopDatabase()
  await opened.close()
}

async function fill(store: Awaited<ReturnType<typeof openStore>>['store']): Promise<ApiAlone['fleet']> {
  const now = systemClock.now()
  const scope = { accountId: '2100000001', region: REGION }
  const because = { evidence: [{ observer: 'bench', source: 'bench', observedAt: now, fact: 'A benchmark made it.' }] }
  return store.write(now, async tx => {
    const made: { clusterId: string; nodePoolId: string }[] = []
    for (let number = 0; number < CLUSTERS; number++) {
      const spec = clusterSpec({ name: `bench-${number}`, podCidrs: [`172.${16 + number}.0.0/17`], serviceCidrs: [`172.${16 + number}.128.0/20`] })
      const { id: clusterId } = await tx.insertCluster({ id: newId('cluster', now, randomBytes(8)), ...scope, spec, facts: USABLE_CLUSTER }, because)
      const { id: nodePoolId } = await tx.insertNodePool({ id: newId('node-pool', now, randomBytes(8)), ...scope, clusterId, spec: nodePoolSpec(), facts: READY_POOL }, because)
      made.push({ clusterId, nodePoolId })
    }
    return made
  })
}
