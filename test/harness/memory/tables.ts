import type { AddonRecord } from '#model/addon/record.ts'
import type { AccountRecord, Meter } from '#model/account/record.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { KubeconfigRecord } from '#model/kubeconfig/record.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { NodeRecord } from '#model/node/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import type { AccessKey, LedgerEntry, MachineRecord, MachineSecret, NodeToken, RegionRecord, StatusChange, WorkKey } from '#ports/store.ts'

export interface WorkRow extends WorkKey {
  readonly region: string
  readonly generation: number
  readonly ordinal: number
  readonly dueAt: number | undefined
  readonly retryAt: number | undefined
  readonly failures: number
  readonly error: string | undefined
  readonly owner: { readonly name: string; readonly epoch: number } | undefined
}

/** Everything the test double remembers. Rows are never changed in place, so a copy of the maps is a snapshot. */
export class Tables {
  clusters = new Map<string, ClusterRecord>()
  nodePools = new Map<string, NodePoolRecord>()
  nodes = new Map<string, NodeRecord>()
  addons = new Map<string, AddonRecord>()
  onboardings = new Map<string, { record: OnboardingRecord; token: string }>()
  kubeconfigs = new Map<string, KubeconfigRecord>()
  machines = new Map<string, MachineRecord>()
  nodeTokens = new Map<string, NodeToken>()
  machineSecrets = new Map<string, MachineSecret>()
  ledger = new Map<string, LedgerEntry>()
  /** What entries have cost, by id. */
  costs = new Map<string, { readonly spent: bigint; readonly price: bigint; readonly pricedAt: bigint }>()
  accounts = new Map<string, AccountRecord>()
  /** By account, region and kind. */
  quotas = new Map<string, { readonly accountId: string; readonly region: string; readonly kind: string; readonly limit: number | undefined; readonly changes: number }>()
  /** What clusters claimed, by their ids; those of clusters that are gone are no one's. */
  ranges = new Map<string, { readonly accountId: string; readonly region: string; readonly cidrs: readonly string[] }>()
  clientTokens = new Map<string, { requestHash: string; resourceId: string; result: unknown }>()
  addresses = new Map<string, string>()
  secrets = new Map<string, string>()
  regions = new Map<string, RegionRecord>()
  /** The history up to this position tells of an earlier region of that name. */
  historyAfter = new Map<string, number>()
  accessKeys = new Map<string, { readonly key: AccessKey; readonly createdAt: number }>()
  /** Not copied: transactions touch it only at their very end, and claims go on while one runs. */
  work = new Map<string, WorkRow>()
  history: readonly (StatusChange & { readonly accountId: string; readonly region: string })[] = []

  copy(): Tables {
    const copy = new Tables()
    for (const [name, value] of Object.entries(this)) (copy as unknown as { [name: string]: unknown })[name] = value instanceof Map && value !== this.work ? new Map(value) : value
    return copy
  }

  /** Everything, the keys included. */
  snapshot(): Tables {
    const copy = this.copy()
    copy.work = new Map(this.work)
    return copy
  }
}

/** What the entries of an account have cost and cost now. */
export function meterIn(tables: Tables, scope: { readonly accountId: string; readonly region: string }): Meter {
  let spent = 0n, price = 0n, pricedSince = 0n
  for (const entry of tables.ledger.values()) {
    const cost = tables.costs.get(entry.id)
    if (!cost || entry.accountId !== scope.accountId || entry.region !== scope.region) continue
    spent += cost.spent
    price += cost.price
    pricedSince += cost.price * cost.pricedAt
  }
  return { spent, price, pricedSince }
}

/** Machines that were made for pools of the account, or may be; of a server that becomes another machine, one. */
export function heldIn(tables: Tables, scope: { readonly accountId: string; readonly region: string }, asking?: string): number {
  const all = [...tables.machines.values()].filter(one => one.accountId === scope.accountId && one.region === scope.region)
  const taking = all.filter(one => one.deletionRequestedAt === undefined && (one.granted || one.machineId !== undefined || one.id === asking))
  const isReplaced = ({ id, template, ownedBy, deletionRequestedAt }: MachineRecord) => (deletionRequestedAt !== undefined || !ownedBy)
    && taking.some(other => other.id !== id && (deletionRequestedAt !== undefined || other.ownedBy) && other.template?.instanceId !== undefined && [template?.instanceId, id].includes(other.template.instanceId))
  return all.filter(one => (one.template ?? one.ownedBy) && (one.granted || one.machineId !== undefined) && !isReplaced(one)).length
}

/** As `enqueue` of the store's queue: the sooner of both times; an event ends a back-off; a running key gets a new generation. */
export function enqueueInto(work: Map<string, WorkRow>, key: WorkKey & { region: string }, dueAt = 0): void {
  const name = `${key.kind}/${key.id}`
  const row = work.get(name)
  work.set(name, row
    ? { ...row, generation: row.generation + 1, dueAt: Math.min(row.dueAt ?? Number.POSITIVE_INFINITY, dueAt), ...dueAt === 0 ? { retryAt: undefined, failures: Math.min(row.failures, FAILURES_KEPT) } : {} }
    : { kind: key.kind, id: key.id, region: key.region, generation: 1, ordinal: (ordinals += 1), dueAt, retryAt: undefined, failures: 0, error: undefined, owner: undefined })
}

/** As PostgreSQL's. */
const FAILURES_KEPT = 44

let ordinals = 0
