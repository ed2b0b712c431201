import { createHash } from 'node:crypto'

/**
 * Bytes for the ids and tokens of a simulated region, from its seed and a counter, so that the same calls give the same ids. `parts` must differ for whatever may count from
 * the same place: another region of that seed, another process that runs it.
 */
export function seededBytes(...parts: readonly (string | number)[]): (count: number) => Uint8Array {
  let drawn = 0
  return count => {
    drawn += 1
    const blocks: Buffer[] = []
    for (let block = 0; block * 32 < count; block++) blocks.push(createHash('sha256').update(`${parts.join('|')}|${drawn}|${block}`).digest())
    return Buffer.concat(blocks).subarray(0, count)
  }
}
