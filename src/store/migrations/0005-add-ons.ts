/** Add-ons of clusters; the id is `<cluster>:<name>`. */
export const ADD_ONS = `
create table addon (
  id text primary key,
  account_id text not null,
  region text not null,
  cluster_id text not null references cluster (id),
  revision bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  create_client_token text,
  update_client_token text,
  name text not null,
  deploy_mode text not null,
  deploy_node_type text not null,
  phase text not null,
  conditions text[] not null,
  spec json not null,
  facts json not null,
  said json not null
);
create index addon_in_scope on addon (account_id, region, created_at, id) include (name, phase, conditions);
create index addon_in_cluster on addon (cluster_id);
`
