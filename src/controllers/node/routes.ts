import { cidrContains, cidrOf, parseCidr, type Cidr } from '#model/cidr.ts'
import type { Clock } from '#ports/clock.ts'
import type { ControlPlaneHost } from '#ports/control-plane-host.ts'
import type { Log } from '#ports/log.ts'
import type { NodeSeen } from '#ports/tenant-cluster.ts'

const AGAIN_MS = 2_000

/**
 * Keeps the API server's routes to its nodes' pod ranges as the Node objects say. The whole list is replaced whenever it differs from the last one that
 * was put in place; a list that could not be put in place is tried again until a newer one comes. A machine makes its Node object itself, so a range that is
 * none of the cluster's own is not led to: it could be another cluster's, or everything.
 */
export class RouteKeeper {
  readonly #clusterId: string
  readonly #ranges: readonly Cidr[]
  readonly #host: Pick<ControlPlaneHost, 'ensureRoutes'>
  readonly #clock: Clock
  readonly #log: Log
  readonly #signal: AbortSignal
  readonly #vias = new Map<string, { podCidr: string; via: string }>()
  #placed = ''
  #isPlacing = false

  constructor(parts: { clusterId: string; podCidrs: readonly string[]; host: Pick<ControlPlaneHost, 'ensureRoutes'>; clock: Clock; log: Log; signal: AbortSignal }) {
    this.#clusterId = parts.clusterId
    this.#ranges = parts.podCidrs.map(cidrOf)
    this.#host = parts.host
    this.#clock = parts.clock
    this.#log = parts.log
    this.#signal = parts.signal
  }

  /** The whole list was seen: places it even if it looks the same, since the cluster's network may have been rebuilt. */
  all(nodes: readonly NodeSeen[]): void {
    this.#vias.clear()
    this.#placed = ''
    for (const node of nodes) this.#note(node)
    this.#place()
  }

  one(node: NodeSeen): void {
    this.#note(node)
    this.#place()
  }

  gone(name: string): void {
    if (this.#vias.delete(name)) this.#place()
  }

  #note({ name, podCidr, internalIp }: NodeSeen): void {
    const range = parseCidr(podCidr ?? '')
    if (podCidr === undefined || internalIp === undefined || !range || !this.#ranges.some(own => cidrContains(own, range))) this.#vias.delete(name)
    else this.#vias.set(name, { podCidr, via: internalIp })
  }

  #place(): void {
    if (this.#isPlacing) return
    this.#isPlacing = true
    void this.#run().finally(() => { this.#isPlacing = false })
  }

  async #run(): Promise<void> {
    while (!this.#signal.aborted) {
      const routes = [...this.#vias.values()].sort((one, other) => (one.podCidr < other.podCidr ? -1 : 1))
      const wanted = JSON.stringify(routes)
      if (wanted === this.#placed) return
      try {
        await this.#host.ensureRoutes(this.#clusterId, routes)
        this.#placed = wanted
      } catch (error) {
        this.#log.warn({ clusterId: this.#clusterId, error }, 'Routing to the pods of nodes did not succeed')
        await this.#clock.sleep(AGAIN_MS, this.#signal).catch(() => undefined) // woken by the end, which the loop sees
      }
    }
  }
}
