import { mkdir, rm } from 'node:fs/promises'
import { componentArguments, PORTS } from '#kubernetes/control-plane/arguments.ts'
import { controlPlaneFiles } from '#kubernetes/control-plane/files.ts'
import { ApiClient } from '#kubernetes/client/api-client.ts'
import type { Clock } from '#ports/clock.ts'
import { ComponentMissing, type Components } from '#ports/components.ts'
import { ControlPlaneFailure, type ControlPlaneComponent, type ControlPlaneHost, type ControlPlaneOrder, type ControlPlaneSeen } from '#ports/control-plane-host.ts'
import { cidrOf, nthAddress } from '#model/cidr.ts'
import { OutsidePortTaken, removeOutsidePort } from '../host-network/outside-ports.ts'
import { ToolFailed } from '../host-network/tool.ts'
import { findCgroupHierarchies, killCgroup, processesOf, removeCgroupIfEmpty, type CgroupHierarchies } from './cgroups.ts'
import { ensureDataFolder, hasData, lostData, noteDataBegun, unlessDataIsLost, wasBegun } from './data-folder.ts'
import { takeLock } from './lock.ts'
import { ensureNamespace, ensureNamespaceRoutes, listeningPorts, listeningPortsBeside, namespaceIsThere, removeNamespace } from './namespace.ts'
import { leadIn, leadInAtStart, nameAnew, namesAll, type OutsideOptions } from './outside.ts'
import { keptBy } from './kept.ts'
import { clusterPlaces, COMPONENTS, type ClusterPlaces, type HostFolders } from './places.ts'
import { startSupervisor, writePrivateFiles } from './start-components.ts'
import { StartSlots } from './start-slots.ts'
import { removeRunFiles, stopComponents } from './stop-components.ts'
import { lookAtComponent, type ComponentSight } from './supervision.ts'
import { watchClusters } from './watch-clusters.ts'

/** A start takes about 6.5 seconds of processor time: more at once only make each other late. */
const STARTS_AT_ONCE = 3
const ETCD_DEADLINE_MS = 20_000
const READY_DEADLINE_MS = 120_000
/** Twice a second while an API server is asked whether it is ready, it is looked whether it will ever be. */
const LOOK_EVERY = 12
/** An API server that started so often within ten minutes is left to its supervisor. */
const HOPELESS_STARTS = 3

export interface LocalControlPlaneHostOptions extends HostFolders, OutsideOptions {
  readonly components: Components
  readonly clock: Clock
}

/**
 * Control planes on this host: a network namespace a cluster, a supervisor a component. Whatever it knows it reads from the host each time, so any
 * process may call any method at any moment; a lock a cluster keeps two of them apart.
 */
export class LocalControlPlaneHost implements ControlPlaneHost {
  readonly #options: LocalControlPlaneHostOptions
  readonly #slots = new StartSlots(STARTS_AT_ONCE)
  /** Starts whose second half (what needs a ready API server) is still to come in this process. */
  readonly #startsUnderWay = new Map<string, AbortController>()
  #hierarchies: Promise<CgroupHierarchies> | undefined

  constructor(options: LocalControlPlaneHostOptions) {
    this.#options = options
  }

