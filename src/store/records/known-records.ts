import type { AddonRecord } from '#model/addon/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { MachineRecord } from '#ports/store.ts'

/** For the columns of a statement: what tells one version of a row from all others that were ever kept. Whoever changes a row writes it anew elsewhere or, where it once stood, in another transaction; of several that one transaction writes the last may come to stand where the first stood (VACUUM FULL), so only the last is kept. */
export function versionOf(table: string): string {
  return `${table}.xmin::text || ${table}.ctid::text as version`
}

export interface Versioned { readonly id: string; readonly version: string }

/** Records of a table as they were last read or written, by their rows' versions. */
export interface KnownRecords<Item extends { readonly id: string }> {
  /** Whether of most of these, or of something below most of them, a record is known. */
  hasMostOf(ids: readonly string[]): boolean
  get(row: Versioned): Item | undefined
  keep(row: Versioned, record: Item): void
  drop(id: string): void
}

interface Kept<Item> { readonly version: string; readonly record: Item }

/** Of one process. It says nothing of what is true now: each look asks the database which version that is, under the lock that it takes. What was not used for the longest time is forgotten first. */
export class RecordsKept<Item extends { readonly id: string }> implements KnownRecords<Item> {
  readonly #most: number
  readonly #parentsOf: (record: Item) => readonly string[]
  readonly #kept = new Map<string, Kept<Item>>()
  /** How many are kept of each parent. */
  readonly #children = new Map<string, number>()

  /** `parentsOf`: the ids by which they are looked for besides their own. */
  constructor(most: number, parentsOf: (record: Item) => readonly string[] = () => []) {
    this.#most = most
    this.#parentsOf = parentsOf
  }

  hasMostOf(ids: readonly string[]): boolean {
    let known = 0
    for (const id of ids) if (this.#kept.has(id) || this.#children.has(id)) known++
    return known * 2 > ids.length
  }

  get({ id, version }: Versioned): Item | undefined {
    const kept = this.#kept.get(id)
    if (kept?.version !== version) return undefined
    this.#kept.delete(id)
    this.#kept.set(id, kept)
    return kept.record
  }

  keep({ id, version }: Versioned, record: Item): void {
    this.drop(id)
    this.#kept.set(id, { version, record })
    this.#count(record, 1)
    if (this.#kept.size <= this.#most) return
    const [oldest] = this.#kept.keys()
    if (oldest !== undefined) this.drop(oldest)
  }

  drop(id: string): void {
    const kept = this.#kept.get(id)
    if (!kept) return
    this.#kept.delete(id)
    this.#count(kept.record, -1)
  }

  clear(): void {
    this.#kept.clear()
    this.#children.clear()
  }

  #count(record: Item, more: number): void {
    for (const parent of this.#parentsOf(record)) {
      const count = (this.#children.get(parent) ?? 0) + more
      if (count === 0) this.#children.delete(parent)
      else this.#children.set(parent, count)
    }
  }
}

/** Of one transaction: what it read may be its own, and is kept once that is committed. A version that was not may come again after a crash of the database. */
export class RecordsMet<Item extends { readonly id: string }> implements KnownRecords<Item> {
  readonly #kept: KnownRecords<Item>
  readonly #met: (() => void)[] = []

  constructor(kept: KnownRecords<Item>) {
    this.#kept = kept
  }

  hasMostOf(ids: readonly string[]): boolean {
    return this.#kept.hasMostOf(ids)
  }

  get(row: Versioned): Item | undefined {
    return this.#kept.get(row)
  }

  keep(row: Versioned, record: Item): void {
    this.#met.push(() => { this.#kept.keep(row, record) })
  }

  drop(id: string): void {
    this.#met.push(() => { this.#kept.drop(id) })
  }

  /** Rows that a statement of the transaction writes, whose versions it answers. `recordOf`: what stands in such a row then, undefined where that is not known. */
  wrote(written: { readonly rows: readonly Versioned[] }, recordOf: (id: string) => Item | undefined): void {
    this.#met.push(() => {
      for (const row of written.rows) {
        const record = recordOf(row.id)
        if (record) this.#kept.keep(row, record)
      }
    })
  }

  committed(): void {
    for (const tell of this.#met.splice(0)) tell()
  }
}

/** Of each table whose records are wide and looked at again and again while they change. */
export interface Known {
  readonly clusters: KnownRecords<ClusterRecord>
  readonly nodePools: KnownRecords<NodePoolRecord>
  readonly nodes: KnownRecords<NodeRecord>
  readonly addons: KnownRecords<AddonRecord>
  readonly machines: KnownRecords<MachineRecord>
}

/** As many as are on their way at once in a fleet of a thousand clusters that grows as fast as it can; each takes some three KB. More were measured to be of no use that pays for the memory. */
const MOST_NODES = 10_000
const MOST_OTHERS = 4_000

export class KnownHere implements Known {
  readonly clusters = new RecordsKept<ClusterRecord>(MOST_OTHERS)
  readonly nodePools = new RecordsKept<NodePoolRecord>(MOST_OTHERS, pool => [pool.clusterId])
  readonly nodes = new RecordsKept<NodeRecord>(MOST_NODES, node => [node.clusterId, node.nodePoolId])
  readonly addons = new RecordsKept<AddonRecord>(MOST_OTHERS, addon => [addon.clusterId])
  readonly machines = new RecordsKept<MachineRecord>(MOST_NODES)

  clear(): void {
    for (const kept of [this.clusters, this.nodePools, this.nodes, this.addons, this.machines]) kept.clear()
  }
}

export class KnownInTransaction implements Known {
  readonly clusters: RecordsMet<ClusterRecord>
  readonly nodePools: RecordsMet<NodePoolRecord>
  readonly nodes: RecordsMet<NodeRecord>
  readonly addons: RecordsMet<AddonRecord>
  readonly machines: RecordsMet<MachineRecord>

  constructor(known: Known) {
    this.clusters = new RecordsMet(known.clusters)
    this.nodePools = new RecordsMet(known.nodePools)
    this.nodes = new RecordsMet(known.nodes)
    this.addons = new RecordsMet(known.addons)
    this.machines = new RecordsMet(known.machines)
  }

  committed(): void {
    for (const met of [this.clusters, this.nodePools, this.nodes, this.addons, this.machines]) met.committed()
  }
}
