import { wantedOutside } from '#model/cluster/outside.ts'
import { THE_START, type ClusterFacts, type ClusterRecord } from '#model/cluster/record.ts'
import { DEADLINES } from '#model/status/deadlines.ts'
import { withFacts, type FactsChange } from '#model/with-facts.ts'
import { ControlPlaneFailure, type ControlPlaneOrder } from '#ports/control-plane-host.ts'
import { eachOf, notRemoved } from '#ports/not-removed.ts'
import { isOfOurStore } from '#ports/of-our-store.ts'
import { OutsideHeld } from '#ports/outside.ts'
import type { LedgerState } from '#ports/store.ts'
import type { ClusterStep } from './decide.ts'
import { hostEvidence, isGone, partsThere } from './evidence.ts'
import { finishDeletion } from './finish-deletion.ts'
import { putEntry } from './ledger.ts'
import type { ClusterPorts } from './ports.ts'
import { ensureOutside, ensureOutsideGone, stillSeen, type NotGone } from './outside.ts'
import { pkiSecretName } from './tenant-address.ts'
import { wakeAddons } from './wake-addons.ts'

/** Short, since a pass that waits hears of nothing else. */
const SERVICE_ACCOUNT_PATIENCE_MS = 1_000

/** Takes one step. A failure that concerns the cluster itself is written as a fact; `retryAt` then says when to try again. All others are the pass's error. */
export async function act(step: ClusterStep, record: ClusterRecord, ports: ClusterPorts): Promise<{ retryAt?: number }> {
  const { host } = ports.regionOf(record.region)
  switch (step) {
    case 'prepare': await prepare(record, ports); return {}
    case 'ensureControlPlane': return await ensureControlPlane(record, ports)
    case 'beginBase': return await beginBase(record, ports)
    case 'ensureOutside': await ensureOutside(record, ports); return {}
    case 'ensureBase': await ensureBase(record, ports); return {}
    case 'awaitServiceAccount': return await awaitServiceAccount(record, ports)
    case 'ensureControlPlaneStopped': await host.ensureStopped(record.id); return {}
    case 'ensureControlPlaneGone': return await ensureControlPlaneGone(record, ports)
    case 'finishDeletion': await finishDeletion(record, ports); return {}
  }
}

/** Address, keys and the intent to make something stand in one transaction before anything is made, so that nothing made is ever without an owner. */
async function prepare(record: ClusterRecord, ports: ClusterPorts): Promise<void> {
  const { clock, addressPool, outside } = ports.regionOf(record.region)
  const pki = await ports.makePki({ id: record.id, name: record.spec.name })
  await ports.store.write(clock.now(), async tx => {
    const cluster = await tx.lockCluster(record.id)
    if (!cluster || cluster.address !== undefined || cluster.facts.deletion) return
    const address = await tx.claimAddress(record.region, record.id, addressPool)
    const now = clock.now()
    if (address === undefined) {
      const because = `Every address of the region from ${addressPool.first} to ${addressPool.last} is taken`
      await tx.changeCluster(record.id, { revision: cluster.revision, facts: { ...cluster.facts, creationEnded: { as: 'LimitedByQuota', because } } }, { evidence: [hostEvidence(because, now)] })
      await wakeAddons(tx, cluster)
      return
    }
    await tx.putSecret(pkiSecretName(record.id), JSON.stringify(pki))
    await putEntry(tx, cluster, 'Address', 'Held', now, ports.newLedgerId, { providerId: address })
    await putEntry(tx, cluster, 'Network', 'Intended', now, ports.newLedgerId)
    await putEntry(tx, cluster, 'ControlPlane', 'Intended', now, ports.newLedgerId)
    if (outside) for (const kind of wantedOutside(cluster.spec)) await putEntry(tx, cluster, kind, 'Intended', now, ports.newLedgerId)
    await tx.changeCluster(record.id, { revision: cluster.revision, address }, { evidence: [] })
  })
}

