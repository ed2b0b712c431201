import { bootstrapLine } from '#join/bootstrap-line.ts'

/** What the record of a region keeps for the servers of other hosts, so that they show the same as its own. */
export interface ToldOfRegion {
  /** `note`: what the line that machines run ends with. */
  readonly join: { readonly url: string; readonly pin: string; readonly note?: string }
  /** By which clients outside reach its API servers; null where nothing is advertised. */
  readonly advertise: string | null
}

/** The one line that machines run. */
export function lineOf({ note = '', ...join }: ToldOfRegion['join'], token: string): string {
  return `${bootstrapLine({ ...join, token })}${note}`
}
