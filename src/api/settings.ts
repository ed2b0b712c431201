import type { RegionNames } from './regions.ts'

/** What an operator may set of the API. */
export interface ApiSettings extends RegionNames {
  readonly service: string
  readonly limits: {
    /** Calls a second and account; a second's worth may come at once. `undefined`: no limit. */
    readonly readsPerSecond: number | undefined
    readonly writesPerSecond: number | undefined
    /** Calls a second and account of single actions, by their names. */
    readonly perAction: Readonly<Record<string, number>>
  }
  /** Largest body in bytes; larger ones are read to their end, within reason, and refused. */
  readonly mostBodyBytes: number
  /** Of streams of changes. */
  readonly watches: {
    /** Open at once at this server. */
    readonly most: number
    /** A line that says nothing comes so often, so that whatever stands between keeps the connection. */
    readonly commentMs: number
    /** A reader that takes nothing for so long while something waits for it is cut off. */
    readonly readWithinMs: number
    /** So long the history is listened to when nobody watches any more: that takes a connection to the database, and readers that come and go would each open one. */
    readonly listenOnMs: number
  }
  /** Answers shorter than this are sent as they are. */
  readonly compressFromBytes: number
}

export const DEFAULT_SETTINGS: ApiSettings = {
  service: 'veecp_openapi',
  defaultRegion: 'local-1',
  aliases: ['cn-*', 'ap-*'],
  limits: { readsPerSecond: 10_000, writesPerSecond: 2_000, perAction: {} },
  mostBodyBytes: 1024 * 1024,
  watches: { most: 1_000, commentMs: 15_000, readWithinMs: 60_000, listenOnMs: 5_000 },
  compressFromBytes: 1024,
}
