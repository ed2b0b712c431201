import { eachOf } from './not-removed.ts'

/** Something of our own failed before a provider was asked. */
export class NotAsked extends Error {
  readonly kind = 'NotAsked'
}

const KINDS: ReadonlySet<unknown> = new Set(['StoreUnavailable', 'StaleRevision', 'NameTaken', 'NotAsked'])

/**
 * Our own store failed, in whatever words that was wrapped. Providers ask it as well, so their calls may end so; it says nothing about what they were asked for, and the pass is tried again.
 */
export function isOfOurStore(error: unknown): boolean {
  return eachOf(error).some(each => each instanceof Error && (('kind' in each && KINDS.has(each.kind)) || (each.cause !== undefined && isOfOurStore(each.cause))))
}
