import type { SupportedAddon } from '#model/addon/record.ts'
import type { TakenRange } from '#model/cluster/ranges.ts'
import { refuse } from '#model/errors/catalogue.ts'
import type { MachineLogins } from '#ports/machine-logins.ts'
import type { AddressedCluster } from '#ports/tenant-cluster.ts'
import type { Machines } from '#ports/machines.ts'
import type { RegionQuotas } from '#ports/quotas.ts'
import type { RegionFaults, RegionStock, RegionUsers } from '#ports/region-world.ts'
import type { Store } from '#ports/store.ts'
import type { ScenarioPlays } from './scenarios/kept-play.ts'

/** What the API needs of one region. What a region cannot do is absent here, so that no action asks which kind of region it talks to. */
export interface RegionPorts {
  readonly kind: 'Local' | 'Simulated'
  /** `text` is one sentence: what is ready, or what it waits for. */
  ready(): { readonly ready: boolean; readonly text: string }
  /** The region's time, epoch ms. */
  now(): number
  /** Kubernetes versions served, newest last, e.g. `['v1.34.4', 'v1.35.4']`. */
  servedVersions(): readonly string[]
  /** Ranges that no cluster's pods or services may overlap, such as the bridge's. */
  reservedRanges(): readonly TakenRange[]
  /** Why the region takes no writes at all. */
  refusesWrites?(): NotReady | undefined
  readonly machines?: Machines | undefined
  /** Logs in to machines that are known by address and password; there in the process that runs the region. */
  readonly logins?: MachineLogins | undefined
  /** The addresses from which machines are numbered; there where `machines` is. */
  machineAddresses?(): { readonly first: string; readonly last: string }
  /** The one line that a user runs on a machine; undefined while machines cannot join yet. */
  bootstrapLine?(token: string): string | undefined
  setSchedulable?(cluster: AddressedCluster, nodeName: string, schedulable: boolean): Promise<void>
  /** What may be installed in its clusters; absent where nothing can. */
  readonly addons?: { catalogue(): readonly SupportedAddon[] } | undefined
  /** Address by which API servers are reached from outside; undefined: by their own address on the region's network. */
  publicAddress?(): string | undefined
  /** How much of what it makes each account may have. */
  readonly quotas?: RegionQuotas | undefined
  /** What may be arranged in it, where its world is invented. */
  readonly faults?: RegionFaults | undefined
  readonly stock?: RegionStock | undefined
  readonly users?: RegionUsers | undefined
  /** Its own time, where it has one; a real region's is everybody's. */
  readonly clock?: RegionTime | undefined
  /** The store as calls write to it there, where that is not as it is. */
  readonly store?: Store | undefined
  /** The store for one call, whose write may be one with those of other calls but such as share one of these; see Action. Absent: each call is written by itself. */
  storeTogether?(apart: Apart): Store | undefined
  /** Bytes for ids and tokens, where the region draws them from a seed. */
  readonly randomBytes?: ((count: number) => Uint8Array) | undefined
  /** The server that runs it, where that is another one. */
  elsewhere?(): Elsewhere | undefined
  /** It may be removed while calls are under way: calls that make something of it hold it. */
  readonly isRemovable?: true
  /** Any key of an account sets its balance and quotas there; elsewhere the administrator's key alone does. */
  readonly anyKeySetsLimits?: true
  /** Its callers are not held to the rate limits of real regions. */
  readonly unlimited?: true
  /** Ends when the region takes writes, or will not soon; `refusesWrites` then says which. */
  untilOpen?(): Promise<void>
  /** Ends when reads meet the faults of our own answers that stand in the region, or when none does, or it will not soon; `refusesReads` then says which. */
  untilJudged?(): Promise<void>
  /** Why reads cannot be judged by the faults that stand in the region, as a clause. */
  refusesReads?(): string | undefined
  /** Does a write where the region wants its own work to begin behind what a call does as a whole; what the write itself waits for of that goes into `meanwhile`. */
  inTurn?<Answer>(call: (meanwhile: Meanwhile) => Promise<Answer>): Promise<Answer>
  /** Ends when what a write set off is done, where the region wants its callers to wait for that. */
  afterWrite?(): Promise<void>
}

/** `why` is a clause. What passes by itself is told so that clients send their call again by themselves. */
export interface NotReady { readonly why: string; readonly passes: boolean }

