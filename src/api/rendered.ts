import type { Listing } from '#ports/store.ts'
import { deflatedPart, type DeflatedPart } from './compress.ts'

/** A result whose JSON is known already: what many callers are told alike is written, and compressed, once. */
export class Rendered {
  readonly json: string
  #asked = 0
  #deflated: Promise<DeflatedPart> | undefined

  constructor(json: string) {
    this.json = json
  }

  /** The JSON compressed, from the second time on: of most results only one caller is ever told. */
  deflated(): Promise<DeflatedPart> | undefined {
    this.#asked += 1
    if (this.#asked > 1) this.#deflated ??= deflatedPart(this.json)
    return this.#deflated
  }
}

const known = new WeakMap<object, { readonly also: string; readonly rendered: Rendered }>()

/** The JSON of a listing that the store may give to many callers, made by `make` once for each listing and `also`, which is all that the JSON depends on besides it. */
export function renderOnce(listing: Listing<unknown>, also: string, make: () => object): Rendered {
  const found = known.get(listing)
  if (found?.also === also) return found.rendered
  const rendered = new Rendered(JSON.stringify(make()))
  known.set(listing, { also, rendered })
  return rendered
}
