import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { cidrContains, cidrOf, cidrsOverlap } from '#model/cidr.ts'
import type { Clock } from '#ports/clock.ts'
import type { Components } from '#ports/components.ts'
import { OverlayAway, OverlayRangeTaken, type Overlay, type OverlayEntrance, type OverlayMember, type OverlayPapers } from '#ports/overlay.ts'
import { OverlayCertificates, type Issued, type OverlayKeys } from './certificates.ts'
import { overlayAddresses, overlayPlaces, type OverlaySettings } from './places.ts'
import { ensureOverlayProcess } from './process.ts'
import { machineSettings, regionSettings, type Admitted } from './program-settings.ts'
import { ensureOverlayRoutes } from './routes.ts'

const DAY_MS = 86_400_000
/** Long enough for machines that are off, or a server that is, over a holiday; a removed machine is refused by name and certificate, whatever is left of it. */
const VALID_MS = 30 * DAY_MS
const RENEW_BEFORE_MS = 20 * DAY_MS
/** As long as the authorities of clusters. */
const AUTHORITY_VALID_MS = 3_650 * DAY_MS

/** Certificates that were given to machines of a cluster, by the machines' names in the overlay. */
export type IssuedOf = Readonly<Record<string, readonly Issued[]>>

/** What is kept of an overlay between processes; what was issued outlives the cluster, since the certificates do. */
export interface OverlayRecords {
  keys(make: (kept: OverlayKeys | undefined) => Promise<OverlayKeys>): Promise<OverlayKeys>
  /** For which clusters something was issued that is not forgotten yet. */
  clusters(): Promise<readonly string[]>
  issued(clusterId: string): Promise<IssuedOf>
  keepIssued(clusterId: string, issued: IssuedOf): Promise<void>
  forget(clusterId: string): Promise<void>
}

export interface RegionOverlayOptions {
  readonly settings: OverlaySettings
  /** In memory, root's own. */
  readonly folder: string
  readonly logFile: string
  readonly components: Pick<Components, 'find'>
  readonly records: OverlayRecords
  readonly clock: Clock
  readonly onStarted: (pid: number) => Promise<void>
}

export interface PodRoute { readonly podCidr: string; readonly via: string }

