/**
 * Quotas of real regions; how often each was changed stays when its limit is taken away. A machine counts once it was made, or may be made, which is written to it first: null for those from before, and for what servers of an older
 * version make, which count from when they are made.
 */
export const QUOTAS = `
create table quota (
  account_id text not null,
  region text not null,
  kind text not null,
  most bigint,
  changes bigint not null default 1,
  primary key (account_id, region, kind)
);
create index quota_in_region on quota (region);
alter table machine add column granted boolean;
`
