import type { Queryable } from '../connection/database.ts'

/**
 * What an account's entries in the ledger have cost, and cost from now on, as the sum over rows that are only added: whoever changes entries adds what that moved, in its own transaction, so that nobody waits for another
 * and every snapshot's sum is exact. Now and then the rows are summed up.
 */
export function tallying(moves: string): string {
  return `insert into ledger_tally (account_id, region, spent, price, priced_since)
     select account_id, region, sum(sign * spent), sum(sign * price), sum(sign * price::numeric * priced_at) from (${moves}) moves group by account_id, region
     having (sum(sign * spent), sum(sign * price), sum(sign * price::numeric * priced_at)) <> (0, 0, 0)`
}

/**
 * Sums the ledger anew: a server of a version that did not tally, and stood still while others began, may have written entries until it was ended. For a moment nobody changes any. Who writes entries and nodes
 * writes entries first, so this comes before `countNodesAnew`.
 */
export async function sumCostsAnew(connection: Queryable): Promise<void> {
  await connection.query('lock table ledger in share mode')
  await connection.query('lock table ledger_tally in share row exclusive mode')
  await connection.query('delete from ledger_tally')
  await connection.query(tallying('select account_id, region, spent, price, priced_at, 1 as sign from ledger'))
}

/** Makes one row of all that tell of the same. Two at once are correct, but wait for each other. */
export async function sumUpCosts(connection: Queryable): Promise<void> {
  await connection.query(
    `with gone as (delete from ledger_tally returning account_id, region, spent, price, priced_since)
     insert into ledger_tally (account_id, region, spent, price, priced_since)
     select account_id, region, sum(spent), sum(price), sum(priced_since) from gone group by account_id, region having (sum(spent), sum(price), sum(priced_since)) <> (0, 0, 0)`,
  )
}
