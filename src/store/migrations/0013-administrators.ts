/**
 * Which keys are the administrator's. Every key from before was made by an `up` for whoever ran it, and could set the balances of real regions: all of them go on being able to. A server of an older version makes
 * keys without it.
 */
export const ADMINISTRATORS = `
alter table access_key add column administrator boolean not null default false;
update access_key set administrator = true;
`
