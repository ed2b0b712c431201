/**
 * Pools and add-ons of a cluster that did not start after a payment were shown as they last were. Each is looked at once, by which it is {Failed,[ClusterNotRunning]} like those of today (ADR 25). A server of before would show them as they last were
 * again.
 */
export const CHILDREN_OF_FAILED_STARTS = `
insert into work as w (kind, id, region, due_at)
select child.kind, child.id, cluster.region, 0
from cluster join (select 'node-pool' as kind, id, cluster_id from node_pool union all select 'addon', id, cluster_id from addon) child on child.cluster_id = cluster.id
where cluster.phase = 'Failed' and cluster.facts->>'startingSince' is not null
order by child.kind collate "C", child.id collate "C"
on conflict (kind, id) do update set generation = w.generation + 1, due_at = 0, retry_at = null;
`