  async look(clusterId: string): Promise<ControlPlaneSeen> {
    const places = this.#places(clusterId)
    const sights = await this.#sights(places)
    const network = namespaceIsThere(places, this.#options.network.bridge)
    // Whoever started it may have died before it could note that, and an empty one must never take its place.
    if (sights.get('etcd')?.supervised) await noteDataBegun(places)
    const dataLost = await lostData(places, sights.get('etcd')?.seen)
    const keeps = keptBy(places, await this.#cgroups())
    return { network, components: [...sights.values()].map(sight => sight.seen), ...(keeps.length > 0 && { keeps }), ...dataLost !== undefined && { dataLost, takesCopy: true } }
  }

  async ensure(order: ControlPlaneOrder): Promise<void> {
    const places = this.#places(order.clusterId)
    if (this.#startsUnderWay.has(order.clusterId) || await this.#isWhole(places)) return
    const giveBack = await this.#slots.take()
    let handedOver = false
    try {
      await using _ = await this.#lock(places)
      if (this.#startsUnderWay.has(order.clusterId) || await this.#isWhole(places)) return
      await this.#startFirstHalf(order, places)
      const underWay = new AbortController()
      this.#startsUnderWay.set(order.clusterId, underWay)
      handedOver = true
      void this.#startSecondHalf(order, places, underWay.signal).finally(() => {
        giveBack()
        if (this.#startsUnderWay.get(order.clusterId) === underWay) this.#startsUnderWay.delete(order.clusterId)
      })
    } catch (error) {
      throw asFailure(error)
    } finally {
      if (!handedOver) giveBack()
    }
  }

  async ensureStopped(clusterId: string): Promise<void> {
    const places = this.#places(clusterId)
    await using _ = await this.#lock(places)
    await this.#removeRunning(places)
  }

  async ensureGone(clusterId: string): Promise<void> {
    const places = this.#places(clusterId)
    {
      await using _ = await this.#lock(places)
      await this.#removeRunning(places, [() => rm(places.data, { recursive: true, force: true })])
    }
    await rm(places.lock, { force: true })
  }

  async ensureRoutes(clusterId: string, routes: readonly { podCidr: string; via: string }[]): Promise<void> {
    const places = this.#places(clusterId)
    await using _ = await this.#lock(places)
    await ensureNamespaceRoutes(places, this.#options.network.bridge, routes)
  }

  async watch(onChange: (clusterId: string) => void, signal: AbortSignal): Promise<void> {
    await watchClusters(this.#options, await this.#cgroups(), onChange, signal)
  }

  /**
   * For a cluster that runs already, after the setting or something on the host changed: its port leads in again, and its certificate names what is advertised.
   * One that does not run gets both when it starts. Throws OutsidePortTaken.
   */
  async ensureReachedFromOutside(order: Pick<ControlPlaneOrder, 'clusterId' | 'address' | 'serviceCidr' | 'pki'>): Promise<void> {
    const places = this.#places(order.clusterId)
    const { network, advertised = [], clock } = this.#options
    // Before the lock as well, which would else be made anew for a cluster that is gone.
    if (!namespaceIsThere(places, network.bridge)) return
    await using _ = await this.#lock(places)
    if (!namespaceIsThere(places, network.bridge)) return
    if (!await namesAll(places, advertised)) {
      await nameAnew(places, { ...order, serviceAddress: nthAddress(cidrOf(order.serviceCidr), 1), advertised, now: clock.now() })
      this.#options.log.info({ cluster: order.clusterId, advertised }, 'Named the advertised address in an API server\'s certificate, which it reads within a minute')
    }
    await leadIn(places, order.address, this.#options)
  }

  /** Namespace, files, the datastore and the API server. */
  async #startFirstHalf(order: ControlPlaneOrder, places: ClusterPlaces): Promise<void> {
    await ensureDataFolder(places)
    const programs = await this.#programs(order)
    // Certificates take the processor some time, the namespace a few programs: side by side.
    const [namespace, files] = await Promise.all([
      ensureNamespace(places, this.#options.network, order.address),
      controlPlaneFiles(order, { pki: places.pki, etcdData: places.etcdData }, { advertised: this.#options.advertised ?? [], now: this.#options.clock.now() }),
    ])
    await leadInAtStart(places, order.address, this.#options)
    const hierarchies = await this.#cgroups()
    // Components of a namespace that somebody removed run on where nobody reaches them.
    for (const [name, sight] of await this.#sights(places)) if (!sight.supervised || namespace === 'made') await killCgroup(hierarchies, places.cgroupOf(name), this.#options.clock)
    const sights = await this.#sights(places)
    if (namespace === 'found') await refuseTakenPorts(places, sights)
    // Files that running components hold open are replaced as wholes; the keys are the cluster's own and stay the same.
    if (COMPONENTS.every(name => !sights.get(name)?.supervised)) await writePrivateFiles(files)
    // An empty datastore listens long before the API server has prepared itself to call it; one with data in it may take its time, and a call too early loses a second.
    const waits = await wasBegun(places)
    const startsEtcd = sights.get('etcd')?.supervised ? Promise.resolve() : this.#startEtcd(order, places, programs)
    if (waits) await startsEtcd
    const startsApi = sights.get('kube-apiserver')?.supervised ? Promise.resolve() : this.#start(order, places, programs, 'kube-apiserver')
    await Promise.all([startsEtcd, startsApi])
    await noteDataBegun(places)
  }

  /** Ends when it listens and has its log, or at its deadline. */
  async #startEtcd(order: ControlPlaneOrder, places: ClusterPlaces, programs: ReadonlyMap<ControlPlaneComponent, string>): Promise<void> {
    await this.#start(order, places, programs, 'etcd')
    const hierarchies = await this.#cgroups()
    await this.#until(ETCD_DEADLINE_MS, 10, async () => {
      const pid = processesOf(hierarchies, places.cgroupOf('etcd'))[0]
      return pid !== undefined && (await listeningPortsBeside(pid)).has(PORTS.etcdClient) && await hasData(places)
    })
  }

  /** Controller-manager and scheduler as soon as the API server is ready: earlier they would only wait, in steps of a second. */
  async #startSecondHalf(order: ControlPlaneOrder, places: ClusterPlaces, signal: AbortSignal): Promise<void> {
    const api = new ApiClient({ server: `https://${order.address}:${PORTS.api}`, caCert: order.pki.caCert, connections: 1 })
    try {
      let asked = 0
      await this.#until(READY_DEADLINE_MS, 40, async () => {
        if (signal.aborted) return true
        const answer = await api.call('GET', '/readyz', { deadlineMs: 2_000 }).catch(() => undefined)
        if (answer?.httpStatus === 200) return true
        if (asked++ % LOOK_EVERY !== 0) return false
        // Stopped by another process, dying again and again, or gone with its supervisor: none may hold its place among the starts, or keep the next start from mending it.
        const sights = await this.#sights(places)
        const apiserver = sights.get('kube-apiserver')
        return !namespaceIsThere(places, this.#options.network.bridge) || !sights.get('etcd')?.supervised || !apiserver?.supervised || apiserver.seen.recentStarts > HOPELESS_STARTS
      })
      if (signal.aborted) return
      await using _ = await this.#lock(places)
      const sights = await this.#sights(places)
      // Stopped or removed in the meantime: then nothing of it may come back.
      if (signal.aborted || !sights.get('etcd')?.supervised) return
      const programs = await this.#programs(order)
      const missing = (['kube-controller-manager', 'kube-scheduler'] as const).filter(name => !sights.get(name)?.supervised)
      await Promise.all(missing.map(name => this.#start(order, places, programs, name)))
    } catch (error) {
      // Not lost: the next ensure finds them missing and starts them, or tells its caller why it cannot.
      this.#options.log.warn({ cluster: order.clusterId, error: error instanceof Error ? error.message : String(error) }, 'Starting controller-manager and scheduler did not succeed')
    } finally {
      await api.close()
    }
  }

  async #start(order: ControlPlaneOrder, places: ClusterPlaces, programs: ReadonlyMap<ControlPlaneComponent, string>, name: ControlPlaneComponent): Promise<void> {
    this.#options.log.info({ cluster: order.clusterId, component: name }, 'Starting component')
    const words = componentArguments(name, order, { pki: places.pki, etcdData: places.etcdData })
    const command = [programs.get(name) ?? name, ...words]
    await startSupervisor(places, await this.#cgroups(), this.#options.clock, name, name === 'etcd' ? unlessDataIsLost(places, command) : command)
  }

  async #removeRunning(places: ClusterPlaces, more: readonly (() => Promise<void>)[] = []): Promise<void> {
    this.#startsUnderWay.get(places.clusterId)?.abort()
    this.#startsUnderWay.delete(places.clusterId)
    const hierarchies = await this.#cgroups()
    const failures: unknown[] = []
    for (const work of [
      () => stopComponents(places, hierarchies, this.#options.clock),
      ...(this.#options.outsidePortBase === undefined ? [] : [() => removeOutsidePort(this.#options.network, places.clusterId)]),
      () => removeNamespace(places),
      () => removeRunFiles(places),
      ...more,
      () => removeCgroupIfEmpty(hierarchies, `edgehold-${this.#options.hash}`),
    ]) await work().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw new AggregateError(failures, `Of the control plane ${places.clusterId} stayed: ${failures.map(failure => failure instanceof Error ? failure.message : String(failure)).join('; ')}`)
  }

  async #isWhole(places: ClusterPlaces): Promise<boolean> {
    return namespaceIsThere(places, this.#options.network.bridge) && [...(await this.#sights(places)).values()].every(sight => sight.supervised)
  }

  async #sights(places: ClusterPlaces): Promise<ReadonlyMap<ControlPlaneComponent, ComponentSight>> {
    const hierarchies = await this.#cgroups()
    const now = this.#options.clock.now()
    return new Map(COMPONENTS.map(name => [name, lookAtComponent(places, hierarchies, name, now)]))
  }

  async #programs(order: ControlPlaneOrder): Promise<ReadonlyMap<ControlPlaneComponent, string>> {
    const found = await Promise.all(COMPONENTS.map(async name => [name, (await this.#options.components.find(name, name === 'etcd' ? {} : { kubernetesVersion: order.version })).path] as const))
    return new Map(found)
  }

  /** Looks again and again until it is so or the time is up; answers which. The pauses grow to a fiftieth of the time it took already, which on a busy host is left to what starts. */
  async #until(deadlineMs: number, everyMs: number, isSo: () => Promise<boolean>): Promise<boolean> {
    const { clock } = this.#options
    const startedAt = clock.now()
    while (!await isSo()) {
      const waited = clock.now() - startedAt
      if (waited > deadlineMs) return false
      await clock.sleep(Math.max(everyMs, waited / 50))
    }
    return true
  }

  async #lock(places: ClusterPlaces): Promise<AsyncDisposable> {
    await mkdir(this.#options.runFolder, { recursive: true, mode: 0o711 })
    return takeLock(places.lock)
  }

  #places(clusterId: string): ClusterPlaces {
    return clusterPlaces(this.#options, clusterId)
  }

  #cgroups(): Promise<CgroupHierarchies> {
    return this.#hierarchies ??= findCgroupHierarchies()
  }
}

/** A port is taken if something listens on it although its component is not there. */
async function refuseTakenPorts(places: ClusterPlaces, sights: ReadonlyMap<ControlPlaneComponent, ComponentSight>): Promise<void> {
  const owners: [ControlPlaneComponent, number][] = [['etcd', PORTS.etcdClient], ['etcd', PORTS.etcdPeer], ['kube-apiserver', PORTS.api], ['kube-controller-manager', PORTS.controllerManager], ['kube-scheduler', PORTS.scheduler]]
  const listening = await listeningPorts(places)
  for (const [owner, port] of owners) {
    if (listening.has(port) && !sights.get(owner)?.supervised)
      throw new ControlPlaneFailure(`Port ${port} for ${owner} is taken by another program in the network namespace ${places.namespace}. End it (\`ip netns pids ${places.namespace}\` lists the programs there); it is tried again by itself.`, 'soon')
  }
}

function asFailure(error: unknown): unknown {
  if (error instanceof ComponentMissing) return new ControlPlaneFailure(error.message, 'soon', { cause: error })
  if (error instanceof OutsidePortTaken) return new ControlPlaneFailure(error.message, 'soon', { cause: error })
  if (error instanceof ToolFailed) return new ControlPlaneFailure(`The network of the control plane could not be made: ${error.message}. \`edgehold up\` makes the region's bridge anew; it is tried again by itself.`, 'soon', { cause: error })
  if (error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOSPC')
    return new ControlPlaneFailure(`A file of the control plane could not be written because its disk is full: ${error.message}. Free some space; it is tried again by itself.`, 'soon', { cause: error })
  return error
}
