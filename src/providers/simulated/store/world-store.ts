/** What a world keeps of one thing: its kind, its id within the kind, and itself as JSON text. */
export interface KeptThing {
  readonly kind: string
  readonly id: string
  /** `undefined` in a change: the thing is there no more. */
  readonly text: string | undefined
}

/** Another process has opened the region since: what this one knows of it is old, and nothing of it is written any more. */
export class WorldTaken extends Error {
  readonly kind = 'WorldTaken'
}

/**
 * Where the worlds of simulated regions are kept, apart from every record. One process owns a region at a time, so it reads nothing here but at its start;
 * what `write` has answered is there after the end of any process, and for all that look at it.
 */
export interface WorldStore {
  /** Makes the caller the one that writes the region, and answers the number by which it is known. */
  claim(region: string): Promise<number>
  /** One thing as text; undefined where it is not kept. */
  find(region: string, kind: string, id: string): Promise<string | undefined>
  /** All things of one kind in these regions, in no order; for processes that do not own them. */
  ofKind(regions: readonly string[], kind: string): Promise<readonly { readonly region: string; readonly text: string }[]>
  /** All things of a region, in no order. */
  load(region: string): AsyncIterable<KeptThing>
  /** Writes all of these changes or none. The newest of two for one thing is the last. Throws WorldTaken for a claim that is not the newest. */
  write(region: string, claim: number, changes: readonly KeptThing[]): Promise<void>
  /** Nothing of the region is left. */
  forget(region: string): Promise<void>
}
