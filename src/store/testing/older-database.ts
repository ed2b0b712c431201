/** Makes a database as it was before migration 11, with its rows; that migration, and all after it, run at the next start. */
export const BEFORE_CHANGES_IN_PLACE = `
  alter table node add column phase text, add column conditions text[];
  update node set phase = s.phase, conditions = s.conditions from node_status s where s.id = node.id;
  drop table node_status;
  create index node_in_phase on node (account_id, region, phase, created_at, id) include (conditions);
  create index node_in_scope on node (account_id, region, created_at, id) include (name, phase, conditions);
  create index machine_of_node on machine (owner_node_id) where owner_node_id is not null;
  create index machine_of_pool on machine (owner_node_pool_id) where owner_node_pool_id is not null;
  create index machine_of_cluster on machine (owner_cluster_id) where owner_cluster_id is not null;
  drop table ledger_tally;
  drop index ledger_in_account;
  alter table access_key drop column administrator;
  drop table quota;
  alter table machine drop column granted;
  create index ledger_in_scope on ledger (account_id, region, since, id);
  create index ledger_costs on ledger (account_id, region) include (price, priced_at, spent);
  delete from migration where number >= (select number from migration where name = '0011-changes-in-place')`
