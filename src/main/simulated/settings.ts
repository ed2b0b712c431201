import type { KeptPlay } from '#api/scenarios/kept-play.ts'
import type { ClockSetting } from '#kernel/region-clock.ts'
import type { RegionRecord } from '#ports/store.ts'

/** What the record of a simulated region keeps of it. */
export interface SimulatedSettings {
  readonly seed: number
  /** Tells regions with the same seed apart that are there together, so that no two give the same id. The first has 0, whose story is the seed's own. */
  readonly lane: number
  readonly clock: ClockSetting
  /** How often it was opened by a process: each counts ids from a place of its own. */
  readonly opened: number
  /** Fixed times instead of drawn ones, ms each, for measuring. */
  readonly durations?: Readonly<Record<string, readonly [number, number]>>
  /** The address of the server that runs it, or ran it last. */
  readonly servedAt?: string
  /** The scenario that is or was played in it. */
  readonly play?: KeptPlay
  /** Everything of it is being removed. */
  readonly deleting?: true
}

/** Addresses of the region's own network: 100.64.0.0/10 is nobody's outside, and has room for a quarter of a million clusters and four million machines. */
export const CLUSTER_ADDRESSES = { first: '100.64.0.1', last: '100.67.255.254' }
export const MACHINE_ADDRESSES = { first: '100.68.0.1', last: '100.127.255.254' }

export function settingsOf({ settings }: RegionRecord): SimulatedSettings {
  return settings as unknown as SimulatedSettings
}

export function withSettings(record: RegionRecord, change: Partial<SimulatedSettings>): RegionRecord {
  return { ...record, settings: { ...record.settings, ...change } }
}
