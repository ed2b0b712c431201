/** Rows of the history come without a position and get one a moment later; the indexes that readers go by name them only then, so that each is entered once. */
export const HISTORY_INDEXES = `
drop index status_change_position;
drop index status_change_in_scope;
drop index status_change_of;
drop index status_change_in_cluster;
create unique index status_change_position on status_change (position) where position is not null;
create index status_change_in_scope on status_change (account_id, region, position) where position is not null;
create index status_change_of on status_change (id, position) where position is not null;
create index status_change_in_cluster on status_change (cluster_id, position) where position is not null;
`
