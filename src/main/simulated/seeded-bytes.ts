import { hash } from 'node:crypto'

export interface SeededFrom {
  readonly seed: number
  /** Differs between regions of one seed that are there together. */
  readonly lane: number
  /** Differs between processes that ran the region one after another. */
  readonly opened: number
}

/** As many bytes as an id is made of; the last two of them are its region's lane. */
const ID_BYTES = 8, LANE_AT = 6
/** The greatest that two bytes hold. */
export const LAST_LANE = 65_535

/**
 * Bytes for the ids and tokens of a simulated region, from its seed and a counter, so that the same calls give the same ids. Two regions of one seed that are there together
 * have ids that differ in nothing but their lane: they sort alike, and what is drawn for them leaves the lane out, so that both tell one story. Tokens differ altogether.
 * `use` must differ for whatever may count from the same place.
 */
export function seededBytes({ seed, lane, opened }: SeededFrom, use: string): (count: number) => Uint8Array {
  let drawn = 0
  return count => {
    drawn += 1
    const place = count > ID_BYTES ? `${seed}|${lane}|${opened}|${use}` : `${seed}|${opened}|${use}`
    const blocks: Buffer[] = []
    for (let block = 0; block * 32 < count; block++) blocks.push(hash('sha256', `${place}|${drawn}|${block}`, 'buffer'))
    const bytes = Buffer.concat(blocks).subarray(0, count)
    if (count === ID_BYTES) bytes.writeUInt16BE(lane, LANE_AT)
    return bytes
  }
}
