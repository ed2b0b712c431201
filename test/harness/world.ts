import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { accountController } from '#controllers/account/reconcile.ts'
import { addonController } from '#controllers/addon/reconcile.ts'
import { clusterController } from '#controllers/cluster/reconcile.ts'
import type { ComponentsState } from '#controllers/cluster/seen.ts'
import { tenantAddresses } from '#controllers/cluster/tenant-address.ts'
import { watchControlPlanes } from '#controllers/cluster/watch-control-planes.ts'
import { watchHealth } from '#controllers/cluster/watch-health.ts'
import { kubeconfigController } from '#controllers/kubeconfig/reconcile.ts'
import { machineController } from '#controllers/machine/reconcile.ts'
import { watchMachines } from '#controllers/machine/watch-machines.ts'
import { givenBackController } from '#controllers/node-pool/given-back.ts'
import { nodePoolController } from '#controllers/node-pool/reconcile.ts'
import { nodeController } from '#controllers/node/reconcile.ts'
import { watchNodes } from '#controllers/node/watch-nodes.ts'
import type { Watches } from '#kernel/watch-each.ts'
import { newId, type IdKind } from '#model/ids.ts'
import type { Controller, PassOutcome } from '#ports/controller.ts'
import type { Log } from '#ports/log.ts'
import type { ClaimedWork, ProcessLease } from '#ports/queue.ts'
import type { Store, Transaction } from '#ports/store.ts'
import { Crash } from './crashing.ts'
import { MemoryStore } from './memory-store.ts'
import { SteppedClock } from './stepped-clock.ts'
import { MemoryControlPlanes } from './world/control-planes.ts'
import { FirstBoots } from './world/first-boots.ts'
import { Kubelets } from './world/kubelets.ts'
import { MemoryAddons } from './world/addons.ts'
import type { MemoryOutside } from './world/outside-things.ts'
import { MemoryMachines } from './world/machines.ts'
import type { Machines } from '#ports/machines.ts'
import { MemoryTenantClusters } from './world/tenant-clusters.ts'

export const REGION = 'local-1'
export const ACCOUNT = '2100000001'
const SECOND = 1_000
/** The world lives in steps: short ones while somebody waits for something, longer ones while much time is let pass. */
const STEP_MS = 100, LONG_STEP_MS = SECOND
/** From here on a wait is a long one. */
const LONG_MS = 10 * SECOND

/** Ports as the controllers get them; tests wrap them. */
export interface WorldPorts {
  store: Store
  host: MemoryControlPlanes
  tenant: MemoryTenantClusters
  machines: Machines
}

/**
 * A region in memory with the real controllers and watches over it: time moves in steps, the queue is drained at each, and nothing else is invented. What a
 * process would lose in a crash is lost by `restart`.
 */
export class World {
  readonly clock = new SteppedClock()
  readonly store = new MemoryStore(() => this.clock.now())
  readonly host = new MemoryControlPlanes(this.clock)
  readonly tenant = new MemoryTenantClusters(this.host)
  readonly machines = new MemoryMachines(this.clock)
  readonly addons = new MemoryAddons(this.clock)
  /** Only where a story wants it: the region then makes load balancers and the like. */
  outside: MemoryOutside | undefined
  readonly kubelets = new Kubelets(this.clock, this.tenant, this.machines)
  readonly firstBoots = new FirstBoots(this.clock, this.store, this.machines, this.kubelets)
  components: ComponentsState = { state: 'ready' }
  /** Errors of passes, in order; a story says which it expects. */
  readonly errors: unknown[] = []
  passes = 0
  /** Keys that are due together are handed to their controllers together. */
  sharesPasses = false
  #ids = 0
  #controllers = new Map<string, Controller>()
  #lease: ProcessLease | undefined
  #running: { stop: AbortController; watches: Watches; done: Promise<unknown> } | undefined
  #wrap: (ports: WorldPorts) => WorldPorts

  constructor(wrap: (ports: WorldPorts) => WorldPorts = ports => ports) {
    this.#wrap = wrap
  }

