import type { Queryable } from '../connection/database.ts'

/** How old the list may be; a region made by another process is served after that at the latest. */
const FRESH_MS = 1_000

/** The regions whose work a process may claim: all but local ones of other hosts, and simulated ones, which are run in order. Work may stand in the queue of a region that has no row (yet); it counts too. */
export class ClaimableRegions {
  readonly #connection: Queryable
  #regions: readonly { region: string; host: string | null; kind: string | null }[] = []
  #readAt = Number.NEGATIVE_INFINITY

  constructor(connection: Queryable) {
    this.#connection = connection
  }

  /** The next look reads anew. */
  forget(): void {
    this.#readAt = Number.NEGATIVE_INFINITY
  }

  knows(region: string): boolean {
    return this.#regions.some(found => found.region === region)
  }

  async of(hosts: readonly string[], realNow: number): Promise<readonly string[]> {
    if (Math.abs(realNow - this.#readAt) >= FRESH_MS) {
      this.#readAt = realNow
      this.#regions = await this.#connection.query(REGIONS)
    }
    return this.#regions.filter(region => region.kind !== 'Simulated' && (region.host === null || hosts.includes(region.host))).map(region => region.region)
  }
}

/** Walks the index from one region to the next, so that a long queue costs no more than a short one. */
const REGIONS = `
  with recursive queued (region) as (
    (select region from work where owner is null order by region limit 1)
    union all
    select (select w.region from work w where w.owner is null and w.region > queued.region order by w.region limit 1) from queued where queued.region is not null
  )
  select region, settings ->> 'host' as host, kind from region
  union all
  select region, null, null from queued where region is not null and region not in (select region from region)`
