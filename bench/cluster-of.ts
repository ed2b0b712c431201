/** A cluster's own API server, spoken to directly and as its administrator: the baseline's eyes, and the hand that changes things behind our back. */
import { listWatch } from '#kubernetes/client/list-watch.ts'
import { ApiClient } from '#kubernetes/client/api-client.ts'
import type { NodeObject } from '#kubernetes/client/objects.ts'
import { PORTS } from '#kubernetes/control-plane/arguments.ts'
import { signer } from '#kubernetes/pki/certificate.ts'
import { readConfiguration } from '#main/configuration.ts'
import { systemClock } from '#main/system-clock.ts'
import type { ClusterPki } from '#ports/control-plane-host.ts'
import { openStore, type OpenStore } from '#store/open.ts'
import type { Installation } from '#test/harness/command.ts'
import { quiet } from './quiet.ts'

export async function administrator(address: string, pki: ClusterPki): Promise<ApiClient> {
  const sign = await signer({ cert: pki.caCert, key: pki.caKey })
  const credentials = await sign({ commonName: 'bench', organizations: ['system:masters'], use: 'client', now: Date.now(), validMs: 24 * 60 * 60_000 })
  return new ApiClient({ server: `https://${address}:${PORTS.api}`, caCert: pki.caCert, credentials, connections: 40 })
}

/** The installation's records, beside its server. */
export async function recordsOf<T>(place: Installation, work: (opened: OpenStore) => Promise<T>): Promise<T> {
  const { stateDir } = readConfiguration({ state: place.state }, {})
  const opened = await openStore({ stateDir, log: quiet, clock: systemClock })
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}

export async function administratorOf(place: Installation, clusterId: string): Promise<ApiClient> {
  return recordsOf(place, async ({ store }) => {
    const cluster = await store.findCluster(clusterId)
    const pki = await store.readSecret(`cluster/${clusterId}/pki`)
    if (!cluster?.address || pki === undefined) throw new Error(`Cluster ${clusterId} has no API yet`)
    return administrator(cluster.address, JSON.parse(pki) as ClusterPki)
  })
}

export interface BareWatch {
  /** Resolves with the moment (performance.now) at which the watch first told of a node object that fits, from now on. */
  sees(name: string, fits: (node: NodeObject) => boolean, deadlineMs: number): Promise<number>
  stop(): Promise<void>
}

/** A bare watch of Node objects, in this process. `onNode`: called with every object it tells of. */
export async function watchNodeObjects(api: ApiClient, onNode: (node: NodeObject) => void = () => undefined): Promise<BareWatch> {
  const stop = new AbortController()
  const listeners = new Set<(node: NodeObject) => void>([onNode])
  const synced = Promise.withResolvers<void>()
  const tell = (node: NodeObject) => { for (const listener of listeners) listener(node) }
  const done = listWatch<NodeObject>(api, '/api/v1/nodes', {
    async onSync(nodes) { for (const node of nodes) tell(node); synced.resolve() },
    async onChange(node) { tell(node) },
    async onGone() {},
    async onLost() {},
  }, systemClock, stop.signal)
  await synced.promise
  return {
    sees: (name, fits, deadlineMs) => new Promise((resolve, reject) => {
      const late = setTimeout(() => { listeners.delete(listen); reject(new Error(`The bare watch waited ${deadlineMs} ms in vain for ${name}`)) }, deadlineMs)
      const listen = (node: NodeObject): void => {
        if (node.metadata.name !== name || !fits(node)) return
        clearTimeout(late)
        listeners.delete(listen)
        resolve(performance.now())
      }
      listeners.add(listen)
    }),
    async stop() {
      stop.abort()
      await done
    },
  }
}

export function readyOf(node: NodeObject): string {
  return node.status?.conditions?.find(condition => condition.type === 'Ready')?.status ?? 'absent'
}
