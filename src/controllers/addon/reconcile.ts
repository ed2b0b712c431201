import { isDeepStrictEqual } from 'node:util'
import type { AddonFacts, AddonRecord } from '#model/addon/record.ts'
import { besidesResting } from '#model/addon/health.ts'
import { ADDON_RULES, nextInstantOfAddon } from '#model/addon/rules.ts'
import { addonSight } from '#model/addon/sight.ts'
import type { ClusterRecord } from '#model/cluster/record.ts'
import type { Evidence } from '#model/evidence.ts'
import type { NodeRecord } from '#model/node/record.ts'
import { DEADLINES, soonestAfter, STALE_AFTER_MS } from '#model/status/deadlines.ts'
import { verdict } from '#model/status/rules.ts'
import { withFacts } from '#model/with-facts.ts'
import { AddonHeld, type AddonInstaller, type AddonSeen } from '#ports/addon-installer.ts'
import type { Clock } from '#ports/clock.ts'
import type { Controller } from '#ports/controller.ts'
import type { DecisionPorts } from '#ports/decisions.ts'
import { eachOf, notRemoved } from '#ports/not-removed.ts'
import { isOfOurStore } from '#ports/of-our-store.ts'
import type { Store } from '#ports/store.ts'
import { type AddressedCluster, TenantClusterUnreachable, type TenantClusterAddress } from '#ports/tenant-cluster.ts'
import { decideAddon, restsUntil, type AddonDecision, type AddonStep } from './decide.ts'
import type { AddonPassSeen, RestingNode } from './seen.ts'

export interface AddonPorts extends DecisionPorts {
  readonly store: Store
  /** `toldAt`: the latest instant, of which the region tells, from which on answers may be others, of all or of the thing of that id. */
  regionOf(region: string): { readonly clock: Clock; readonly addons: AddonInstaller; readonly toldAt?: (id?: string) => number | undefined }
  tenantAddressOf(cluster: AddressedCluster): Promise<TenantClusterAddress | undefined>
}

const SECOND = 1_000

/** Installs add-ons, looks after their workloads, and removes them. */
export function addonController(ports: AddonPorts): Controller {
  const blindSince: BlindSince = new Map()
  return {
    kind: 'addon',
    async reconcile(id) {
      const record = await ports.store.findAddon(id)
      if (!record) {
        blindSince.delete(id)
        return {}
      }
      const cluster = await ports.store.findCluster(record.clusterId)
      return { lookAgainAt: await pass(record, cluster, ports, blindSince) }
    },
  }
}

/** Since when nobody could look at each add-on, by its id. */
type BlindSince = Map<string, number>

async function pass(record: AddonRecord, cluster: ClusterRecord | undefined, ports: AddonPorts, blindSince: BlindSince): Promise<number | undefined> {
  const { clock } = ports.regionOf(record.region)
  const looked = await look(record, cluster, ports, blindSince)
  blindSince.delete(record.id)
  const now = clock.now()
  const resting = cluster && looked ? await restingNodes(cluster, looked, ports) : []
  const seen = { record, cluster, looked, resting, ...pausesOf(record, now, ports) }
  const decision = decideAddon(seen)
  ports.onDecision?.({ by: 'decideAddon', about: record.id, seen, decided: decision })
  await write(record, cluster, decision, looked && { seen: looked, resting }, now, ports)
  const stepped = decision.step && await act(decision.step, record, decision.facts, cluster, ports)
  if (stepped?.gone) return undefined
  const facts = stepped?.facts ?? decision.facts
  return soonestAfter(now - 1, [stepped ? stepped.lookAgainAt : decision.lookAgainAt, nextInstantOfAddon(addonSight({ facts }, cluster, now))])
}

/** What tells when something is tried or looked at again. */
function pausesOf({ id, region }: AddonRecord, now: number, ports: AddonPorts): Pick<AddonPassSeen, 'now' | 'lookEveryMs' | 'toldAt'> {
  const { addons, toldAt } = ports.regionOf(region), at = toldAt?.(id)
  return { now, lookEveryMs: addons.lookEveryMs, ...at !== undefined && { toldAt: at } }
}

/** Only what was applied has workloads to look at, and only where an API answers. */
async function look(record: AddonRecord, cluster: ClusterRecord | undefined, ports: AddonPorts, blindSince: BlindSince): Promise<AddonSeen | undefined> {
  if (!cluster || record.facts.deletion || !record.facts.applied || cluster.facts.deletion || cluster.facts.unpaid || cluster.facts.controlPlane !== 'usable') return undefined
  const address = await ports.tenantAddressOf(cluster)
  if (!address) return undefined
  try {
    return await ports.regionOf(record.region).addons.look(address, record.spec.name)
  } catch (error) {
    if (error instanceof TenantClusterUnreachable) await markStale(record, ports, blindSince)
    throw new Error(`Looking at add-on ${record.id}`, { cause: error })
  }
}

