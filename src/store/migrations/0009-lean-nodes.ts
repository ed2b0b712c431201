/** Nodes of a cluster are found by its index of their names, which each has in any case: whatever changes in a node is written to one index less. */
export const LEAN_NODES = `
drop index node_in_cluster;
`
