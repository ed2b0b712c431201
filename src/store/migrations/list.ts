import { FIRST_TABLES, HISTORY_TABLES, QUEUE_TABLES } from './0001-first-tables.ts'
import { POOL_MACHINES } from './0002-pool-machines.ts'
import { ACCOUNT_BALANCES } from './0003-account-balances.ts'
import { CLUSTER_RANGES } from './0004-cluster-ranges.ts'
import { ADD_ONS } from './0005-add-ons.ts'
import { REGION_HISTORIES } from './0006-region-histories.ts'
import { NODE_TALLY } from './0007-node-tally.ts'
import { HISTORY_INDEXES } from './0008-history-indexes.ts'
import { LEAN_NODES } from './0009-lean-nodes.ts'
import { QUEUE_UPKEEP } from './0010-queue-upkeep.ts'
import { CHANGES_IN_PLACE } from './0011-changes-in-place.ts'
import { LEAN_INDEXES } from './0012-lean-indexes.ts'
import { ADMINISTRATORS } from './0013-administrators.ts'
import { QUOTAS } from './0014-quotas.ts'
import { ROOM_FOR_NODES } from './0015-room-for-nodes.ts'
import { KNOWN_TO_DIFFER } from './0016-known-to-differ.ts'
import { CHILDREN_OF_FAILED_STARTS } from './0017-children-of-failed-starts.ts'

export interface Migration {
  readonly name: string
  readonly sql: string
  /** A server of a version before it would go on writing records of which a part is missing then: it runs only once there is none. */
  readonly alone?: true
}

/** Every migration in the order in which it is applied; the place in this list is its number. New ones go to the end. */
export const MIGRATIONS: readonly Migration[] = [
  { name: '0001-first-tables', sql: FIRST_TABLES + HISTORY_TABLES + QUEUE_TABLES },
  { name: '0002-pool-machines', sql: POOL_MACHINES },
  { name: '0003-account-balances', sql: ACCOUNT_BALANCES },
  { name: '0004-cluster-ranges', sql: CLUSTER_RANGES },
  { name: '0005-add-ons', sql: ADD_ONS },
  { name: '0006-region-histories', sql: REGION_HISTORIES },
  { name: '0007-node-tally', sql: NODE_TALLY },
  { name: '0008-history-indexes', sql: HISTORY_INDEXES },
  { name: '0009-lean-nodes', sql: LEAN_NODES },
  { name: '0010-queue-upkeep', sql: QUEUE_UPKEEP },
  { name: '0011-changes-in-place', sql: CHANGES_IN_PLACE, alone: true },
  { name: '0012-lean-indexes', sql: LEAN_INDEXES, alone: true },
  { name: '0013-administrators', sql: ADMINISTRATORS },
  { name: '0014-quotas', sql: QUOTAS },
  { name: '0015-room-for-nodes', sql: ROOM_FOR_NODES },
  { name: '0016-known-to-differ', sql: KNOWN_TO_DIFFER },
  { name: '0017-children-of-failed-starts', sql: CHILDREN_OF_FAILED_STARTS, alone: true },
]
