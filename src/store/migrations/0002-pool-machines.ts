/**
 * Machines that pools order: who owns them, what they shall be like, what became of the order, and the tokens of their first boot. What lists of pools and nodes
 * newly filter by stands in columns of its own. Where the next free address of a range is looked for, so that a claim among a hundred thousand costs what one among ten does.
 */
export const POOL_MACHINES = `
alter table machine
  add column owner_node_id text,
  add column owner_node_pool_id text,
  add column owner_cluster_id text,
  add column instance_id text,
  add column template json,
  add column sealed_first_boot bytea,
  add column refused json,
  add column obstacle json;
create index machine_of_node on machine (owner_node_id) where owner_node_id is not null;
create index machine_of_pool on machine (owner_node_pool_id) where owner_node_pool_id is not null;
create index machine_of_cluster on machine (owner_cluster_id) where owner_cluster_id is not null;
create index machine_of_instance on machine (account_id, region, instance_id) where instance_id is not null;

-- A bare claim's token names a node that is not there yet, so nothing refers to nodes.
create table node_token (
  token_hash text primary key,
  node_id text not null,
  machine_id text not null
);
create index node_token_of_node on node_token (node_id);
create index node_token_of_machine on node_token (machine_id);

alter table node_pool add column auto_scaling boolean not null default false, add column tags jsonb not null default '[]';
alter table node add column instance_id text;
update node set instance_id = machine_id;
create index node_of_instance on node (account_id, region, instance_id);

create table address_search (
  region text not null,
  first inet not null,
  next inet not null,
  primary key (region, first)
);
`
