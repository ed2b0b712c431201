import { hash } from 'node:crypto'
import { newId } from '#model/ids.ts'

/** Shortest and longest, ms; a single number of both is a fixed time. */
export type Span = readonly [shortest: number, longest: number]

const NO_LANE = endOf(0)

/**
 * Draws that depend on nothing but the seed and what is drawn for, so that one world told twice is the same. Ids in what is drawn for count without their lane, by which
 * regions of one seed differ.
 */
export class Draw {
  readonly #seed: string
  /** Ids of this region, where they do not end as those of a region that is alone. */
  readonly #own: RegExp | undefined

  constructor(seed: number, lane = 0) {
    this.#seed = String(seed)
    this.#own = lane === 0 ? undefined : new RegExp(`([a-z][0-9a-v]{16})${endOf(lane)}`, 'g')
  }

  /** A whole number within the span, both ends included. `for`: port, call, target and the how manieth it is. */
  within([shortest, longest]: Span, ...what: readonly (string | number)[]): number {
    if (shortest >= longest) return shortest
    return shortest + Math.floor(mixed(this.#place(what)) / 2 ** 32 * (longest - shortest + 1))
  }

  /** Lower-case hexadecimal digits. */
  hex(digits: number, ...what: readonly (string | number)[]): string {
    return hash('sha256', this.#place(what), 'hex').slice(0, digits)
  }

  /** Digits that no other region draws, for what has to be somebody's alone. */
  secret(digits: number, ...what: readonly (string | number)[]): string {
    return hash('sha256', `${this.#seed}|${what.join('|')}`, 'hex').slice(0, digits)
  }

  #place(what: readonly (string | number)[]): string {
    const place = `${this.#seed}|${what.join('|')}`
    return this.#own ? place.replaceAll(this.#own, `$1${NO_LANE}`) : place
  }
}

/** How the ids of a lane end: their last two bytes. */
function endOf(lane: number): string {
  return newId('cluster', 0, Uint8Array.of(0, 0, 0, 0, 0, 0, lane >>> 8, lane & 255)).slice(-4)
}

/** FNV-1a with murmur's last step, which spreads texts that differ in their last letter only. */
function mixed(text: string): number {
  let mix = 0x811c9dc5
  for (let at = 0; at < text.length; at++) mix = Math.imul(mix ^ text.charCodeAt(at), 0x01000193)
  mix = Math.imul(mix ^ (mix >>> 16), 0x85ebca6b)
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35)
  return (mix ^ (mix >>> 16)) >>> 0
}
