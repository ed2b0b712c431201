/**
 * The tables of design section 6 that the spine needs. Times are epoch milliseconds; spec, facts, said and counts are JSON as the model has it, and what lists filter
 * by stands beside it in columns of its own. A migration that has been released is never edited: the next one changes what it made.
 */
export const FIRST_TABLES = `
create table account (
  id text primary key,
  name text not null,
  created_at timestamptz not null default now()
);
create table access_key (
  id text primary key,
  account_id text not null references account (id),
  sealed bytea not null,
  created_at timestamptz not null default now()
);
create table region (
  region text primary key,
  kind text not null,
  ready boolean not null,
  text text not null,
  settings json not null
);

create table cluster (
  id text primary key,
  account_id text not null,
  region text not null,
  revision bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  create_client_token text,
  update_client_token text,
  name text not null,
  delete_protection boolean not null,
  pod_network_mode text not null,
  profile text not null,
  tags jsonb not null,
  address text,
  phase text not null,
  conditions text[] not null,
  spec json not null,
  facts json not null,
  said json not null,
  counts json not null,
  constraint cluster_name unique (account_id, region, name)
);
-- Lists filter by what the index carries beside its order, so that counting ten thousand rows touches none of them.
create index cluster_in_scope on cluster (account_id, region, created_at, id) include (name, phase, conditions);
create index cluster_in_region on cluster (region, created_at, id);

create table node_pool (
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
  type text not null,
  phase text not null,
  conditions text[] not null,
  spec json not null,
  facts json not null,
  said json not null,
  counts json not null,
  constraint node_pool_name unique (cluster_id, name)
);
create index node_pool_in_scope on node_pool (account_id, region, created_at, id) include (name, phase, conditions);

create table node (
  id text primary key,
  account_id text not null,
  region text not null,
  cluster_id text not null references cluster (id),
  node_pool_id text not null references node_pool (id),
  revision bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  create_client_token text,
  update_client_token text,
  name text not null,
  address text,
  machine_id text not null,
  phase text not null,
  conditions text[] not null,
  spec json not null,
  facts json not null,
  said json not null,
  constraint node_name unique (cluster_id, name)
);
create index node_in_scope on node (account_id, region, created_at, id) include (name, phase, conditions);
create index node_in_cluster on node (cluster_id, created_at, id);
create index node_in_pool on node (node_pool_id, created_at, id);
create index node_on_machine on node (region, machine_id);
create index node_in_phase on node (account_id, region, phase, created_at, id) include (conditions);

create table onboarding (
  id text primary key,
  account_id text not null,
  region text not null,
  cluster_id text not null,
  node_pool_id text not null,
  revision bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  create_client_token text,
  update_client_token text,
  name text not null,
  expires_at bigint not null,
  expiration_date bigint,
  token_hash text not null unique,
  sealed_token bytea not null,
  deleted_at bigint
);
create index onboarding_in_scope on onboarding (account_id, region, created_at, id);
create index onboarding_in_cluster on onboarding (cluster_id);

create table kubeconfig (
  id text primary key,
  account_id text not null,
  region text not null,
  cluster_id text not null,
  type text not null,
  user_id bigint not null,
  role_id bigint not null,
  created_at bigint not null,
  expires_at bigint not null,
  sealed_text bytea,
  deletion_requested_at bigint
);
create index kubeconfig_in_scope on kubeconfig (account_id, region, created_at, id);
create index kubeconfig_in_cluster on kubeconfig (cluster_id, id);

create table machine (
  id text primary key,
  account_id text not null,
  region text not null,
  name text not null,
  address text not null,
  power text not null check (power in ('on', 'off')),
  link text not null check (link in ('up', 'cut')),
  machine_id text,
  created_at bigint not null,
  deletion_requested_at bigint,
  constraint machine_name unique (account_id, region, name)
);
create index machine_by_machine_id on machine (region, machine_id);

-- Tombstones outlive node and cluster, so nothing refers to them.
create table machine_secret (
  secret_hash text primary key,
  cluster_id text not null,
  node_pool_id text not null,
  node_id text not null,
  node_name text not null,
  onboarding_id text not null,
  state text not null check (state in ('member', 'removed', 'confirmed')),
  certificate_until bigint,
  changed_at bigint not null
);
create index machine_secret_in_cluster on machine_secret (cluster_id);

create table ledger (
  id text primary key,
  account_id text not null,
  region text not null,
  kind text not null,
  provider_id text,
  owner_kind text not null,
  owner_id text not null,
  owner_name text not null,
  cluster_id text,
  state text not null check (state in ('Intended', 'Held', 'Releasing', 'Retained', 'Abandoned', 'Released')),
  because text,
  delete_protected boolean not null,
  since bigint not null
);
create index ledger_in_scope on ledger (account_id, region, since, id);
create index ledger_of_owner on ledger (owner_id);

create table client_token (
  account_id text not null,
  region text not null,
  action text not null,
  token text not null,
  request_hash text not null,
  resource_id text,
  result json,
  primary key (account_id, region, action, token)
);
create index client_token_of_resource on client_token (resource_id);

create table address (
  region text not null,
  address inet not null,
  owner text not null,
  primary key (region, address),
  unique (region, owner)
);

create table secret (
  name text collate "C" primary key,
  sealed bytea not null
);
`

