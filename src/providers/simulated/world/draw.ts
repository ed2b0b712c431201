import { createHash } from 'node:crypto'

/** Shortest and longest, ms; a single number of both is a fixed time. */
export type Span = readonly [shortest: number, longest: number]

/** Draws that depend on nothing but the seed and what is drawn for, so that one world told twice is the same. */
export class Draw {
  readonly #seed: string

  constructor(seed: number) {
    this.#seed = String(seed)
  }

  /** A whole number within the span, both ends included. `for`: port, call, target and the how manieth it is. */
  within([shortest, longest]: Span, ...what: readonly (string | number)[]): number {
    if (shortest >= longest) return shortest
    return shortest + Math.floor(mixed(`${this.#seed}|${what.join('|')}`) / 2 ** 32 * (longest - shortest + 1))
  }

  /** Lower-case hexadecimal digits. */
  hex(digits: number, ...what: readonly (string | number)[]): string {
    return createHash('sha256').update(`${this.#seed}|${what.join('|')}`).digest('hex').slice(0, digits)
  }
}

/** FNV-1a with murmur's last step, which spreads texts that differ in their last letter only. */
function mixed(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
