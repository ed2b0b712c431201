import type { ComponentSeen, ControlPlaneComponent, ControlPlaneHost, ControlPlaneOrder, ControlPlaneSeen } from '#ports/control-plane-host.ts'
import type { SteppedClock } from '../stepped-clock.ts'

const NAMES: readonly ControlPlaneComponent[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']
const RESTART_AFTER_MS = 1_000
/** From the API server's start to /readyz, as measured. */
export const READY_AFTER_MS = 2_700

interface Running {
  starts: number[]
  state: 'running' | 'exited'
  lastExit?: NonNullable<ComponentSeen['lastExit']>
}

export interface ControlPlane {
  order: ControlPlaneOrder
  network: boolean
  components: Map<ControlPlaneComponent, Running>
  routes: readonly { podCidr: string; via: string }[]
  /** These end at every start, with these words. */
  dies: Map<ControlPlaneComponent, string>
  dataLost?: string
  obstacle?: Error
}

/** Control planes in memory: components start, end and are started again by the clock, as supervisors do. */
export class MemoryControlPlanes implements ControlPlaneHost {
  readonly made = new Map<string, ControlPlane>()
  /** Used for every control plane that is made from now on. */
  readonly diesAtStart = new Map<ControlPlaneComponent, string>()
  refuses: Error | undefined
  /** Set: whoever looks sees nothing, for this reason. */
  blindness: Error | undefined
  readonly #clock: SteppedClock
  readonly #watchers = new Set<(clusterId: string) => void>()

  constructor(clock: SteppedClock) {
    this.#clock = clock
  }

  async look(clusterId: string): Promise<ControlPlaneSeen> {
    if (this.blindness) throw this.blindness
    const plane = this.made.get(clusterId)
    if (!plane) return { network: false, components: NAMES.map(name => ({ name, state: 'absent', recentStarts: 0 })) }
    this.live()
    return {
      network: plane.network,
      ...(plane.dataLost !== undefined && { dataLost: plane.dataLost }),
      components: NAMES.map(name => {
        const running = plane.components.get(name)
        if (!running) return { name, state: 'absent', recentStarts: 0 }
        const recentStarts = running.starts.filter(at => at > this.#clock.now() - 600_000).length
        return { name, state: running.state, recentStarts, startedAt: running.starts.at(-1)!, ...(running.lastExit && { lastExit: running.lastExit }) }
      }),
    }
  }

  async ensure(order: ControlPlaneOrder): Promise<void> {
    if (this.refuses) throw this.refuses
    const plane = this.made.get(order.clusterId) ?? { order, network: true, components: new Map(), routes: [], dies: new Map(this.diesAtStart) }
    plane.network = true
    this.made.set(order.clusterId, plane)
    for (const name of NAMES) if (!plane.components.has(name)) this.#start(plane, name)
  }

  async ensureStopped(clusterId: string): Promise<void> {
    this.made.get(clusterId)?.components.clear()
  }

  async ensureGone(clusterId: string): Promise<void> {
    const plane = this.made.get(clusterId)
    if (plane?.obstacle) throw new AggregateError([plane.obstacle], 'Removing a control plane')
    this.made.delete(clusterId)
  }

  async ensureRoutes(clusterId: string, routes: ControlPlane['routes']): Promise<void> {
    const plane = this.made.get(clusterId)
    if (plane) plane.routes = routes
  }

  async watch(onChange: (clusterId: string) => void, signal: AbortSignal): Promise<void> {
    this.#watchers.add(onChange)
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    this.#watchers.delete(onChange)
  }

  /** A component ends, as if killed or as if it failed by itself. */
  end(clusterId: string, name: ControlPlaneComponent, how: { code?: number; signal?: string; lastLines?: readonly string[] } = { signal: 'SIGKILL' }): void {
    const running = this.made.get(clusterId)?.components.get(name)
    if (!running) throw new Error(`${name} of ${clusterId} was never started`)
    running.state = 'exited'
    running.lastExit = { at: this.#clock.now(), lastLines: [], ...how }
    for (const tell of this.#watchers) tell(clusterId)
  }

  isUp(clusterId: string, name: ControlPlaneComponent, forMs = 0): boolean {
    const running = this.made.get(clusterId)?.components.get(name)
    return running?.state === 'running' && this.#clock.now() - running.starts.at(-1)! >= forMs
  }

  isReady(clusterId: string): boolean {
    return this.isUp(clusterId, 'kube-apiserver', READY_AFTER_MS) && this.isUp(clusterId, 'etcd')
  }

  /** What the supervisors have done by now. */
  live(): void {
    for (const [clusterId, plane] of this.made) {
      for (const name of NAMES) {
        for (;;) {
          const running = plane.components.get(name)
          if (running?.state !== 'exited' || !running.lastExit || this.#clock.now() - running.lastExit.at < RESTART_AFTER_MS) break
          this.#start(plane, name, running.lastExit.at + RESTART_AFTER_MS)
          for (const tell of this.#watchers) tell(clusterId)
        }
      }
    }
  }

  #start(plane: ControlPlane, name: ControlPlaneComponent, at = this.#clock.now()): void {
    const before = plane.components.get(name)
    const running: Running = { ...before, starts: [...before?.starts ?? [], at], state: 'running' }
    const words = plane.dies.get(name)
    if (words !== undefined) Object.assign(running, { state: 'exited', lastExit: { at, code: 1, lastLines: words.split('\n') } })
    plane.components.set(name, running)
  }
}
