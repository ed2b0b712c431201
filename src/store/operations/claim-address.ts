import type { Queryable, TransactionConnection } from '../connection/database.ts'
import { lockName, tryLockName } from './lock-name.ts'

// `offset 0` keeps each address a look of its own: as a join, all that are taken would be read.

/** So many addresses more than are wanted, from where the search stands, are looked at at once: most of these are free. */
const LITTLE = 16

interface AddressPool { readonly first: string; readonly last: string }

/** A range of so many addresses is searched in so many parts, each under a lock of its own. */
const WIDE = 2 ** 16, PARTS = 4
/** So many claims at once do not wait for a part that somebody else takes addresses of: they would do so until his transaction is written and committed. */
const MANY = 32

/** The lowest free address of the pool for this owner, or the one it has. One claim of a part at a time, so that two never get the same. */
export async function claimAddress(connection: Queryable, region: string, owner: string, pool: AddressPool): Promise<string | undefined> {
  // Sent together: the second statement begins, and sees, after the first has its lock.
  const [first, ...others] = partsOf(pool)
  const [, [held]] = await Promise.all([
    lockName(connection, lockOf(region, pool, first)), connection.query<{ address: string }>('select host(address) as address from address where region = $1 and owner = $2', [region, owner]),
  ])
  if (held) return held.address
  const claimed = await claimOneOf(connection, region, owner, first)
  if (claimed !== undefined) return claimed
  for (const part of others) {
    await lockName(connection, lockOf(region, pool, part))
    const later = await claimOneOf(connection, region, owner, part)
    if (later !== undefined) return later
  }
  for (const part of [first, ...others]) {
    const late = await searchAnew(connection, region, part) ? await claimOneOf(connection, region, owner, part) : undefined
    if (late !== undefined) return late
  }
  return undefined
}

/**
 * Free addresses for owners that have none, in their order; fewer where fewer are free. They are the lowest ones, but that many claims which meet take them each from another part of a wide range.
 */
export async function claimAddresses(connection: Queryable, region: string, owners: readonly string[], pool: AddressPool): Promise<readonly string[]> {
  if (owners.length === 0) return []
  const parts = partsOf(pool), all: string[] = [], held: AddressPool[] = []
  if (owners.length >= MANY && parts.length > 1) for (const part of parts) {
    if (!await tryLockName(connection, lockOf(region, pool, part))) continue
    held.push(part)
    all.push(...await claimManyOf(connection, region, owners, part))
    if (all.length > 0) break
  }
  for (const part of parts) {
    if (all.length === owners.length) break
    const left = owners.slice(all.length)
    const [, more] = await Promise.all([held.includes(part) ? undefined : lockName(connection, lockOf(region, pool, part)), claimManyOf(connection, region, left, part)])
    all.push(...more)
  }
  for (const part of parts) {
    if (all.length === owners.length) break
    if (await searchAnew(connection, region, part)) all.push(...await claimManyOf(connection, region, owners.slice(all.length), part))
  }
  return all
}

/** As claimAddress of each, in a few statements for all. */
export async function claimAddressOfEach(connection: Queryable, region: string, owners: readonly string[], pool: AddressPool): Promise<ReadonlyMap<string, string>> {
  const [only, ...others] = owners
  if (only !== undefined && others.length === 0) {
    const address = await claimAddress(connection, region, only, pool)
    return new Map(address === undefined ? [] : [[only, address]])
  }
  const [, held] = await Promise.all([
    owners.length < MANY ? lockName(connection, lockOf(region, pool, pool)) : undefined,
    connection.query<{ owner: string; address: string }>('select owner, host(address) as address from address where region = $1 and owner = any($2::text[])', [region, owners]),
  ])
  const addresses = new Map(held.map(({ owner, address }) => [owner, address])), left = [...new Set(owners)].filter(owner => !addresses.has(owner))
  const claimed = await claimAddresses(connection, region, left, pool)
  for (const [index, address] of claimed.entries()) addresses.set(left[index] ?? '', address)
  return addresses
}

function lockOf(region: string, pool: AddressPool, part: AddressPool): string {
  return part.first === pool.first ? `addresses of ${region}` : `addresses of ${region} from ${part.first}`
}

/** In order. A range that is not wide is one part. */
function partsOf(pool: AddressPool): readonly [AddressPool, ...AddressPool[]] {
  const first = numberOf(pool.first), last = numberOf(pool.last), size = Math.floor((last - first + 1) / PARTS)
  if (size * PARTS < WIDE) return [pool]
  const later = Array.from({ length: PARTS - 1 }, (_, index) => index + 1)
  return [
    { first: pool.first, last: addressOf(first + size - 1) },
    ...later.map(part => ({ first: addressOf(first + part * size), last: part === PARTS - 1 ? pool.last : addressOf(first + (part + 1) * size - 1) })),
  ]
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0)
}

function addressOf(number: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(number / 2 ** shift) % 256).join('.')
}

async function claimOneOf(connection: Queryable, region: string, owner: string, part: AddressPool): Promise<string | undefined> {
  return await claimWithin(connection, region, owner, part) ?? (await moveToGap(connection, region, part) ? claimWithin(connection, region, owner, part) : undefined)
}

