/** What held resources cost, in millionths of the account's currency an hour. Kinds are the ledger's; what is not listed costs nothing. */
export interface Priced {
  readonly kind: string
  readonly state: string
  readonly power?: 'on' | 'off'
}

/** A machine that its pool switched off and keeps costs no compute (status-model.md 4, Stopped). */
const PER_HOUR: Readonly<Record<string, number>> = {
  ControlPlane: 1_000_000,
  Machine: 500_000,
  LoadBalancer: 200_000,
  Nat: 300_000,
  Disk: 10_000,
}

/** Billed from when it is there until it is gone; what is retained costs as before (status-rules.md, Deletion). */
const BILLED = new Set(['Held', 'Releasing', 'Retained'])

/** The price of one ledger entry as it is now, an integer: millionths an hour. */
export function priceOf({ kind, state, power }: Priced): number {
  if (!BILLED.has(state) || (kind === 'Machine' && power === 'off')) return 0
  return PER_HOUR[kind] ?? 0
}

export const PRICED_KINDS: readonly string[] = Object.keys(PER_HOUR)
