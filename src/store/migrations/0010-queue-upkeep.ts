/** The queue is filled and emptied all the time: whoever looks for what is due needs to know soon how much that is, whatever the server's own setting for tables that grow. */
export const QUEUE_UPKEEP = `
alter table work set (autovacuum_analyze_scale_factor = 0.1);
`
