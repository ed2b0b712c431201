import type { Queryable } from '../connection/database.ts'
import { lockName } from './lock-name.ts'

/** The lowest free address of the pool for this owner, or the one it has. One claim a region at a time, so that two never get the same. */
export async function claimAddress(connection: Queryable, region: string, owner: string, pool: { readonly first: string; readonly last: string }): Promise<string | undefined> {
  await lockName(connection, `addresses of ${region}`)
  const [held] = await connection.query<{ address: string }>('select host(address) as address from address where region = $1 and owner = $2', [region, owner])
  if (held) return held.address
  const [free] = await connection.query<{ address: string }>(
    `insert into address (region, address, owner)
     select $1, $3::inet + n, $2 from generate_series(0, $4::inet - $3::inet) n
     where not exists (select 1 from address a where a.region = $1 and a.address = $3::inet + n)
     order by n limit 1 returning host(address) as address`,
    [region, owner, pool.first, pool.last],
  )
  return free?.address
}

export async function releaseAddress(connection: Queryable, region: string, owner: string): Promise<void> {
  await connection.query('delete from address where region = $1 and owner = $2', [region, owner])
}
