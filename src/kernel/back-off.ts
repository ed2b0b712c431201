const FIRST_MS = 200
const LONGEST_MS = 30_000

/**
 * How long a key waits after its n-th failure in a row (n from 1): doubling from a fifth of a second, which a restarted neighbour needs, up to half a minute: a deadline of
 * a status, or a neighbour that is back, is never slept through for longer.
 * Half of it is drawn, so that a thousand keys that failed together do not come back together. `dice` is in [0, 1).
 */
export function backOffMs(failures: number, dice: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 30))
  return Math.round(whole / 2 + (whole / 2) * dice)
}
