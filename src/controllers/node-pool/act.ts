import { ownMachine } from '#model/node/claim.ts'
import type { NodePoolRecord } from '#model/node-pool/record.ts'
import type { OnboardingRecord } from '#model/onboarding/record.ts'
import { wakeSharers } from '#ports/sharing-pools.ts'
import type { Store } from '#ports/store.ts'
import { withFacts } from '#model/with-facts.ts'
import { keepWaiting } from './claims.ts'
import { lastClaim, type NodePoolStep } from './decide.ts'
import type { NodePoolPorts } from './ports.ts'
import { askGone } from './refused-claims.ts'

export async function act(step: NodePoolStep, record: NodePoolRecord, ports: NodePoolPorts): Promise<void> {
  switch (step) {
    case 'deleteNodes': return await deleteNodes(record, ports)
    case 'dropClaim': return await dropClaim(record, ports)
    case 'dropRefusal': return await dropRefusal(record, ports)
    case 'forget': return await forget(record, ports)
  }
}

/** Machines that joined while the deletion was asked for go with the pool. */
async function deleteNodes(record: NodePoolRecord, ports: NodePoolPorts): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  const by = record.facts.deletion?.by === 'call' ? 'pool' as const : 'cluster' as const
  await ports.store.write(now, async tx => {
    await tx.lockCluster(record.clusterId)
    const pool = await tx.lockNodePool(record.id)
    if (!pool) return
    const staying = (await tx.nodesOf({ nodePoolId: record.id })).filter(node => !node.facts.deletion)
    for (const node of await tx.lockNodes(staying.map(({ id }) => id))) {
      await tx.changeNode(node.id, { facts: { ...node.facts, deletion: { requestedAt: now, by, done: [] } } }, {
        evidence: [{ observer: 'node pool controller', source: `node pool ${record.spec.name}`, observedAt: now, fact: 'It joined while the deletion of its node pool was under way.' }], causedBy: { kind: 'NodePool', id: record.id, name: record.spec.name, clusterId: record.clusterId },
      })
      await tx.enqueue({ kind: 'node', id: node.id, region: record.region })
    }
  })
}

/** A claim that it tried: half-made things are no obstacle, but nothing is left behind either. */
async function dropClaim(record: NodePoolRecord, ports: NodePoolPorts): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  await ports.store.write(now, async tx => {
    await tx.lockCluster(record.clusterId)
    const pool = await tx.lockNodePool(record.id)
    const claim = pool && lastClaim(pool.facts), machine = claim === undefined ? undefined : ownMachine(await tx.lockMachine(claim), { nodePoolId: pool!.id })
    if (machine) return await askGone(tx, machine, now)
    if (!pool) return
    const others = pool.facts.leftovers?.filter(one => one.claim !== claim) ?? []
    await tx.changeNodePool(pool.id, { facts: withFacts(pool.facts, { refused: undefined, leftovers: others.length > 0 ? others : undefined }) }, { evidence: [{ observer: 'node pool controller', source: `claims of ${pool.spec.name}`, observedAt: now, fact: 'No claim of it is open any more.' }] })
    await tx.enqueue({ kind: 'node-pool', id: pool.id, region: record.region })
  })
}

/** Nobody asks any more for the machines that it was refused: it is to go, or its machines are joined ones. One that it tries meanwhile is a leftover. */
async function dropRefusal(record: NodePoolRecord, ports: NodePoolPorts): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  await ports.store.write(now, async tx => {
    await tx.lockCluster(record.clusterId)
    const pool = await tx.lockNodePool(record.id)
    if (!pool?.facts.refused) return
    await keepWaiting(tx, pool, 0, { region: ports.regionOf(pool.region) })
    const { refused: { claim }, leftovers = [] } = pool.facts
    const left = claim === undefined ? leftovers : [...leftovers, { claim, because: 'a machine that it tried to have is to go' }]
    await tx.changeNodePool(pool.id, { facts: withFacts(pool.facts, { refused: undefined, ...left.length > 0 && { leftovers: left } }) }, { evidence: [{ observer: 'node pool controller', source: `claims of ${pool.spec.name}`, observedAt: now, fact: 'No machine is asked for any more.' }] })
  })
}

/** Its onboardings go with it; the cluster looks again. */
async function forget(record: NodePoolRecord, ports: NodePoolPorts): Promise<void> {
  const now = ports.regionOf(record.region).clock.now()
  const onboardings = await onboardingsOf(record, ports.store)
  await ports.store.write(now, async tx => {
    await tx.lockCluster(record.clusterId)
    if (!(await tx.lockNodePool(record.id))) return
    if ((await tx.nodesOf({ nodePoolId: record.id })).length > 0) return
    for (const { id } of onboardings) await tx.forgetOnboarding(id, now)
    await keepWaiting(tx, record, 0, { region: ports.regionOf(record.region) })
    await tx.forget({ kind: 'NodePool', id: record.id }, {
      evidence: [{ observer: 'node pool controller', source: `nodes of ${record.spec.name}`, observedAt: now, fact: 'It has no nodes any more.' }],
      operation: record.facts.deletion?.by === 'call' ? 'DeleteNodePool' : 'DeleteCluster', text: 'Its nodes are gone',
    })
    await tx.enqueue({ kind: 'cluster', id: record.clusterId, region: record.region })
    await wakeSharers(tx, record)
  })
}

async function onboardingsOf({ id, accountId, region }: NodePoolRecord, store: Store): Promise<OnboardingRecord[]> {
  const found: OnboardingRecord[] = []
  for (let number = 1; ; number++) {
    const { items, totalCount } = await store.listOnboardings({ accountId, region }, { nodePoolIds: [id] }, { number, size: 100 })
    found.push(...items)
    if (items.length === 0 || found.length >= totalCount) return found
  }
}
