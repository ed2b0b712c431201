import { Type } from 'typebox'
import { spentUntil } from '#model/account/arrears.ts'
import { refuseParameter } from '#model/errors/catalogue.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { refuseToOthers } from '../administrator.ts'
import { holdRegion, refuseRemoved } from '../lock.ts'

const MILLIONTHS = 1_000_000
/** A thousand million of the currency; with millionths still an exact integer. */
const LARGEST = 1_000_000_000

export const SetBalance = defineAction({
  name: 'SetBalance',
  version: OWN_VERSION,
  kind: 'write',
  says: 'Sets what the account has in this region, in units of its currency (at most six decimals, below zero too), or takes the limit away; in a real region with the administrator\'s key.',
  schema: Type.Object({ Amount: Type.Optional(Type.Number()), Unlimited: Type.Optional(Type.Literal(true)) }),
  run: async (context, body) => {
    refuseToOthers(context)
    const { store, scope, now } = context
    const { Amount: amount } = body
    if ((amount === undefined) !== (body.Unlimited === true)) refuseParameter(context.action, 'Amount', 'either Amount or Unlimited is sent')
    if (amount !== undefined && !(Math.abs(amount) <= LARGEST)) refuseParameter(context.action, 'Amount', `it is a number from -${LARGEST} to ${LARGEST}`)
    await store.write(now, async tx => {
      const [isThere, { balance: _balance, ...account }] = await Promise.all([holdRegion(context, tx), tx.lockAccount(scope)])
      if (!isThere) return refuseRemoved(context)
      const balance = amount === undefined ? undefined : { amount: Math.round(amount * MILLIONTHS), at: now, spentBefore: spentUntil(await tx.meterOf(scope), now) }
      await tx.putAccount({ ...account, ...(balance && { balance }) })
      await tx.enqueue({ kind: 'account', id: `${scope.accountId}/${scope.region}`, region: scope.region })
    })
    return {}
  },
})
