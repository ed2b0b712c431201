import type { TakenRange } from '#model/cluster/ranges.ts'
import { refuse } from '#model/errors/catalogue.ts'
import type { Machines } from '#ports/machines.ts'

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
  /** Why the region takes no writes at all, as a sentence. */
  refusesWrites?(): string | undefined
  readonly machines?: Machines | undefined
  /** The addresses from which machines are numbered; there where `machines` is. */
  machineAddresses?(): { readonly first: string; readonly last: string }
  /** The one line that a user runs on a machine; undefined while machines cannot join yet. */
  bootstrapLine?(token: string): string | undefined
  setSchedulable?(clusterId: string, nodeName: string, schedulable: boolean): Promise<void>
  /** Address by which API servers are reached from outside; undefined: by their own address on the region's network. */
  publicAddress?(): string | undefined
}

export interface RegionNames {
  /** Region to which aliases lead and in which requests with the product's own default region land. */
  readonly defaultRegion: string
  /** Patterns with `*`, e.g. `cn-*`. */
  readonly aliases: readonly string[]
}

/** Finds the region that a request was signed for: by its name, else by an alias of the default region. Throws a Refusal that lists the regions there are. */
export function findRegion(regions: ReadonlyMap<string, RegionPorts>, names: RegionNames, signed: string): { readonly name: string; readonly ports: RegionPorts } {
  const name = regions.has(signed) ? signed : isAlias(names.aliases, signed) ? names.defaultRegion : undefined
  const ports = name === undefined ? undefined : regions.get(name)
  if (name === undefined || !ports) {
    return refuse('InvalidCredential', { why: `this server has no region ${signed}; its regions are ${[...regions.keys()].join(', ')} (aliases of ${names.defaultRegion}: ${names.aliases.join(', ') || 'none'})` })
  }
  return { name, ports }
}

function isAlias(patterns: readonly string[], region: string): boolean {
  return patterns.some(pattern => pattern.endsWith('*') ? region.startsWith(pattern.slice(0, -1)) : pattern === region)
}
