/**
 * What lists of nodes look at besides ids and parents stands in a table of its own: most changes of a node are of its status, and none of the indexes of its own row has to do with that. So its row changes in
 * place, and a narrow one is written anew. Tables whose rows mostly change in columns that no index has leave room on their pages, so that a change is written there and to no index.
 */
export const CHANGES_IN_PLACE = `
lock table node in access exclusive mode;
create table node_status (
  id text primary key,
  account_id text not null,
  region text not null,
  created_at bigint not null,
  name text not null,
  phase text not null,
  conditions text[] not null
);
insert into node_status (id, account_id, region, created_at, name, phase, conditions) select id, account_id, region, created_at, name, phase, conditions from node;
-- Lists filter by what the index carries beside its order, so that counting a hundred thousand rows touches none of them.
create index node_status_in_scope on node_status (account_id, region, created_at, id) include (name, phase, conditions);
create index node_status_in_phase on node_status (account_id, region, phase, created_at, id) include (conditions);
drop index node_in_phase;
drop index node_in_scope;
alter table node drop column phase, drop column conditions;
alter table node set (fillfactor = 75);
alter table node_pool set (fillfactor = 75);
alter table cluster set (fillfactor = 75);
alter table machine set (fillfactor = 85);
alter table sight set (fillfactor = 80);
`