/** A host that cannot start it now is asked again at a pace of our own, so that the deadline of creation is never slept through. */
async function ensureControlPlane(record: ClusterRecord, ports: ClusterPorts): Promise<{ retryAt?: number }> {
  const { host, clock } = ports.regionOf(record.region)
  try {
    await host.ensure(await orderOf(record, ports))
  } catch (error) {
    if (!(error instanceof ControlPlaneFailure)) throw new Error(`Starting the control plane of cluster ${record.id}`, { cause: error })
    await noteFailure(record, error, ports)
    const now = clock.now(), since = record.facts.notReadySince ?? record.facts.attemptStartedAt ?? now
    return { retryAt: now + Math.min(Math.max((now - since) / 4, 1_000), 30_000) }
  }
  // What kept it from being started does so no longer.
  if (record.facts.degraded?.why !== undefined) await noteWhy(record, undefined, 'The host started what was missing of its control plane.', ports)
  if (record.facts.downBy === THE_START) await changeFacts(record, ports, 'The host started what was missing of its control plane.', { controlPlaneSays: undefined, downBy: undefined })
  // It is held once it is seen, whatever was said of it.
  if (record.facts.firstReadyAt !== undefined || !(await host.look(record.id)).network) return {}
  await ports.store.write(clock.now(), async tx => {
    const cluster = await tx.lockCluster(record.id)
    if (!cluster) return
    for (const kind of ['Network', 'ControlPlane'] as const) await putEntry(tx, cluster, kind, 'Held', clock.now(), ports.newLedgerId)
  })
  return {}
}

/** A failure that no retry mends ends a creation; all others stand as the reason while it is tried again. What cannot be started behind an API that works takes nothing from that. */
async function noteFailure(record: ClusterRecord, failure: ControlPlaneFailure, ports: ClusterPorts): Promise<void> {
  if (record.facts.controlPlane === 'usable') return await noteWhy(record, failure.message, failure.message, ports)
  const ends = failure.retry === 'never' && record.facts.firstReadyAt === undefined
  await changeFacts(record, ports, failure.message, {
    controlPlaneSays: failure.message, ...(record.facts.firstReadyAt !== undefined && { downBy: THE_START }),
    ...(ends && { creationEnded: { as: failure.refusedAs ?? 'CreateError' as const, because: failure.message } }),
    ...(failure.retry === 'never' && !ends && { controlPlane: 'unkept' as const }),
  })
}

async function noteWhy(record: ClusterRecord, why: string | undefined, fact: string, ports: ClusterPorts): Promise<void> {
  const { degraded } = record.facts
  if (degraded && degraded.why !== why) await changeFacts(record, ports, fact, { degraded: withFacts(degraded, { why }) })
}

async function orderOf(record: ClusterRecord, ports: ClusterPorts): Promise<ControlPlaneOrder> {
  const tenant = await ports.tenantAddressOf(record)
  if (!tenant) throw new Error(`Reading address and keys of cluster ${record.id}: they are not there`)
  const { name, servedVersion, podCidrs, serviceCidrs, maxPodsPerNode } = record.spec
  return { clusterId: record.id, name, version: servedVersion, address: tenant.address, podCidr: first(podCidrs), serviceCidr: first(serviceCidrs), maxPodsPerNode, pki: tenant.pki }
}

async function ensureBase(record: ClusterRecord, ports: ClusterPorts): Promise<void> {
  const { tenant, registry } = ports.regionOf(record.region)
  const address = await ports.tenantAddressOf(record)
  if (!address) throw new Error(`Reading address and keys of cluster ${record.id}: they are not there`)
  await tenant.ensureBase(address, { serviceCidr: first(record.spec.serviceCidrs), podCidr: first(record.spec.podCidrs), registry })
}

/** The base while the host still starts the rest. What an API server that is not ready refuses, it is given once it is ready. */
async function beginBase(record: ClusterRecord, ports: ClusterPorts): Promise<{ retryAt?: number }> {
  const outcome = await ensureControlPlane(record, ports)
  await ensureBase(record, ports).catch((error: unknown) => ports.log.debug({ clusterId: record.id, error }, 'Giving a cluster its base before it is ready did not succeed'))
  return outcome
}

