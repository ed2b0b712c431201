import type { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'
import { tell } from './print.ts'

/** Who was told that the clock stands still, and has not seen it run since. */
const told = new WeakSet<EdgeholdClient>()
/** Real regions have no clock of their own. */
const real = new WeakSet<EdgeholdClient>()

/** Whether nothing comes in the region however long one waits: its clock is paused, and all that is due is done. Tells each standstill once. */
export async function standsStill(client: EdgeholdClient): Promise<boolean> {
  if (real.has(client)) return false
  try {
    const { Paused, Behind } = await client.call('GetClock', {})
    if (!Paused || Behind !== undefined) {
      told.delete(client)
      return false
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    // Another refusal says nothing of the clock, and passes.
    if (error.code === 'OperationDenied.RegionNotSimulated') real.add(client)
    return false
  }
  if (!told.has(client)) tell(`The clock of the region ${client.region} stands still, and nothing comes until it goes on: ${goesOnBy(client)}.`)
  told.add(client)
  return true
}

/** What lets the clock go on, as commands. */
export function goesOnBy({ region }: EdgeholdClient): string {
  return `"edgehold clock step 1m --region ${region}", or "edgehold clock resume --region ${region}"`
}
