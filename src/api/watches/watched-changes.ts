import type { FollowFilter, Scope } from '#ports/store.ts'

/** What WatchChanges answers in place of a result: which changes are to be streamed, and from where on. Nothing is held until somebody streams them. */
export class WatchedChanges {
  readonly scope: Scope
  readonly filter: FollowFilter
  /** Those behind this position. */
  readonly after: number
  /** Which of the regions that had the name; when it is another one they end. */
  readonly region: number | undefined

  constructor({ scope, filter, after, region }: Pick<WatchedChanges, 'scope' | 'filter' | 'after' | 'region'>) {
    this.scope = scope
    this.filter = filter
    this.after = after
    this.region = region
  }
}
