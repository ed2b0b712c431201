/** Requests a second and address of a machine; a few seconds' worth may come at once. */
const PER_SECOND = 20
const AT_ONCE = 100
/** Beyond that many addresses the ones seen longest ago are forgotten. */
const MOST_ADDRESSES = 10_000

/** A bucket of tokens an address, in real time (limits are no business of a region's clock). */
export class AddressLimit {
  readonly #buckets = new Map<string, { tokens: number; at: number }>()

  /** False if the address has asked too often just now. */
  allows(address: string, realNow: number): boolean {
    const bucket = this.#buckets.get(address) ?? { tokens: AT_ONCE, at: realNow }
    const tokens = Math.min(AT_ONCE, bucket.tokens + ((realNow - bucket.at) / 1000) * PER_SECOND)
    this.#buckets.delete(address) // so that the map is in order of last use
    this.#buckets.set(address, { tokens: Math.max(0, tokens - 1), at: realNow })
    const oldest = this.#buckets.size > MOST_ADDRESSES ? this.#buckets.keys().next().value : undefined
    if (oldest !== undefined) this.#buckets.delete(oldest)
    return tokens >= 1
  }
}
