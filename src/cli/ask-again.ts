import { NoAnswer } from '#client/errors.ts'
import { isPassing } from '#client/passing.ts'
import { tell } from './print.ts'
import { realTime } from './waiting-time.ts'

/** A server that was killed is started again by somebody, or another one takes its place. */
const PATIENCE_MS = 90_000
const PAUSE_MS = 500

/**
 * A call that may be sent again without being done twice: where its server is gone before it answers, or opens its region anew, it is sent again until an answer comes, for a minute and a half at most. What
 * takes `longestMs` by itself is waited for no further, and what is lost time and again not much longer than that.
 */
export async function askAgain<Answer>(longestMs: number, ask: () => Promise<Answer>, time = realTime): Promise<Answer> {
  const begunAt = time.now()
  let lostAt: number | undefined
  for (;;) {
    const askedAt = time.now()
    try {
      return await ask()
    } catch (error) {
      const now = time.now()
      // One that was lost after so long was there in between: the time begins anew.
      if (lostAt === undefined || (error instanceof NoAnswer && now - askedAt > PATIENCE_MS / 10)) {
        if (lostAt === undefined && isPassing(error)) tell(error instanceof NoAnswer ? 'The server gives no answer for now; the call is sent again until it does.' : 'The server refuses the call for now; it is sent again for a while.')
        lostAt = now
      }
      if (!isPassing(error) || now - lostAt >= PATIENCE_MS || now - askedAt >= longestMs || now - begunAt >= longestMs + PATIENCE_MS) throw error
    }
    await time.sleep(PAUSE_MS)
  }
}
