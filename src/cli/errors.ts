/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {
  readonly kind = 'UsageError'
}

/** Refused or failed here, before or after the API was asked: exit code 1. */
export class CommandFailed extends Error {
  readonly kind = 'CommandFailed'
}

/** Nothing of that name or id is there now. */
export class NothingThere extends CommandFailed {}

/** The thing waited for did not come in time: exit code 3. */
export class WaitedInVain extends Error {
  readonly kind = 'WaitedInVain'
  /** What to do next, where nothing goes on by itself. */
  readonly hint: string | undefined

  constructor(message: string, { hint, ...options }: ErrorOptions & { readonly hint?: string | undefined } = {}) {
    super(message, options)
    this.hint = hint
  }
}

export const EXIT = { done: 0, failed: 1, usage: 2, waitedInVain: 3 } as const