/** Only where a pod of each node's is missing. A node's own pass finds first that its start took too long, so this is looked at a moment later. */
async function restingNodes({ id }: ClusterRecord, { workloads }: AddonSeen, { store }: AddonPorts): Promise<readonly RestingNode[]> {
  if (workloads.every(({ onEachNode, desired, available, updated }) => !onEachNode || (available >= desired && updated >= desired))) return []
  return (await store.nodesOf({ clusterId: id })).filter(isResting).map(({ spec: { name }, said, facts: { ordered } }) => ({ name, ...(said.status.phase === 'Starting' && ordered && { until: ordered.since + DEADLINES.nodeStart + SECOND }) }))
}

/** Also whatever is to go, whether it is off or not: nothing is asked for there any more. */
function isResting({ said: { status: { phase } }, facts }: NodeRecord): boolean {
  return phase === 'Stopping' || phase === 'Stopped' || phase === 'Starting' || facts.deletion !== undefined
}

async function markStale(record: AddonRecord, ports: AddonPorts, blindSince: BlindSince): Promise<void> {
  const now = ports.regionOf(record.region).clock.now(), since = blindSince.get(record.id) ?? now
  blindSince.set(record.id, since)
  if (record.facts.staleSince !== undefined || now - since < STALE_AFTER_MS) return
  await change(record, ports, facts => withFacts(facts, { staleSince: since }), [])
}

interface Looked { readonly seen: AddonSeen; readonly resting: readonly RestingNode[] }

async function write(record: AddonRecord, cluster: ClusterRecord | undefined, { facts }: AddonDecision, looked: Looked | undefined, now: number, ports: AddonPorts): Promise<void> {
  const says = cluster && verdict(ADDON_RULES, addonSight(record, cluster, now)).rule
  if (isDeepStrictEqual(facts, record.facts) && (says === undefined || says === record.said.rule)) return
  await ports.store.write(now, async tx => {
    if (!(await tx.lockAddon(record.id))) return
    await tx.changeAddon(record.id, { revision: record.revision, facts }, { evidence: looked ? [workloadsEvidence(record, looked, now)] : facts.missing !== record.facts.missing ? [nothingEvidence(record, now)] : [], ...(facts.operation && { operation: facts.operation.action }) })
  })
}

interface Stepped { readonly facts?: AddonFacts; readonly lookAgainAt?: number; readonly gone?: true }

async function act(step: AddonStep, record: AddonRecord, facts: AddonFacts, cluster: ClusterRecord | undefined, ports: AddonPorts): Promise<Stepped> {
  if (step === 'forget') return await forget(record, WITH_ITS_CLUSTER, ports)
  const address = cluster && await ports.tenantAddressOf(cluster)
  if (!address) throw new Error(`Reading address and keys of cluster ${record.clusterId}: they are not there`)
  return step === 'install' ? await install(record, facts, address, ports) : await uninstall(record, address, ports)
}

/** What the installer says becomes a fact; an API that does not answer is the pass's error. */
async function install(record: AddonRecord, facts: AddonFacts, address: TenantClusterAddress, ports: AddonPorts): Promise<Stepped> {
  const { addons, clock } = ports.regionOf(record.region)
  const { name, version, config } = record.spec
  try {
    await addons.ensure(address, record.spec)
  } catch (error) {
    if (error instanceof TenantClusterUnreachable || isOfOurStore(error)) throw new Error(`Installing add-on ${record.id}`, { cause: error })
    const now = clock.now(), text = messageOf(error)
    const isConflict = error instanceof Error && 'kind' in error && error.kind === 'AddonConflict'
    const failed = isConflict
      ? withFacts(facts, { conflict: { text, at: facts.conflict?.at ?? now, triedAt: now }, installer: undefined })
      : withFacts(facts, { installer: { failures: (facts.installer?.failures ?? 0) + 1, text, at: now }, conflict: undefined })
    await change(record, ports, () => failed, [{ observer: 'add-on controller', source: `installer of ${name}`, observedAt: now, fact: `Installing ${name} ${version} did not succeed: ${text}` }])
    return { facts: failed, lookAgainAt: restsUntil(failed, pausesOf(record, now, ports)) }
  }
  const now = clock.now()
  // What was found of pods of another form is not so of those that were asked for; of pods that somebody took away it is so until others are there.
  const before = facts.operation && { reasons: {}, degraded: undefined, unavailable: undefined }
  const applied = withFacts(facts, { applied: { version, ...(config !== undefined && { config }), at: now }, conflict: undefined, installer: undefined, ...before })
  await change(record, ports, () => applied, [{ observer: 'add-on controller', source: `installer of ${name}`, observedAt: now, fact: `The objects of ${name} ${version} were applied.` }])
  return { facts: applied, lookAgainAt: now }
}

