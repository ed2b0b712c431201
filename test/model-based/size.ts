const USUAL = 500

/**
 * How much is played, in steps of random stories: CI plays the same few on every push, a nightly run sets more and plays others each time. With thousands a server
 * dies after every effect of the lives whose crash points are counted, and after every fifth otherwise.
 */
export const SIZE = Number(process.env['EDGEHOLD_MODEL_BASED_SIZE'] ?? USUAL)
export const CRASH_STRIDE = SIZE >= 10 * USUAL ? 1 : 5
/** Of fast-check; undefined: another one each time. */
export const SEED = SIZE > USUAL ? undefined : 4711
