/**
 * A change of a row goes into each of its table's indexes, unless it finds room on its page. Nothing asks for machines by their owners, or for ledgers by the instant of their state, so their indexes go; lists
 * of a ledger are in the order of ids. A node's row grows to twice its size until it runs: so much is left free beside it. What grows by the hundred thousand is tidied up at the database's usual pace; only
 * what is counted from an index alone, or emptied all the time, is looked through sooner.
 */
export const LEAN_INDEXES = `
drop index machine_of_node;
drop index machine_of_pool;
drop index machine_of_cluster;
drop index ledger_in_scope;
create index ledger_in_scope on ledger (account_id, region, id);
alter table node set (fillfactor = 40);
alter table node_status set (autovacuum_vacuum_scale_factor = 0.05);
alter table work set (autovacuum_vacuum_scale_factor = 0.05);
`
