import { WORLD_MIGRATIONS } from './migrations.ts'
import { WorldTaken, type KeptThing, type WorldStore } from './world-store.ts'

/** Runs one statement on the database, outside every transaction of others. */
export type Query = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>

/** The bytes of `ehworld`: another lock than that of the records' migrations. */
const MIGRATION_LOCK = '28542640894207332'
/** Things read at once while a region is loaded. */
const PAGE = 5_000

/**
 * A commit here does not wait for the disk. The log of the database is one, so a record that is committed afterwards and speaks of what was written here
 * brings it to the disk before itself; and a killed server process loses nothing either way.
 */
const WITHOUT_WAITING = `(select set_config('synchronous_commit', 'off', true)) as quick`

/** Brings the schema `world` to the tables of this code, one process at a time. */
export async function openPostgresWorldStore(query: Query): Promise<WorldStore> {
  await query(`do $migration$ begin
    perform pg_advisory_xact_lock(${MIGRATION_LOCK});
    create schema if not exists world;
    create table if not exists world.migration (name text primary key, applied_at timestamptz not null default now());
    ${WORLD_MIGRATIONS.map(({ name, sql }) => `if not exists (select from world.migration where name = '${name}') then ${sql} insert into world.migration (name) values ('${name}'); end if;`).join('\n')}
  end $migration$`)
  return new PostgresWorldStore(query)
}

class PostgresWorldStore implements WorldStore {
  readonly #query: Query

  constructor(query: Query) {
    this.#query = query
  }

  async find(region: string, kind: string, id: string): Promise<string | undefined> {
    const [row] = await this.#query<{ text: string }>('select value as text from world.thing where region = $1 and kind = $2 and id = $3', [region, kind, id])
    return row?.text
  }

  async ofKind(regions: readonly string[], kind: string): Promise<readonly { region: string; text: string }[]> {
    return this.#query('select region, value as text from world.thing where region = any($1) and kind = $2', [regions, kind])
  }

  async *load(region: string): AsyncIterable<KeptThing> {
    const page = (last: KeptThing | undefined): Promise<{ kind: string; id: string; text: string }[]> => this.#query(
      'select kind, id, value as text from world.thing where region = $1 and (kind, id) > ($2, $3) order by kind, id limit $4', [region, last?.kind ?? '', last?.id ?? '', PAGE],
    )
    for (let next = page(undefined); ;) {
      const rows = await next
      const more = rows.length === PAGE
      // Asked for while its caller takes these.
      if (more) {
        next = page(rows.at(-1))
        next.catch(() => {}) // thrown where it is waited for
      }
      yield* rows
      if (!more) return
    }
  }

  async claim(region: string): Promise<number> {
    const [row] = await this.#query<{ claim: string }>('insert into world.owner (region, claim) values ($1, 1) on conflict (region) do update set claim = owner.claim + 1 returning claim::text', [region])
    return Number(row?.claim)
  }

  /** A claim that is made at the same moment waits for the statement, so that its owner loads what is written here. */
  async write(region: string, claim: number, changes: readonly KeptThing[]): Promise<void> {
    const newest = new Map(changes.map(change => [`${change.kind}/${change.id}`, change]))
    const put = [...newest.values()].filter(change => change.text !== undefined)
    const gone = [...newest.values()].filter(change => change.text === undefined)
    if (put.length === 0 && gone.length === 0) return
    const values = [region, claim, put.map(one => one.kind), put.map(one => one.id), put.map(one => one.text)]
    const mine = `mine as materialized (select 1 from world.owner, ${WITHOUT_WAITING} where region = $1 and claim = $2 for share of owner)`
    const insert = `put as (insert into world.thing (region, kind, id, value) select $1, kind, id, value from mine, unnest($3::text[], $4::text[], $5::text[]) as thing(kind, id, value)
      on conflict (region, kind, id) do update set value = excluded.value)`
    const remove = `removed as (delete from world.thing using mine, unnest($6::text[], $7::text[]) as gone(kind, id) where thing.region = $1 and thing.kind = gone.kind and thing.id = gone.id)`
    const [row] = gone.length === 0
      ? await this.#query<{ mine: boolean }>(`with ${mine}, ${insert} select exists (select from mine) as mine`, values)
      : await this.#query<{ mine: boolean }>(`with ${mine}, ${insert}, ${remove} select exists (select from mine) as mine`, [...values, gone.map(one => one.kind), gone.map(one => one.id)])
    if (!row?.mine) throw new WorldTaken(`The world of ${region} was opened by another process, or is gone`)
  }

  async forget(region: string): Promise<void> {
    await this.#query('with owned as (delete from world.owner where region = $1) delete from world.thing where region = $1', [region])
  }
}
