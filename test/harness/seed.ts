/** Random moments that can be had again: the seed is printed, and EDGEHOLD_TEST_SEED gives it back. */
export function seededMoments(say: (text: string) => void): (fromMs: number, toMs: number) => number {
  const given = process.env['EDGEHOLD_TEST_SEED']
  let state = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
  say(`the same moments again: EDGEHOLD_TEST_SEED=${state}`)
  return (fromMs, toMs) => {
    // A linear congruential generator: good enough to pick moments, and the same everywhere.
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return fromMs + Math.floor((state / 2 ** 31) * (toMs - fromMs))
  }
}

export const passes = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
