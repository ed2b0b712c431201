/**
 * Balances of accounts, and what the ledger's entries cost: each carries its price of now, the instant since which it holds, and what it had cost until then, so that one
 * sum over an account's entries tells what was spent at any instant. Entries from before cost nothing until they are next written.
 */
export const ACCOUNT_BALANCES = `
create table account_balance (
  account_id text not null,
  region text not null,
  amount bigint,
  set_at bigint,
  spent_before numeric,
  arrears_since bigint,
  stopped_since bigint,
  primary key (account_id, region)
);
alter table ledger add column power text check (power in ('on', 'off'));
alter table ledger add column price bigint not null default 0;
alter table ledger add column priced_at bigint not null default 0;
alter table ledger add column spent numeric not null default 0;
create index ledger_costs on ledger (account_id, region) include (price, priced_at, spent);
`
