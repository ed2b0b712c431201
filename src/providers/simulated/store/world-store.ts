/** What a world keeps of one thing: its kind, its id within the kind, and itself as JSON text. */
export interface KeptThing {
  readonly kind: string
  readonly id: string
  /** `undefined` in a change: the thing is there no more. */
  readonly text: string | undefined
}

/**
 * Where the worlds of simulated regions are kept, apart from every record. One process owns a region at a time, so nothing here is read but at its start;
 * what `write` has answered is there after the end of any process.
 */
export interface WorldStore {
  /** All things of a region, in no order. */
  load(region: string): AsyncIterable<KeptThing>
  /** Writes all of these changes or none. The newest of two for one thing is the last. */
  write(region: string, changes: readonly KeptThing[]): Promise<void>
  /** Nothing of the region is left. */
  forget(region: string): Promise<void>
}
