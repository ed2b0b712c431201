/** A region may be made again under the name of one that was deleted; what the history tells of that one, up to this ordinal, is none of its own. */
export const REGION_HISTORIES = `
alter table region add column history_after bigint not null default 0;
`
