import type { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'

/** The time of the region that a client speaks to, epoch ms: its own where it has one, this machine's otherwise. */
export async function nowIn(client: EdgeholdClient): Promise<number> {
  try {
    return Date.parse((await client.call('GetClock', {})).Now)
  } catch (error) {
    if (error instanceof ApiError) return Date.now()
    throw error
  }
}
