/**
 * What is another in each row once machines are there, and the same in all of a fleet that is being made. PostgreSQL looks at a table now and then, and what it found at such a moment would have it read the nodes of
 * a whole region for one machine's, so it is told how many values there are.
 */
export const KNOWN_TO_DIFFER = `
alter table node alter column machine_id set (n_distinct = -1), alter column instance_id set (n_distinct = -1);
alter table machine alter column machine_id set (n_distinct = -1), alter column instance_id set (n_distinct = -1);
`
