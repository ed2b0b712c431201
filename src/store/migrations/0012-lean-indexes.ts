/**
 * A row that is added, and most rows that change, go into each index of their table. Nothing asks for machines by their owners, or for ledgers by the instant of their state, so these indexes go; lists of a
 * ledger are in the order of ids. What an account's entries cost stands in rows of its own, which are added where entries change, and summed up now and then (each start sums the ledger anew, the one that makes this table, too): so none of the ledger's indexes has to do with
 * what changes in an entry, and there is room on its page for the change. What grows by the hundred thousand is tidied up at the database's usual pace; only what is counted from an index alone, or emptied all
 * the time, is looked through sooner.
 */
export const LEAN_INDEXES = `
drop index machine_of_node;
drop index machine_of_pool;
drop index machine_of_cluster;
drop index ledger_in_scope;
drop index ledger_costs;
create index ledger_in_account on ledger (account_id, region, id);
create table ledger_tally (
  account_id text not null,
  region text not null,
  spent numeric not null,
  price numeric not null,
  priced_since numeric not null
);
create index ledger_tally_in_account on ledger_tally (account_id, region);
alter table ledger set (fillfactor = 50);
alter table node_status set (autovacuum_vacuum_scale_factor = 0.05);
alter table work set (autovacuum_vacuum_scale_factor = 0.05);
`
