/** The tables of the worlds, forward only; a schema of their own, which nothing else reads or writes. */
export const WORLD_MIGRATIONS: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: '1-things',
    sql: `
      create table world.thing (
        region text not null,
        kind text not null,
        id text not null,
        value jsonb not null,
        primary key (region, kind, id)
      );
    `,
  },
  {
    name: '2-owners',
    sql: `
      create table world.owner (
        region text primary key,
        claim bigint not null
      );
    `,
  },
  {
    // Nobody but the world reads what is kept of a thing; with room beside it, what becomes of it is written to no index.
    name: '3-texts',
    sql: `
      alter table world.thing alter column value type text, set (fillfactor = 60);
    `,
  },
]
