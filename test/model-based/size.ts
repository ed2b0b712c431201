/**
 * How much is played, in steps of random stories: CI plays a little on every push, a nightly run sets more. From so many on as the last number says, a server
 * dies after every effect of the lives whose crash points are counted, and after every fifth otherwise.
 */
export const SIZE = Number(process.env['EDGEHOLD_MODEL_BASED_SIZE'] ?? 500)
export const CRASH_STRIDE = SIZE >= 5_000 ? 1 : 5