/** The overlay of a region on its own host: nebula as its members' lighthouse, relay and router, and the papers of machines. */
export class RegionOverlay implements Overlay {
  readonly pool: { readonly first: string; readonly last: string }
  readonly entrance: OverlayEntrance
  readonly #options: RegionOverlayOptions
  readonly #certificates: OverlayCertificates
  #routes: Map<string, readonly PodRoute[]> | undefined
  /** As it is kept: nobody else writes it. */
  readonly #issued = new Map<string, IssuedOf>()
  #everIssued: Set<string> | undefined
  /** Pod ranges of clusters whose machines this process gave papers to. */
  readonly #ranges = new Map<string, readonly string[]>()
  #admitted: Omit<Admitted, 'routes'> = { names: [], refused: [] }
  #works = false
  #keys: OverlayKeys | undefined
  /** One thing after another: papers are read, extended and written; settings are one file. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: RegionOverlayOptions) {
    const { settings: { network, cidr, host, port }, folder, components } = options
    const { first, last } = overlayAddresses(cidr)
    this.#options = options
    this.pool = { first, last }
    this.entrance = { server: `${host}:${port}`, ranges: [network.cidr, cidr] }
    this.#certificates = new OverlayCertificates(async () => (await components.find('nebula-cert')).path, folder)
  }

  isOutside(address: string): boolean {
    if (cidrContains(cidrOf(this.#options.settings.network.cidr), address)) return false
    return !Object.values(networkInterfaces()).some(addresses => addresses?.some(own => own.address === address))
  }

  /** Whether that is an address of this overlay. */
  holds(address: string): boolean {
    return cidrContains(cidrOf(this.#options.settings.cidr), address)
  }

  /**
   * Runs, lets in who is a member of one of these clusters (`membersOf`: the hashes of their machines' secrets) and was given papers, and refuses whatever was
   * given to others. Throws OverlayFailed, ComponentMissing.
   */
  ensure(clusterIds: readonly string[], membersOf: (clusterId: string) => Promise<readonly string[]>): Promise<void> {
    return this.#inTurn(async () => {
      const names: string[] = []
      const refused: string[] = []
      for (const clusterId of clusterIds) {
        const issued = await this.#issuedOf(clusterId)
        if (Object.keys(issued).length === 0) continue
        const members = new Set((await membersOf(clusterId)).map(overlayName))
        const own = Object.keys(issued).filter(name => members.has(name))
        if (own.length === 0) this.#ranges.delete(clusterId)
        names.push(...own)
        refused.push(...this.#notOf(issued, members))
      }
      refused.push(...await this.#ofGoneClusters(clusterIds))
      const routes = await this.#routesNow()
      for (const known of [routes, this.#ranges]) for (const clusterId of known.keys()) if (!clusterIds.includes(clusterId)) known.delete(clusterId)
      this.#admitted = { names: names.toSorted(), refused: refused.toSorted() }
      await this.#apply()
      this.#works = true
    })
  }

  /** Leads the region's network to the pods of these nodes, which are the cluster's only ones in the overlay. */
  ensurePodRoutes(clusterId: string, routes: readonly PodRoute[]): Promise<void> {
    return this.#inTurn(async () => {
      const all = await this.#routesNow()
      all.set(clusterId, routes)
      await mkdir(this.#options.folder, { recursive: true, mode: 0o700 })
      await writeFile(`${this.#routesFile}.part`, JSON.stringify([...all]))
      await rename(`${this.#routesFile}.part`, this.#routesFile)
      // Whoever makes it work brings the routes with it.
      if (this.#works) await this.#apply()
    })
  }

  papersFor(member: OverlayMember, have: string): Promise<OverlayPapers | 'same'> {
    return this.#inTurn(async () => {
      const { records, clock, settings } = this.#options
      // Until it knows its members it would call every other machine of the cluster a stranger.
      if (!this.#works) throw new OverlayAway('The way into the region for machines outside is being prepared; try again in a moment.')
      const keys = await this.#ensureKeys()
      const now = clock.now()
      const name = overlayName(member.secretHash)
      const issued = await this.#issuedOf(member.clusterId)
      const refused = this.#notOf(issued, new Set(this.#admitted.names).add(name)).toSorted()
      const about = createHash('sha256').update(JSON.stringify([machineSettings(settings, { authority: keys.authority, certificate: '' }, { clusterId: member.clusterId, refused }), member])).digest('hex').slice(0, 32)
      const [before, until] = have.split('.')
      if (before === about && Number(until) - now > RENEW_BEFORE_MS) return 'same'
      await this.#refuseTakenRange(member)
      const signed = await this.#certificates.sign(keys, {
        name, group: member.clusterId, networks: `${member.address}/${overlayAddresses(settings.cidr).prefix}`, unsafeNetworks: member.podCidrs, publicKey: member.publicKey, validMs: VALID_MS,
      })
      const kept = Object.fromEntries(Object.entries(issued).map(([other, list]) => [other, list.filter(one => one.until > now)] as const).filter(([, list]) => list.length > 0))
      const extended = { ...kept, [name]: [...(kept[name] ?? []).filter(one => one.fingerprint !== signed.fingerprint), { fingerprint: signed.fingerprint, until: signed.until }] }
      await records.keepIssued(member.clusterId, extended)
      this.#issued.set(member.clusterId, extended)
      this.#everIssued?.add(member.clusterId)
      this.#ranges.set(member.clusterId, member.podCidrs)
      if (!this.#admitted.names.includes(name)) {
        this.#admitted = { ...this.#admitted, names: [...this.#admitted.names, name].toSorted() }
        await this.#apply()
      }
      const text = machineSettings(settings, { authority: keys.authority, certificate: signed.certificate }, { clusterId: member.clusterId, refused })
      return { settings: JSON.stringify(text, undefined, 1), have: `${about}.${signed.until}` }
    })
  }

  /** Clusters of one account never share a range, those of several may, and a packet says only where it goes. A cluster that was let in stays in. */
  async #refuseTakenRange({ clusterId, podCidrs }: OverlayMember): Promise<void> {
    const routes = await this.#routesNow()
    if (this.#ranges.has(clusterId) || (routes.get(clusterId) ?? []).length > 0) return
    const others = [...this.#ranges, ...[...routes].map(([id, all]) => [id, all.map(({ podCidr }) => podCidr)] as const)].flatMap(([id, ranges]) => (id === clusterId ? [] : ranges))
    const taken = podCidrs.find(own => others.some(other => cidrsOverlap(cidrOf(own), cidrOf(other))))
    if (taken !== undefined) throw new OverlayRangeTaken(`Another cluster of the region with machines outside has pods in ${taken}, the pod range of this cluster; a cluster of another pod range can have machines outside.`)
  }

  /** Fingerprints of certificates that have not ended, of machines that are not among these. */
  #notOf(issued: IssuedOf, names: ReadonlySet<string>): string[] {
    const now = this.#options.clock.now()
    return Object.entries(issued).filter(([name]) => !names.has(name)).flatMap(([, list]) => list.filter(one => one.until > now).map(one => one.fingerprint))
  }

  /** An address is another's once its machine has confirmed its leaving, so papers that name it too must lead nowhere until they end. */
  async #ofGoneClusters(clusterIds: readonly string[]): Promise<string[]> {
    const { records } = this.#options
    this.#everIssued ??= new Set(await records.clusters())
    const refused: string[] = []
    for (const clusterId of this.#everIssued.difference(new Set(clusterIds))) {
      const valid = this.#notOf(await this.#issuedOf(clusterId), new Set())
      refused.push(...valid)
      if (valid.length > 0) continue
      await records.forget(clusterId)
      this.#everIssued.delete(clusterId)
      this.#issued.delete(clusterId)
    }
    return refused
  }

  async #issuedOf(clusterId: string): Promise<IssuedOf> {
    const issued = this.#issued.get(clusterId) ?? await this.#options.records.issued(clusterId)
    this.#issued.set(clusterId, issued)
    return issued
  }

