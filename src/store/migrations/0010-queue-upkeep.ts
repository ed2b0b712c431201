/** The queue is filled and emptied all the time, and what is due is found among what was: it is tidied sooner than tables that grow. */
export const QUEUE_UPKEEP = `
alter table work set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.1);
`
