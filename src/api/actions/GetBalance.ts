import { Type } from 'typebox'
import { balanceAt, zeroAt } from '#model/account/arrears.ts'
import { rfc3339Milliseconds } from '#model/time.ts'
import { OWN_VERSION, defineAction } from '../action.ts'
import { given } from './shapes.ts'

const MILLIONTHS = 1_000_000
/** RFC 3339 writes no later year; what is spent so slowly is as good as never gone. */
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

export const GetBalance = defineAction({
  name: 'GetBalance',
  version: OWN_VERSION,
  kind: 'read',
  says: 'Tells what the account has in this region (no Amount: unlimited), what it spends an hour, and since when it is in arrears or stopped, or when it will be.',
  schema: Type.Object({}),
  run: async ({ store, scope, now }) => {
    const [account, meter] = await Promise.all([store.findAccount(scope), store.meterOf(scope)])
    const amount = balanceAt(account, meter, now), zero = account.arrearsSince === undefined ? zeroAt(account, meter, now) : undefined
    const time = (at: number | undefined) => at === undefined ? undefined : rfc3339Milliseconds(at)
    return {
      ...given({ Amount: amount === undefined ? undefined : amount / MILLIONTHS }),
      PerHour: Number(meter.price) / MILLIONTHS,
      ...given({ ReachesZeroAt: time(zero !== undefined && zero > LAST_INSTANT ? undefined : zero), ArrearsSince: time(account.arrearsSince), StoppedSince: time(account.stoppedSince) }),
    }
  },
})
