/** What a change says of facts: a member that is `undefined` is taken away. */
export type FactsChange<Facts> = { readonly [Name in keyof Facts]?: Facts[Name] | undefined }

/** The facts after a change; never holds a member whose value is `undefined`, so that equal facts are deeply equal. */
export function withFacts<Facts extends object>(facts: Facts, change: FactsChange<Facts>): Facts {
  const both: Readonly<Record<string, unknown>> = { ...facts, ...change }, merged: Record<string, unknown> = {}
  // Each change of each record comes by here: entries in between would be most of what it costs.
  for (const name of Object.keys(both)) if (both[name] !== undefined) merged[name] = both[name]
  return merged as Facts
}
