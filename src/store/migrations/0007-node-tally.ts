/** How many nodes show what: rows that are added where nodes change, and summed up now and then, so that a list of a hundred thousand nodes knows their number without counting. */
export const NODE_TALLY = `
create table node_tally (
  account_id text not null,
  region text not null,
  phase text not null,
  conditions text[] not null,
  nodes bigint not null
);
create index node_tally_in_scope on node_tally (account_id, region);
insert into node_tally (account_id, region, phase, conditions, nodes)
select account_id, region, phase, conditions, count(*) from node group by account_id, region, phase, conditions;
`
