import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

const MOST_KEYS = 10_000

/**
 * Signing keys, one for each day, region, service and secret, as KeyObjects: an HMAC with a Buffer key is several times slower on some
 * versions of Node. Bounded: the key unused for longest goes first.
 */
export class DayKeys {
  readonly #keys = new Map<string, KeyObject>()

  find(secret: string, date: string, region: string, service: string): KeyObject {
    const name = `${date}/${region}/${service}/${secret}`
    const known = this.#keys.get(name)
    if (known) {
      this.#keys.delete(name)
      this.#keys.set(name, known)
      return known
    }
    const key = createSecretKey([date, region, service, 'request'].reduce((step, text) => createHmac('sha256', step).update(text).digest(), Buffer.from(secret)))
    this.#keys.set(name, key)
    if (this.#keys.size > MOST_KEYS) {
      const [oldest] = this.#keys.keys()
      if (oldest !== undefined) this.#keys.delete(oldest)
    }
    return key
  }

  get size(): number {
    return this.#keys.size
  }
}
