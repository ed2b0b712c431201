import type { AccessKey, Store } from '#ports/store.ts'

const KNOWN_FOR_MS = 10_000
/** Short, so that a key works at once after it was made. */
const UNKNOWN_FOR_MS = 500
const MOST = 10_000

/** Access keys as the store has them, remembered for seconds: without it every call would cost a query of its own. */
export class KnownKeys {
  readonly #store: Pick<Store, 'findAccessKey'>
  readonly #realNow: () => number
  readonly #keys = new Map<string, { readonly key: Promise<AccessKey | undefined>; until: number }>()

  constructor(store: Pick<Store, 'findAccessKey'>, realNow: () => number) {
    this.#store = store
    this.#realNow = realNow
  }

  find(accessKeyId: string): Promise<AccessKey | undefined> {
    const now = this.#realNow()
    const known = this.#keys.get(accessKeyId)
    if (known && known.until > now) return known.key
    const entry = { key: this.#store.findAccessKey(accessKeyId), until: now + KNOWN_FOR_MS }
    this.#keys.delete(accessKeyId)
    this.#keys.set(accessKeyId, entry)
    if (this.#keys.size > MOST) this.#dropOldest()
    entry.key.then(
      key => { if (!key) entry.until = now + UNKNOWN_FOR_MS },
      // The caller gets the error; the next call asks again.
      () => { entry.until = 0 },
    )
    return entry.key
  }

  #dropOldest(): void {
    const [oldest] = this.#keys.keys()
    if (oldest !== undefined) this.#keys.delete(oldest)
  }
}