async function claimManyOf(connection: Queryable, region: string, owners: readonly string[], part: AddressPool): Promise<readonly string[]> {
  const all = [...await claimManyWithin(connection, region, owners, part)]
  while (all.length < owners.length && await moveToGap(connection, region, part)) all.push(...await claimManyWithin(connection, region, owners.slice(all.length), part))
  return all
}

/**
 * Before nothing is said to be free in the whole range, and not sooner, as each claim would go through a full part of it from its beginning: what was given back while somebody else claimed may be behind the search. False where the
 * search stands at the beginning.
 */
async function searchAnew(connection: Queryable, region: string, part: AddressPool): Promise<boolean> {
  return (await connection.query('update address_search set next = first where region = $1 and first = $2::inet and next > first returning 1', [region, part.first])).length > 0
}

/** Moves the search over a run of taken addresses, along their index, to the first free one; false where there is none, and then it stands at the end, so that nobody goes along them again. */
async function moveToGap(connection: Queryable, region: string, pool: AddressPool): Promise<boolean> {
  const [moved] = await connection.query<{ found: boolean }>(
    `with search as (select coalesce((select next from address_search where region = $1 and first = $2::inet), $2::inet) as start),
     gap as (
       select address from (
         select start as address from search where start <= $3::inet and not exists (select 1 from address a where a.region = $1 and a.address = start)
         union all
         (select a.address + 1 from address a where a.region = $1 and a.address >= (select start from search) and a.address < $3::inet
            and not exists (select 1 from address b where b.region = $1 and b.address = a.address + 1 offset 0) order by a.address limit 1)
       ) free order by address limit 1
     )
     insert into address_search (region, first, next) select $1, $2::inet, coalesce((select address from gap), $3::inet + 1)
     on conflict (region, first) do update set next = excluded.next returning next <= $3::inet as found`,
    [region, pool.first, pool.last],
  )
  return moved?.found ?? false
}

async function claimManyWithin(connection: Queryable, region: string, owners: readonly string[], pool: AddressPool): Promise<readonly string[]> {
  const rows = await connection.query<{ address: string }>(
    `with search as (select coalesce((select next from address_search where region = $1 and first = $3::inet), $3::inet) as start),
     free as (
       select start + n as address, row_number() over (order by n) as place from search, generate_series(0, least($4::inet - start, $5::bigint)) n
       where not exists (select 1 from address a where a.region = $1 and a.address = start + n offset 0)
       order by n limit cardinality($2::text[])
     ),
     claimed as (
       insert into address (region, address, owner) select $1, free.address, owners.owner from free join unnest($2::text[]) with ordinality owners (owner, place) using (place) returning address
     ),
     moved as (
       insert into address_search (region, first, next) select $1, $3::inet, max(address) + 1 from claimed having count(*) > 0
       on conflict (region, first) do update set next = excluded.next
     )
     select host(address) as address from claimed order by claimed.address`,
    [region, owners, pool.first, pool.last, owners.length + LITTLE],
  )
  return rows.map(row => row.address)
}

/** Below where the search stands nothing is free: it goes on behind what was found, and a release takes it back. */
async function claimWithin(connection: Queryable, region: string, owner: string, pool: AddressPool): Promise<string | undefined> {
  const [free] = await connection.query<{ address: string }>(
    `with search as (select coalesce((select next from address_search where region = $1 and first = $3::inet), $3::inet) as start),
     claimed as (
       insert into address (region, address, owner)
       select $1, start + n, $2 from search, generate_series(0, least($4::inet - start, $5::bigint)) n
       where not exists (select 1 from address a where a.region = $1 and a.address = start + n offset 0)
       order by n limit 1 returning address
     ),
     moved as (
       insert into address_search (region, first, next) select $1, $3::inet, address + 1 from claimed
       on conflict (region, first) do update set next = excluded.next
     )
     select host(address) as address from claimed`,
    [region, owner, pool.first, pool.last, LITTLE],
  )
  return free?.address
}

/** Answers what was given back, of which `searchAgainFrom` is told at the transaction's end. */
export async function releaseAddress(connection: Queryable, region: string, owner: string): Promise<readonly string[]> {
  const released = await connection.query<{ address: string }>('delete from address where region = $1 and owner = $2 returning host(address) as address', [region, owner])
  return released.map(({ address }) => address)
}

/**
 * The search goes back to the lowest of what this transaction gave back. Whoever claims holds the row of the search to his end, and has locks of records to wait for, as has who gives back: so this is sent last, after all that may be waited
 * for, and waits for nobody. Where somebody claims just now the search stays where it is, and what is behind it is found before none is said to be free.
 */
export function searchAgainFrom(connection: TransactionConnection, region: string, released: readonly string[]): void {
  connection.send(
    `with behind as materialized (
       select region, first, (select min(free) from unnest($2::inet[]) free where free >= first and free < next) as lowest from address_search
       where region = $1 and exists (select 1 from unnest($2::inet[]) free where free >= first and free < next) for update skip locked
     )
     update address_search search set next = lowest from behind where search.region = behind.region and search.first = behind.first`,
    [region, released],
  )
}
