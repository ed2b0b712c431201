import type { Log } from '#ports/log.ts'

/** For parts of the product that a benchmark uses directly. */
export const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet }
