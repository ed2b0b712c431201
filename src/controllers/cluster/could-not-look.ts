import { failed } from '#ports/not-removed.ts'

/** Something of a cluster could not be looked at; the message names the call, `what` the thing, as a sentence begins. */
export class CouldNotLook extends Error {
  readonly what: string
  constructor(what: string, cause: unknown) {
    super(failed('look', [cause instanceof Error ? cause.message : String(cause)]), { cause })
    this.what = what
  }
}

/** The look at that thing, or what kept it. */
export async function lookedAt<Seen>(what: string, look: Promise<Seen>): Promise<Seen> {
  try {
    return await look
  } catch (error) {
    throw new CouldNotLook(what, error)
  }
}
