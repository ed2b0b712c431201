import { createHash } from 'node:crypto'
import type { Clock } from '#ports/clock.ts'
import type { TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { ApiClient } from '../client/api-client.ts'
import { PORTS } from '../control-plane/arguments.ts'
import { signer } from '../pki/certificate.ts'

const DAY_MS = 24 * 60 * 60_000
/** Certificates are made anew when half of their life is over. */
const VALID_MS = 30 * DAY_MS

/** The connections to one tenant cluster's control plane, with a certificate of ours. */
export interface Session {
  readonly api: ApiClient
  readonly scheduler: ApiClient
  readonly controllerManager: ApiClient
  /** Aborted when another session takes its place or it is forgotten: its connections then take no more calls. */
  readonly retired: AbortSignal
}

interface Made extends Session {
  readonly retire: () => void
}

/** One session a cluster and identity, made when it is first needed. */
export class Sessions {
  readonly #clock: Clock
  readonly #sessions = new Map<string, { readonly fits: string; readonly renewAt: number; readonly session: Promise<Made> }>()
  constructor(clock: Clock) {
    this.#clock = clock
  }

  async of(cluster: TenantClusterAddress): Promise<Session> {
    const fits = createHash('sha256').update(`${cluster.address} ${cluster.pki.caCert}`).digest('hex')
    const known = this.#sessions.get(cluster.clusterId)
    if (known?.fits === fits && known.renewAt > this.#clock.now()) return known.session
    const session = this.#make(cluster)
    this.#sessions.set(cluster.clusterId, { fits, renewAt: this.#clock.now() + VALID_MS / 2, session })
    // Calls under way on the earlier one still end well.
    if (known) void known.session.then(endKindly)
    return session
  }

  /** Ends the connections to a cluster that is not looked at any more. */
  async forget(clusterId: string): Promise<void> {
    const known = this.#sessions.get(clusterId)
    this.#sessions.delete(clusterId)
    if (known) await endKindly(await known.session)
  }

  async #make(cluster: TenantClusterAddress): Promise<Made> {
    const sign = await signer({ cert: cluster.pki.caCert, key: cluster.pki.caKey })
    const credentials = await sign({ commonName: 'edgehold:server', organizations: ['system:masters'], use: 'client', now: this.#clock.now(), validMs: VALID_MS })
    const retiring = new AbortController()
    const at = (port: number): string => `https://${cluster.address}:${port}`
    return {
      api: new ApiClient({ server: at(PORTS.api), caCert: cluster.pki.caCert, credentials }),
      scheduler: new ApiClient({ server: at(PORTS.scheduler), caCert: cluster.pki.caCert, connections: 1 }),
      controllerManager: new ApiClient({ server: at(PORTS.controllerManager), caCert: cluster.pki.caCert, connections: 1 }),
      retired: retiring.signal,
      retire: () => retiring.abort(),
    }
  }
}

async function endKindly(session: Made): Promise<void> {
  session.retire()
  await Promise.all([session.api.end(), session.scheduler.end(), session.controllerManager.end()])
}