/** Waits for something that a region does by itself, and lets it do so. */
export type Meanwhile = <Answer>(wait: () => Promise<Answer>) => Promise<Answer>

/** What two writes in one transaction must not share: the cluster that is there already and in whose tree they write, which they lock first; and names, ClientTokens among them. */
export interface Apart { readonly clusterId?: string; readonly names: readonly string[] }

/** Another server that runs a region, and is passed its calls. */
export interface Elsewhere {
  readonly endpoint: string
  /** Faults of our own answers stand in the region: reads, too, are judged by the server that counts what they meet. */
  readonly judgesReads: boolean
  /** No other server is known to have taken the region over. */
  readonly isStill: () => boolean
  /** A call was answered there that may have arranged faults: looks at once whether some stand. */
  readonly lookAgain: () => Promise<void>
}

/** How a region's clock is to run from now on; `step` in ms. */
export interface ClockChange { readonly paused?: boolean | undefined; readonly speed?: number | undefined; readonly step?: number | undefined }
/** `behindMs`: how far its work is behind the time that it should be by speed or steps, if that is worth a word. */
export interface ClockShown { readonly now: number; readonly speed: number; readonly paused: boolean; readonly behindMs?: number }

export interface RegionTime {
  read(): ClockShown
  /** Nothing is due and nothing happens before that instant; infinite where that is for ever, undefined where it is not known. */
  quietUntil(): number | undefined
  /** Answers when nothing is due up to where a step leads, or after twenty seconds with `behindMs`. */
  set(change: ClockChange): Promise<ClockShown>
}

/** Makes and removes simulated regions. */
export interface RegionMaker {
  /** Answers its name; undefined if one of that name is there. */
  create(order: { readonly region: string | undefined; readonly seed: number | undefined; readonly startAt: number | undefined; readonly paused: boolean; readonly speed: number; /** Fixed times, ms, by the names of the world's own. */ readonly durations?: Readonly<Record<string, number>> }): Promise<string | undefined>
  /** Ends when nothing of it is left; false: that did not come in time and goes on. */
  remove(region: string): Promise<boolean>
  /** Ends when a region of that name which another server made is among those that are known here, if there is one. */
  learn(region: string): Promise<void>
  readonly plays: ScenarioPlays
}

export interface RegionNames {
  /** Region to which aliases lead and in which requests with the product's own default region land. */
  readonly defaultRegion: string
  /** Patterns with `*`, e.g. `cn-*`. */
  readonly aliases: readonly string[]
}

/** A name that is unknown here is looked for before it is said to be nobody's: another server may have made its region just now. */
export async function learnRegion(regions: ReadonlyMap<string, RegionPorts>, names: RegionNames, maker: Pick<RegionMaker, 'learn'> | undefined, name: string): Promise<void> {
  if (!regions.has(name) && !isAlias(names.aliases, name)) await maker?.learn(name)
}

/** Finds the region that a request was signed for: by its name, else by an alias of the default region, to which all other names lead, too, where `orDefault` is set. Throws a Refusal that lists the regions there are. */
export function findRegion(regions: ReadonlyMap<string, RegionPorts>, names: RegionNames, signed: string, orDefault = false): { readonly name: string; readonly ports: RegionPorts } {
  const name = regions.has(signed) ? signed : orDefault || isAlias(names.aliases, signed) ? names.defaultRegion : undefined
  const ports = name === undefined ? undefined : regions.get(name)
  if (name === undefined || !ports) {
    return refuse('InvalidCredential', { why: `this server has no region ${signed}; its regions are ${[...regions.keys()].join(', ')} (aliases of ${names.defaultRegion}: ${names.aliases.join(', ') || 'none'})` })
  }
  return { name, ports }
}

/** Refuses a call of which nothing was done. Clients send a 503 again by themselves, and nothing else of that. */
export function refuseNotReady(region: string, { why, passes }: NotReady): never {
  if (passes) refuse('ServiceUnavailable', { why: `the region ${region} takes no orders: ${why}` })
  return refuse('OperationDenied.RegionNotReady', { region, why })
}

/** Whether a name leads to the default region. */
export function isAlias(patterns: readonly string[], region: string): boolean {
  return patterns.some(pattern => pattern.endsWith('*') ? region.startsWith(pattern.slice(0, -1)) : pattern === region)
}