/** All that could not be removed is collected by name; what needs nobody's help is tried again until the deadline. */
async function uninstall(record: AddonRecord, address: TenantClusterAddress, ports: AddonPorts): Promise<Stepped> {
  const { addons, clock } = ports.regionOf(record.region)
  const { deletion } = record.facts
  try {
    await addons.ensureGone(address, record.spec.name, { crds: deletion?.crds ?? 'Retain' })
  } catch (error) {
    if (isOfOurStore(error)) throw new Error(`Removing add-on ${record.id}`, { cause: error })
    const left = notRemoved({ thing: `The add-on ${record.spec.name}`, call: 'ensureGone' }, error)
    if (error instanceof TenantClusterUnreachable) {
      await noteUnreached(record, left, ports)
      throw new Error(`Removing add-on ${record.id}`, { cause: error })
    }
    const failures = eachOf(error), now = clock.now(), since = deletion?.requestedAt ?? now
    const deadline = since + DEADLINES.addonDeletion
    const givesUp = failures.every(failure => failure instanceof AddonHeld) || now >= deadline
    const failed = (facts: AddonFacts): AddonFacts => withFacts(facts, { obstacles: givesUp ? left : [], left: { text: left.join('; '), at: now } })
    await change(record, ports, failed, [leftEvidence(record, left, now)])
    return { lookAgainAt: givesUp ? restsUntil(failed(record.facts), pausesOf(record, now, ports)) : Math.min(now + Math.min(Math.max((now - since) / 2, SECOND), 30 * SECOND), deadline) }
  }
  return await forget(record, UNINSTALLED, ports)
}

/** An API that does not answer gives nothing up; whoever asks after the deadline is told what was tried in vain. */
async function noteUnreached(record: AddonRecord, left: readonly string[], ports: AddonPorts): Promise<void> {
  const now = ports.regionOf(record.region).clock.now(), text = left.join('; ')
  if (record.facts.left?.text !== text) await change(record, ports, facts => withFacts(facts, { left: { text, at: now } }), [leftEvidence(record, left, now)])
}

function leftEvidence({ spec }: AddonRecord, left: readonly string[], now: number): Evidence {
  return { observer: 'add-on controller', source: `installer of ${spec.name}`, observedAt: now, fact: `${left.join('; ')}.` }
}

interface End { readonly operation: 'DeleteAddon' | 'DeleteCluster'; readonly text: string; readonly source: (record: AddonRecord) => string }

const UNINSTALLED: End = { operation: 'DeleteAddon', text: 'It was uninstalled', source: ({ spec }) => `installer of ${spec.name}` }
/** Nobody uninstalled it: what it was in is gone. */
const WITH_ITS_CLUSTER: End = { operation: 'DeleteCluster', text: 'It went with the control plane of its cluster', source: () => 'control plane of its cluster' }

async function forget(record: AddonRecord, { operation, text, source }: End, ports: AddonPorts): Promise<Stepped> {
  const now = ports.regionOf(record.region).clock.now()
  await ports.store.write(now, async tx => {
    if (!(await tx.lockAddon(record.id))) return
    await tx.forget({ kind: 'Addon', id: record.id }, { evidence: [{ observer: 'add-on controller', source: source(record), observedAt: now, fact: 'Nothing of it is there any more.' }], operation, text })
  })
  return { gone: true }
}

async function change(record: AddonRecord, ports: AddonPorts, to: (facts: AddonFacts) => AddonFacts, evidence: readonly Evidence[]): Promise<void> {
  await ports.store.write(ports.regionOf(record.region).clock.now(), async tx => {
    const locked = await tx.lockAddon(record.id)
    if (locked) await tx.changeAddon(record.id, { revision: locked.revision, facts: to(locked.facts) }, { evidence })
  })
}

function workloadsEvidence({ spec }: AddonRecord, { seen, resting }: Looked, now: number): Evidence {
  const told = besidesResting(seen.workloads, new Set(resting.map(({ name }) => name))).map(({ name, available, desired, updated }) => `${name}: ${available} of ${desired} pods available${updated < desired ? `, ${updated} of the wanted revision` : ''}`)
  return { observer: 'add-on controller', source: `workloads of ${spec.name}`, observedAt: now, fact: `${told.join('; ') || 'It has no workloads'}.`, raw: JSON.stringify(resting.length === 0 ? seen : { ...seen, resting: resting.map(({ name }) => name) }) }
}

function nothingEvidence({ spec }: AddonRecord, now: number): Evidence {
  return { observer: 'add-on controller', source: `workloads of ${spec.name}`, observedAt: now, fact: 'Nothing of it is there.' }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
