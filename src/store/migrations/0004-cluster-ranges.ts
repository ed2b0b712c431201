/**
 * The ranges of clusters, so that a creation asks an index which of them overlap instead of reading all clusters. A range stands in the space of its VPC: the first 96
 * bits are of the hash of account and region, the last 32 are the IPv4 address; two ranges overlap only if they are of one VPC. The constraint holds for calls that run at once.
 */
export const CLUSTER_RANGES = `
create table cluster_range (
  span inet not null,
  cluster_id text not null,
  constraint cluster_range_free exclude using gist (span inet_ops with &&)
);
create index cluster_range_of_cluster on cluster_range (cluster_id);
insert into cluster_range (span, cluster_id)
select (
    regexp_replace(left(encode(sha256(convert_to(account_id || chr(10) || region, 'UTF8')), 'hex'), 24), '(.{4})', '\\1:', 'g')
    || split_part(cidr, '/', 1) || '/' || (96 + split_part(cidr, '/', 2)::int)
  )::inet, id
from cluster
  cross join lateral (select json_array_elements_text(spec -> 'podCidrs') union all select json_array_elements_text(spec -> 'serviceCidrs')) as ranges (cidr)
order by created_at, id
on conflict do nothing;
`