/** Being told beats asking again and again, which would take processor time from what makes it. */
async function awaitServiceAccount(record: ClusterRecord, ports: ClusterPorts): Promise<{ retryAt?: number }> {
  const { tenant, clock } = ports.regionOf(record.region)
  const address = await ports.tenantAddressOf(record)
  if (!address || !tenant.awaitDefaultServiceAccount) return {}
  await tenant.awaitDefaultServiceAccount(address, SERVICE_ACCOUNT_PATIENCE_MS)
  return { retryAt: clock.now() }
}

/** All that could not be removed is collected by name. It is tried again until the deadline; from then on it is what stands in the way. */
async function ensureControlPlaneGone(record: ClusterRecord, ports: ClusterPorts): Promise<{ retryAt?: number }> {
  const { clock } = ports.regionOf(record.region)
  const notGone = [...await ensureHostGone(record, ports), ...await ensureOutsideGone(record, ports)]
  if (notGone.length === 0) return {}
  const left = notGone.flatMap(({ says }) => says), failures = notGone.flatMap(({ error }) => eachOf(error))
  const now = clock.now(), since = record.facts.deletion?.requestedAt ?? now
  // What can still be removed goes first: only then is it given up.
  const forGood = failures.every(isForGood)
  const deadline = since + DEADLINES.clusterDeletion
  if (forGood || now >= deadline) await changeFacts(record, ports, left.join('; '), { obstacles: left })
  else await changeFacts(record, ports, left.join('; '), { controlPlaneSays: left.join('; ') })
  ports.log.warn({ clusterId: record.id, left }, 'Removing a control plane: something is left')
  return { retryAt: now >= deadline ? now + 10_000 : Math.min(now + Math.min(Math.max((now - since) / 2, 1_000), 30_000), deadline) }
}

/** Removes it and looks. Nothing of it is held any more once it is seen to be gone, whatever outside things may still stand in the way. */
async function ensureHostGone(record: ClusterRecord, ports: ClusterPorts): Promise<readonly NotGone[]> {
  const { host } = ports.regionOf(record.region)
  const thing = `The control plane of ${record.spec.name} (${record.id})`
  const notGone = (call: string) => (error: unknown): NotGone => {
    if (isOfOurStore(error)) throw error
    return { error, says: notRemoved({ thing, call }, error) }
  }
  await putHostEntries(record, ports, 'Releasing', 'Released')
  const failure = await host.ensureGone(record.id).then(() => undefined, notGone('ensureGone'))
  if (failure) return [failure]
  const seen = await host.look(record.id).catch(notGone('look'))
  if ('error' in seen) return [seen]
  await putHostEntries(record, ports, isGone(seen) ? 'Released' : 'Releasing')
  return isGone(seen) ? [] : [stillSeen(thing, `: ${partsThere(seen).join(', ')}`)]
}

/** But those that are `unless`. */
async function putHostEntries(record: ClusterRecord, ports: ClusterPorts, state: LedgerState, unless?: LedgerState): Promise<void> {
  const { clock } = ports.regionOf(record.region)
  await ports.store.write(clock.now(), async tx => {
    const cluster = await tx.lockCluster(record.id)
    if (!cluster) return
    for (const entry of await tx.ledgerOf(record.id))
      if ((entry.kind === 'Network' || entry.kind === 'ControlPlane') && entry.state !== unless) await putEntry(tx, cluster, entry.kind, state, clock.now(), ports.newLedgerId)
  })
}

function isForGood(failure: unknown): boolean {
  return failure instanceof ControlPlaneFailure ? failure.retry === 'never' : failure instanceof OutsideHeld
}

async function changeFacts(record: ClusterRecord, ports: ClusterPorts, fact: string, change: FactsChange<ClusterFacts>): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  await ports.store.write(now, async tx => {
    const cluster = await tx.lockCluster(record.id)
    if (!cluster) return
    await tx.changeCluster(record.id, { revision: cluster.revision, facts: withFacts(cluster.facts, change) }, { evidence: [hostEvidence(fact, now)] })
    if (change.creationEnded) await wakeAddons(tx, cluster)
  })
}

function first(ranges: readonly string[]): string {
  const [range] = ranges
  if (range === undefined) throw new Error('A cluster record has no address range; the defaults are filled in when it is created')
  return range
}