/** The history: rows are added and numbered once, and nothing else ever happens to them; the triggers hold even against our own mistakes. */
export const HISTORY_TABLES = `
create table status_change (
  ordinal bigint generated always as identity primary key,
  position bigint,
  at bigint not null,
  account_id text not null,
  region text not null,
  kind text not null,
  id text not null,
  name text not null,
  cluster_id text,
  phase text,
  conditions text[],
  rule text not null,
  because text not null,
  evidence json not null,
  caused_by json,
  operation text
);
create unique index status_change_position on status_change (position);
create index status_change_in_scope on status_change (account_id, region, position);
create index status_change_of on status_change (id, position);
create index status_change_in_cluster on status_change (cluster_id, position);
create index status_change_unnumbered on status_change (ordinal) where position is null;

-- One row: the last position given. Whoever locks it is the sequencer.
create table sequencer (only_one boolean primary key default true check (only_one), last bigint not null);
insert into sequencer (last) values (0);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'The history is only added to' using errcode = 'restrict_violation';
end $$;
create trigger status_change_kept before delete on status_change for each statement execute function refuse_change();
create trigger status_change_not_emptied before truncate on status_change for each statement execute function refuse_change();
create trigger status_change_unchanged before update of ordinal, at, account_id, region, kind, id, name, cluster_id, phase, conditions, rule, because, evidence, caused_by, operation
  on status_change for each row execute function refuse_change();
create trigger status_change_numbered_once before update of position on status_change for each row when (old.position is not null) execute function refuse_change();
`

/**
 * Queue, leases, watches, sights. A work row without owner is due at due_at (0: now, null: never by time) in its region's time, and not before retry_at in real time;
 * with an owner, due_at is what came in meanwhile. Owners live in lease by name and epoch; a row whose owner is not there any more is free.
 */
export const QUEUE_TABLES = `
create table lease (
  name text primary key,
  epoch bigint not null,
  expires_at timestamptz not null
);
create table work (
  kind text not null,
  id text not null,
  region text not null,
  generation bigint not null default 1,
  due_at bigint,
  retry_at bigint,
  failures integer not null default 0,
  last_error text,
  ordinal bigint generated always as identity,
  owner text,
  owner_epoch bigint,
  primary key (kind, id)
) with (fillfactor = 70);
create index work_due on work (region, due_at, ordinal) where owner is null;
create index work_retry on work (retry_at) where retry_at is not null;
create index work_running on work (owner) where owner is not null;

create table watch (
  subject text primary key,
  epoch bigint not null,
  owner text,
  owner_epoch bigint,
  stale_since bigint
);
create table sight (
  kind text not null,
  id text not null,
  subject text not null references watch (subject),
  epoch bigint not null,
  fact json not null,
  seen_at bigint not null,
  observer text not null,
  key_kind text,
  key_id text,
  key_region text,
  primary key (kind, id)
);
create index sight_of_subject on sight (subject);
`
