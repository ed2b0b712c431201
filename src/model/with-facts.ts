/** What a change says of facts: a member that is `undefined` is taken away. */
export type FactsChange<Facts> = { readonly [Name in keyof Facts]?: Facts[Name] | undefined }

/** The facts after a change; never holds a member whose value is `undefined`, so that equal facts are deeply equal. */
export function withFacts<Facts extends object>(facts: Facts, change: FactsChange<Facts>): Facts {
  const merged: object = { ...facts, ...change }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)) as Facts
}
