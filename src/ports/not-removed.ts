/** A thing and the call that should have removed it, as whoever removes them calls both. */
export interface Names {
  /** Its kind with its id or name, as a sentence begins: `The machine shop-1 (m1)`. */
  readonly thing: string
  readonly call: string
}

/** Something may not be removed. Where `names` is given the message has both, so that nobody names them again. */
export class Held extends Error {
  readonly names: Names | undefined
  constructor(message: string, options?: ErrorOptions & { readonly names?: Names }) {
    super(message, options)
    this.names = options?.names
  }
}

/** What a provider that names both says of a thing that is protected; `why` in whatever words somebody gave for it. */
export function protectedThing({ thing, call }: Names, why?: string): string {
  return `${thing} is protected against deletion: ${call} was refused${why === undefined ? '' : `: ${why}`}`
}

/**
 * What was not removed, as sentences that name the thing and the call whatever a provider said, with what it said. One that names both itself is left as it is, and what is said twice is told
 * once. An AggregateError is each of its errors.
 */
export function notRemoved(names: Names, error: unknown): readonly string[] {
  const errors = eachOf(error)
  const named = errors.filter(namesBoth).map(wordsOf), rest = errors.filter(each => !namesBoth(each)).map(wordsOf)
  return [...new Set([...named, ...rest.length > 0 ? [`${names.thing} could not be removed: ${failed(names.call, rest)}`] : []])]
}

/** That a call failed, with what was said of it; a text that begins with the call has named it. */
export function failed(call: string, said: readonly string[]): string {
  const words = [...new Set(said)].join('; ')
  const begins = said.every(text => new RegExp(`^${call}\\b`).test(text))
  return begins ? words : `${call} failed${words === '' ? '' : `: ${words}`}`
}

export function eachOf(error: unknown): readonly unknown[] {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors.flatMap(eachOf) : [error]
}

function namesBoth(error: unknown): boolean {
  if (!(error instanceof Error) || !('names' in error)) return false
  const { thing, call } = error.names as Partial<Names> | undefined ?? {}
  return thing !== undefined && call !== undefined && error.message.includes(thing) && error.message.includes(call)
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
}
