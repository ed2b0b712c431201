/** The account of one caller in one region. Times are epoch ms in the region's time. */
export interface AccountRecord {
  readonly accountId: string
  readonly region: string
  /** The balance as it was last set; undefined: unlimited, and nothing is ever stopped for it. */
  readonly balance?: {
    /** Millionths of the currency; an integer, also below zero. */
    readonly amount: number
    readonly at: number
    /** What had been spent when it was set, in millionths × ms an hour: what was spent before is no part of it. An integer of any size. */
    readonly spentBefore: bigint
  }
  /** When the balance reached zero; undefined while there is some. */
  readonly arrearsSince?: number
  /** When the grace time was over; from then on clusters are shut down and writes refused. */
  readonly stoppedSince?: number
}

/** What the ledger's entries of an account have cost and cost now; sums over entries, so that one row tells all. */
export interface Meter {
  /** Spent until each entry's last change, in millionths × ms an hour. */
  readonly spent: bigint
  /** Sum of prices now, millionths an hour. */
  readonly price: bigint
  /** Sum of price × the instant since which it holds. */
  readonly pricedSince: bigint
}