  async #ensureKeys(): Promise<OverlayKeys> {
    const { settings: { network, cidr }, records } = this.#options
    const { own, prefix } = overlayAddresses(cidr)
    return this.#keys ??= await records.keys(kept => this.#certificates.ensureKeys(kept, { networks: `${own}/${prefix}`, unsafeNetworks: network.cidr }, AUTHORITY_VALID_MS))
  }

  get #routesFile(): string {
    return join(this.#options.folder, 'routes.json')
  }

  /** Those that an earlier server led, until this one hears of the nodes: a restart must not take the way to pods for a moment. */
  async #routesNow(): Promise<Map<string, readonly PodRoute[]>> {
    this.#routes ??= new Map(JSON.parse(await readFile(this.#routesFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]'
      throw error
    })) as [string, readonly PodRoute[]][])
    return this.#routes
  }

  async #apply(): Promise<void> {
    const { settings, folder, logFile, components, onStarted } = this.#options
    const { hash } = settings.network
    const keys = await this.#ensureKeys()
    const routes = [...(await this.#routesNow()).values()].flat().toSorted((one, other) => (one.podCidr < other.podCidr ? -1 : 1))
    const wanted = regionSettings(settings, keys, { ...this.#admitted, routes })
    const { link } = overlayPlaces(hash)
    const { path } = await components.find('nebula')
    await ensureOverlayProcess({ executable: path, folder: join(folder, 'run'), logFile, link, onStarted }, wanted, [settings.port, link, keys.certificate])
    await ensureOverlayRoutes(hash, routes.map(({ podCidr }) => podCidr))
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined) // whoever asked is told
    return done
  }
}

/** A machine's name in its certificates: of one secret, so that another machine of the same node name is another one. */
export function overlayName(secretHash: string): string {
  return `machine-${createHash('sha256').update(secretHash).digest('hex').slice(0, 24)}`
}