  newId(kind: IdKind): string {
    return newId(kind, this.clock.now(), this.#randomBytes(8))
  }

  #randomBytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    // The last two bytes of an id tell simulated regions apart, and names of machines leave them out.
    new DataView(bytes.buffer).setUint32(count - 6, ++this.#ids)
    return bytes
  }

  /** A process begins: it has a lease, controllers and watches, and no memory of an earlier one. */
  async start(): Promise<void> {
    await this.store.write(this.clock.now(), tx => tx.putRegion({ region: REGION, kind: 'Local', ready: true, text: '', settings: {} }))
    const ports = this.#wrap({ store: this.store, host: this.host, tenant: this.tenant, machines: this.machines })
    this.#controllers = new Map(this.controllersOver(ports).map(controller => [controller.kind, controller]))
    const lease = this.#lease = await this.store.queue.register({ name: 'server', hosts: [], ttlMs: 3 * SECOND })
    const stop = new AbortController()
    const { queue } = this.store, { clock } = this
    const keeper = { queue, clock, log: NO_LOG, lease: () => lease }
    const nodes = watchNodes(REGION, { ...keeper, store: this.store, host: this.host, regionOf: () => ({ clock, tenant: this.tenant }), tenantAddressOf: tenantAddresses(this.store) }, stop.signal)
    const health = watchHealth(REGION, { ...keeper, store: this.store, tenantAddressOf: tenantAddresses(this.store), tenant: this.tenant, everyMs: 30 * SECOND }, stop.signal)
    const watches: Watches = {
      look: () => { for (const each of [nodes, health]) each.look() },
      done: Promise.all([nodes.done, health.done]).then(() => undefined),
    }
    const done = Promise.all([
      watches.done, watchMachines(REGION, { ...keeper, store: this.store, machines: this.machines, regionClock: clock, newLedgerId: () => this.newId('ledger') }, stop.signal), watchControlPlanes(REGION, { ...keeper, host: this.host }, stop.signal),
    ])
    this.#running = { stop, watches, done }
    await this.#settleWatches()
  }

  async stop(): Promise<void> {
    this.#running?.stop.abort()
    await this.#running?.done
    await this.#lease?.release()
    this.#running = undefined
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  controllersOver(ports: WorldPorts): Controller[] {
    const { clock } = this
    const tenantAddressOf = tenantAddresses(this.store)
    const region = {
      clock, host: ports.host, outside: this.outside, addons: this.addons, tenant: ports.tenant, machines: ports.machines, registry: '10.213.0.1:5000', addressPool: { first: '10.213.1.1', last: '10.213.1.250' },
      probeEveryMs: 30 * SECOND, graceMs: 7_200 * SECOND, componentsReady: async () => this.components,
      bootstrapLine: (token: string) => `run ${token}`, randomBytes: (count: number) => this.#randomBytes(count),
      claimMachineAddresses: async (tx: Transaction, ids: readonly string[]) => tx.claimAddresses(REGION, ids, { first: '10.213.4.1', last: '10.213.15.250' }),
    }
    const common = { store: ports.store, log: NO_LOG, regionOf: () => region, tenantAddressOf, newLedgerId: () => this.newId('ledger') }
    return [
      clusterController({ ...common, makePki: async ({ id }) => pkiOf(id), onChanged: () => this.#running?.watches.look() }),
      nodePoolController(common), givenBackController(common), nodeController(common), kubeconfigController(common), machineController(common), accountController(common), addonController(common),
    ]
  }

  /** Lets time pass until the condition holds. Throws with what waits when it does not within `withinMs` of the world's time. */
  async until(what: string, holds: () => Promise<boolean>, withinMs = 60 * SECOND): Promise<void> {
    const began = this.clock.now(), deadline = began + withinMs
    for (;;) {
      await this.#drain()
      if (await holds()) return
      if (this.clock.now() >= deadline) throw new Error(`It did not come to this: ${what}. Waiting: ${JSON.stringify([...this.store.waiting()])}; errors: ${this.errors.join(' | ')}`)
      await this.#step(Math.min(this.clock.now() - began < LONG_MS ? STEP_MS : LONG_STEP_MS, deadline - this.clock.now()))
    }
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.clock.now() + ms; this.clock.now() < end;) {
      await this.#drain()
      await this.#step(Math.min(ms < LONG_MS ? STEP_MS : LONG_STEP_MS, end - this.clock.now()))
    }
    await this.#drain()
  }

  async #step(ms: number): Promise<void> {
    this.clock.moveTo(this.clock.now() + ms)
    this.host.live()
    await this.tenant.live()
    await this.firstBoots.live()
    await this.kubelets.live()
    await this.#settleWatches()
  }

  /** Runs everything that is due now. What looks again at once, over and over, is a fault of a controller and ends in an error. */
  async #drain(): Promise<void> {
    await this.#settleWatches()
    for (let round = 0; this.#lease; round++) {
      const claimed = await this.store.queue.claim(this.#lease, { limit: 100, now: () => this.clock.now(), realNow: this.clock.now() })
      if (claimed.length === 0) return
      if (round > 200) throw new Error(`These look again at once for ever: ${claimed.map(work => `${work.kind}/${work.id}`).join()}`)
      const shared = this.sharesPasses ? await this.#together(claimed) : new Map<string, PassOutcome>()
      for (const work of claimed) {
        this.passes++
        try {
          const outcome = shared.get(`${work.kind}/${work.id}`) ?? await this.#controllers.get(work.kind)!.reconcile(work.id, new AbortController().signal)
          if ('error' in outcome) throw outcome.error
          const { lookAgainAt } = outcome
          await this.store.queue.complete(this.#lease, work, lookAgainAt)
        } catch (error) {
          this.errors.push(error)
          await this.store.queue.fail(this.#lease, work, this.clock.now() + (error instanceof Crash ? 0 : Math.min(SECOND * 2 ** work.failures, 60 * SECOND)), String(error))
          if (error instanceof Crash) {
            await this.restart()
            return await this.#drain()
          }
        }
      }
      await this.#settleWatches()
    }
  }

  /** As workers do it that let controllers share their looks and writes. */
  async #together(claimed: readonly ClaimedWork[]): Promise<Map<string, PassOutcome>> {
    const outcomes = new Map<string, PassOutcome>()
    for (const [kind, controller] of this.#controllers) {
      const ids = claimed.filter(work => work.kind === kind).map(work => work.id)
      if (ids.length < 2 || !controller.reconcileMany) continue
      for (const [id, outcome] of await controller.reconcileMany(ids, new AbortController().signal)) outcomes.set(`${kind}/${id}`, outcome)
    }
    return outcomes
  }

  /** Watches run beside the passes; a few turns of the loop bring them to where they wait again. */
  async #settleWatches(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await turnOfTheLoop()
  }
}

const NO_LOG: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => NO_LOG }

function pkiOf(id: string) {
  const pem = `keys of ${id}`
  return { caCert: pem, caKey: pem, frontProxyCaCert: pem, frontProxyCaKey: pem, etcdCaCert: pem, etcdCaKey: pem, serviceAccountKey: pem, serviceAccountPublicKey: pem }
}
