const USUAL = 500

/**
 * How much is played, in steps of random stories: CI plays the same few on every push, a nightly run sets more and plays others each time. With thousands a server
 * dies after every effect of the lives whose crash points are counted, and after every fifth otherwise.
 */
export const SIZE = sizeOf(process.env['EDGEHOLD_MODEL_BASED_SIZE'])
export const CRASH_STRIDE = SIZE >= 10 * USUAL ? 1 : 5
/** Of fast-check; undefined: another one each time. */
export const SEED = SIZE > USUAL ? undefined : 4711

/** Nothing that is no number of steps: with none at all every test here would pass. */
export function sizeOf(given: string | undefined): number {
  const size = Number(given ?? USUAL)
  if (!Number.isSafeInteger(size) || size < 1) throw new Error(`EDGEHOLD_MODEL_BASED_SIZE is ${JSON.stringify(given)}, and must be a number of steps, 1 or more`)
  return size
}
