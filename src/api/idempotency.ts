import { hash } from 'node:crypto'
import { refuse } from '#model/errors/catalogue.ts'
import type { Transaction } from '#ports/store.ts'
import type { Action, ActionContext } from './action.ts'
import { holdRegion, refuseRemoved } from './lock.ts'

interface Tokens { readonly ClientToken?: string; readonly CreateClientToken?: string }

/** The caller's token, under either of its names; an empty one is none. */
export function tokenOf(body: Tokens): string | undefined {
  return body.ClientToken || body.CreateClientToken || undefined
}

/** Whether a call of it that is sent again with its token is known as the same one. */
export function takesToken({ schema }: Pick<Action, 'schema'>): boolean {
  return 'ClientToken' in ((schema as { readonly properties?: object }).properties ?? {})
}

/**
 * Runs `make` once for a token: a repeat with the same parameters answers the first result, one with others is refused. `resourceId` is the thing whose
 * end frees the token, for a deletion what the deleted is part of, as a lost answer is asked for again when it is gone. A cluster is part of nothing that ends: all tokens of it and in it are free once it is gone, and a deletion that is sent again
 * then is answered that it is gone, which is what it asked for. A region that is removed meanwhile takes no token. Without a token it just runs. `locks`: what `make` begins with; they are asked for together with the token, behind it, so they may write nothing, and a repeat is answered once they are free.
 */
export async function once<Locked = undefined>(
  context: ActionContext, tx: Transaction, body: Tokens, make: (locked: Locked) => Promise<{ resourceId: string; result: object }>, ...[locks]: undefined extends Locked ? [] : [locks: () => Promise<Locked>]
): Promise<object> {
  const token = tokenOf(body)
  const makeNow = async (locking: Promise<Locked> | undefined): Promise<{ resourceId: string; result: object }> => make(await locking as Locked)
  if (token === undefined) return (await makeNow(locks?.())).result
  const claiming = tx.claimClientToken(context.scope, context.action, token, requestHash(body)), holding = holdRegion(context, tx), locking = locks?.()
  for (const asked of [holding, locking]) asked?.catch(() => {}) // of no account where the first result is answered
  const claim = await claiming
  switch (claim.kind) {
    case 'mismatch': return refuse('IdempotentParameterMismatch', { action: context.action })
    case 'repeat': return claim.result as object
    case 'fresh': {
      if (!await holding) return refuseRemoved(context)
      const made = await makeNow(locking)
      await tx.bindClientToken(context.scope, context.action, token, made.resourceId, made.result)
      return made.result
    }
  }
}

/** Over the parameters without the tokens, members in a fixed order. */
export function requestHash(body: object): string {
  const { ClientToken: _token, CreateClientToken: _createToken, ...parameters } = body as Tokens
  return hash('sha256', JSON.stringify(sorted(parameters)), 'hex')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, item]) => [name, sorted(item)])
}
