/** Stories of pools that wait for machines; over three hundred lines, since those in memory share what happens between a refusal and its note. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { machineEntry } from '#model/node/claim.ts'
import type { Scaling } from '#model/node-pool/record.ts'
import type { MachineOrder } from '#ports/machines.ts'
import { retryRefused } from '#ports/refused-pools.ts'
import { crashing, type CrashPlan } from '#test/harness/crashing.ts'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'
import { ACCOUNT, REGION, type WorldPorts } from '#test/harness/world.ts'
import { Scene } from '#test/harness/world/scene.ts'
import { shows } from '#test/harness/world/users.ts'
import { machinesOwnedBy } from '#test/harness/owned-machines.ts'

interface Status { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] }

describe('a pool that was refused machines has them as soon as others give them back', () => {
  const regions = new FreshRegions('refused')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const shown = (pool: string) => regions.server.shows('ListEdgeNodePools', pool, regions.region)
  const nodesOf = async (pool: string) => (await done('ListEdgeNodes', { PageSize: 100, Filter: { NodePoolIds: [pool] } })).Items ?? []
  const statuses = async (pool: string) => (await nodesOf(pool)).map(node => {
    const { Phase, Conditions } = node['Status'] as Status
    return `${Phase}/${Conditions.map(({ Type }) => Type).join('+')}`
  }).sort()
  const slow = (Port: string, Call: string, For: string) => done('InjectFault', { Port, Call, Effect: { Type: 'slow', For } })

  const newCluster = async () => {
    const { Id = '' } = await done('CreateCluster', ANY_CLUSTER)
    await step('60s')
    return Id
  }
  const newPool = async (ClusterId: string, Name: string, DesiredReplicas: number) => {
    const { Id = '' } = await done('CreateEdgeNodePool', {
      ClusterId, Name, NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    })
    await step('5m')
    return Id
  }
  const resize = (ClusterId: string, NodePoolId: string, DesiredReplicas: number) => done('ScaleUpEdgeNodePool', { ClusterId, NodePoolId, DesiredReplicas })
  /** Two pools, of which the first has one machine, and the other wants one more than there are; it has been refused for hours. */
  const oneHasWhatTheOtherWants = async (others: number) => {
    const cluster = await newCluster()
    await done('SetStock', { Kind: 'Machine', Count: others })
    const one = await newPool(cluster, 'one', 1)
    const other = await newPool(cluster, 'other', others)
    await step('310m')
    assert.equal(await shown(other), 'Running/StockOut')
    return { cluster, one, other }
  }

  test('while its labels are on their way', async () => {
    const { cluster, one, other } = await oneHasWhatTheOtherWants(2)
    await slow('tenant-cluster', 'ensureNodeConfig', '40s')
    await done('UpdateEdgeNodePoolConfig', { ClusterId: cluster, Id: other, KubernetesConfig: { Labels: [{ Key: 'zone', Value: 'north' }] } })
    await step('5s')
    assert.equal(await shown(other), 'Updating/Progressing')
    await resize(cluster, one, 0)
    await step('4m')
    assert.deepEqual([await shown(other), await statuses(other)], ['Running/Ok', ['Running/Ok', 'Running/Ok']])
  })

  test('while another node of it is being removed', async () => {
    const { cluster, one, other } = await oneHasWhatTheOtherWants(3)
    const [node] = await nodesOf(other)
    await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Target: { Kind: 'Machine', Id: `m${String(node?.['Id']).slice(1)}` }, Effect: { Type: 'fail' } })
    await done('DeleteEdgeNodes', { ClusterId: cluster, NodePoolId: other, Ids: [node?.['Id']], CascadingDeleteResources: ['Ecs'] })
    await step('5s')
    assert.equal(await shown(other), 'Scaling/Progressing')
    await resize(cluster, one, 0)
    await step('4m')
    assert.deepEqual(await statuses(other), ['Deleting/Progressing', 'Running/Ok', 'Running/Ok'])
  })

  test('also by one that could not have it for another reason', async () => {
    const cluster = await newCluster()
    await done('SetStock', { Kind: 'Machine', Count: 1 })
    const holder = await newPool(cluster, 'holder', 1)
    const first = await newPool(cluster, 'first', 1)
    const second = await newPool(cluster, 'second', 1)
    await step('310m')
    await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'fail' }, Times: 1 })
    await resize(cluster, holder, 0)
    await step('20s')
    assert.equal(await shown(first), 'Running/ScalingFailed')
    await step('4m')
    assert.deepEqual(await statuses(second), ['Running/Ok'])
  })

  test('each of two has one of two that are given back in the same instant', async () => {
    const cluster = await newCluster()
    await done('SetStock', { Kind: 'Machine', Count: 2 })
    const holder = await newPool(cluster, 'holder', 2)
    const first = await newPool(cluster, 'first', 1)
    const second = await newPool(cluster, 'second', 1)
    await step('310m')
    await resize(cluster, holder, 0)
    await step('4m')
    assert.deepEqual([await statuses(first), await statuses(second)], [['Running/Ok'], ['Running/Ok']])
  })

  test('one whose cluster cannot take it now lets the next one have it, and tries when it can', async () => {
    const away = await newCluster()
    const { Id: cluster = '' } = await done('CreateCluster', { ...ANY_CLUSTER, Name: 'till', PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.29.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.28.0.0/20'] } })
    await step('60s')
    await done('SetStock', { Kind: 'Machine', Count: 2 })
    const holder = await newPool(cluster, 'holder', 2)
    const first = await newPool(away, 'first', 1)
    const second = await newPool(cluster, 'second', 1)
    await step('310m')
    await done('InjectFault', { Port: 'control-plane-host', Call: 'kube-apiserver', Target: { Kind: 'Cluster', Id: away }, Effect: { Type: 'fail' } })
    await step('1m')
    await resize(cluster, holder, 1)
    await step('4m')
    assert.deepEqual([await statuses(first), await statuses(second)], [[], ['Running/Ok']])
    await resize(cluster, holder, 0)
    await done('ClearFault', { All: true })
    await step('6m')
    assert.deepEqual(await statuses(first), ['Running/Ok'])
  })

  test('machines that were refused for a debt are had when it is paid, also by a pool that shows something else', async () => {
    const cluster = await newCluster()
    const pool = await newPool(cluster, 'burst', 2)
    await done('SetBalance', { Amount: 0 })
    await step('1s')
    await resize(cluster, pool, 3)
    await step('50m')
    assert.equal(await shown(pool), 'Running/Balance')
    const [node] = await nodesOf(pool)
    await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Target: { Kind: 'Machine', Id: `m${String(node?.['Id']).slice(1)}` }, Effect: { Type: 'fail' } })
    await done('DeleteEdgeNodes', { ClusterId: cluster, NodePoolId: pool, Ids: [node?.['Id']], CascadingDeleteResources: ['Ecs'] })
    await step('5s')
    assert.equal(await shown(pool), 'Scaling/Progressing')
    await done('SetBalance', { Unlimited: true })
    await step('4m')
    assert.deepEqual(await statuses(pool), ['Deleting/Progressing', 'Running/Ok', 'Running/Ok'])
  })
})

const SECOND = 1_000, MINUTE = 60 * SECOND

/** In memory: a pool with one machine, and another one that was refused the one it wants, whose next try is minutes away. */
async function poolsOf(names: readonly string[], wrap?: (ports: WorldPorts) => WorldPorts): Promise<{ scene: Scene; pools: readonly string[] }> {
  const scene = await Scene.begin(wrap), { world, users } = scene
  const cluster = await scene.runningCluster()
  world.machines.stock = 1
  const pools: string[] = []
  for (const name of names) {
    pools.push(await users.createPool(cluster, { name, type: 'edge-machine-pool', scaling: wants(1) }))
    await scene.pool(pools.at(-1)!, name === 'holder' ? 'Running Ok' : 'Running StockOut')
    if (name === 'holder') await world.until('its node', async () => (await membersOf(scene, pools[0]!)) === 'Running Ok')
  }
  await world.pass(5 * MINUTE)
  return { scene, pools }
}

function wants(desired: number): Scaling {
  return { enabled: false, minReplicas: 0, maxReplicas: 5, desiredReplicas: desired, sentDesiredReplicas: desired, priority: 10 }
}

async function membersOf({ world }: Scene, pool: string): Promise<string> {
  return (await world.store.nodesOf({ nodePoolId: pool })).map(shows).sort().join()
}

test('a machine that a pool tried to have and wants no more is left to the next one', async () => {
  let onMade = async (): Promise<void> => {}
  const { scene, pools: [holder, first, second] } = await poolsOf(['holder', 'first', 'second'], ports => ({
    ...ports, machines: new Proxy(ports.machines, {
      get: (target, name) => name !== 'ensure' ? (Reflect.get(target, name) as unknown) : async (order: MachineOrder) => {
        const seen = await target.ensure(order)
        await onMade()
        return seen
      },
    }),
  }))
  let turned = 0
  onMade = async () => { if (turned++ === 0) await scene.users.updatePool(first!, { scaling: wants(0) }) }
  await scene.users.updatePool(holder!, { scaling: wants(0) })
  await scene.world.until('the second has it', async () => (await membersOf(scene, second!)) === 'Running Ok', MINUTE)
  assert.deepEqual([await membersOf(scene, first!), scene.world.errors], ['', []])
  await scene.end()
})

for (const { name, order } of [
  { name: 'that a pool ordered', order: async ({ users }: Scene, cluster: string) => { await users.createPool(cluster, { name: 'late', type: 'edge-machine-pool', scaling: wants(1) }) } },
  { name: 'that a pool ordered and had before', order: async ({ world, users }: Scene, cluster: string, late: Late) => {
    late.isArmed = false
    const nodePoolId = await users.createPool(cluster, { name: 'late', type: 'edge-machine-pool', scaling: wants(1) })
    const shown = async () => (await world.store.nodesOf({ nodePoolId })).map(shows).join()
    await world.until('its node', async () => (await shown()) === 'Running Ok')
    late.isArmed = true
    const [machine] = await machinesOwnedBy(world.store, REGION, { nodePoolId })
    await users.orderMachine(machine!.id, { link: 'cut' })
  } },
  { name: 'that a user added', order: async ({ users }: Scene) => { await users.addMachine('late') } },
  { name: 'that a user added and had before', order: async ({ world, users }: Scene, _cluster: string, late: Late) => {
    late.isArmed = false
    const id = await users.addMachine('late')
    await world.until('it is there', async () => (await world.store.findMachine(id))?.machineId !== undefined)
    late.isArmed = true
    await users.orderMachine(id, { link: 'cut' })
  } },
] satisfies readonly { name: string; order: (scene: Scene, cluster: string, late: Late) => Promise<void> }[]) {
  test(`a machine ${name}, and that is finished for nobody as another process took its record down, is left to a pool that waits`, async () => {
    const late: Late = { isArmed: true }
    const scene: Scene = await Scene.begin(ports => ({
      ...ports, machines: new Proxy(ports.machines, {
        get: (target, key) => key !== 'ensure' ? (Reflect.get(target, key) as unknown) : async (wanted: MachineOrder) => {
          if (wanted.name.startsWith('late') && late.isArmed) {
            late.isArmed = false
            await takenDown(scene, wanted)
          }
          return await target.ensure(wanted)
        },
      }),
    })), { world, users } = scene
    const cluster = await scene.runningCluster()
    world.machines.stock = 0
    const waiting = await users.createPool(cluster, { name: 'waiting', type: 'edge-machine-pool', scaling: wants(1) })
    await scene.pool(waiting, 'Running StockOut')
    await world.pass(5 * MINUTE)
    world.machines.stock = 1
    await order(scene, cluster, late)
    await world.until('the one that waits has it', async () => (await membersOf(scene, waiting)) === 'Running Ok', MINUTE)
    assert.deepEqual([late, [...world.machines.made.values()].length, world.errors], [{ isArmed: false }, 1, []])
    await scene.end()
  })
}

interface Late { isArmed: boolean }

/** As its deletion ends in another process, and with nobody who has heard of it yet. */
async function takenDown({ world, users }: Scene, { id, nodePoolId }: Pick<MachineOrder, 'id' | 'nodePoolId'>): Promise<void> {
  await world.machines.ensureGone(id)
  const nodes = nodePoolId === undefined ? [] : await world.store.nodesOf({ nodePoolId })
  if (nodePoolId !== undefined) await users.updatePool(nodePoolId, { scaling: wants(0) })
  await world.store.write(world.clock.now(), async tx => {
    for (const node of nodes) {
      await tx.lockNode(node.id)
      await tx.forget({ kind: 'Node', id: node.id }, { evidence: [], text: 'Another process took it down' })
    }
    await tx.lockMachine(id)
    for (const entry of await tx.ledgerOf(nodes[0]?.id ?? id)) await tx.putLedger({ ...entry, state: 'Released', since: world.clock.now() })
    await tx.forgetMachine(id)
  })
}

interface Refusing {
  /** Happens before the first machine is asked for. */
  readonly before?: (scene: Scene) => Promise<void>
  /** Happens after the provider has refused one, and before anybody hears of it. */
  readonly answered?: (scene: Scene, holder: string) => Promise<void>
  /** How many are refused. */
  readonly wanted?: number
}

/** In memory: claims of a pool are refused by the provider, two by default, and `meanwhile` happens before each of these refusals is noted. */
async function refusedMeanwhile(meanwhile: (scene: Scene, holder: string, late: string, nth: number) => Promise<void>, { before, answered, wanted = 2 }: Refusing = {}): Promise<{ scene: Scene; late: string; asked: () => number }> {
  let refused = 0, noted = 0, asked = 0, holder = '', begun: { holder: string; late: string } | undefined
  const scene: Scene = await Scene.begin(ports => ({
    ...ports,
    machines: new Proxy(ports.machines, {
      get: (target, key) => key !== 'ensure' ? (Reflect.get(target, key) as unknown) : async (order: MachineOrder) => {
        if (!order.name.startsWith('late')) return await target.ensure(order)
        asked += 1
        return await target.ensure(order).catch(async (error: unknown) => {
          refused += 1
          if (answered && refused === 1) await answered(scene, holder)
          throw error
        })
      },
    }),
    store: new Proxy(ports.store, {
      get: (target, key) => {
        const value = Reflect.get(target, key) as unknown
        if (typeof value !== 'function') return value
        return async (...given: unknown[]) => {
          // Who notes a refusal reads the account first.
          if (key === 'findAccount' && refused === wanted && noted < wanted && begun) await meanwhile(scene, begun.holder, begun.late, noted++)
          return await (Reflect.apply(value, target, given) as Promise<unknown>)
        }
      },
    }),
  })), { world, users } = scene
  const cluster = await scene.runningCluster()
  world.machines.stock = 1
  holder = await users.createPool(cluster, { name: 'holder', type: 'edge-machine-pool', scaling: wants(1) })
  await world.until('its node', async () => (await membersOf(scene, holder)) === 'Running Ok')
  await before?.(scene)
  const late = await users.createPool(cluster, { name: 'late', type: 'edge-machine-pool', scaling: wants(wanted) })
  begun = { holder, late }
  await world.until('all are noted', async () => noted === wanted)
  return { scene, late, asked: () => asked }
}

test('a machine that is given back after others were refused, and before their pool could say so, is tried for at once, and once', async () => {
  const { scene, late, asked } = await refusedMeanwhile(async (begun, holder, _late, nth) => {
    const [machine] = nth === 0 ? await machinesOwnedBy(begun.world.store, REGION, { nodePoolId: holder }) : []
    if (machine) await takenDown(begun, { id: machine.id, nodePoolId: holder })
  })
  await scene.world.until('it has the one that there is', async () => (await membersOf(scene, late)) === 'Running Ok', 20 * SECOND)
  assert.deepEqual(scene.world.errors, [])
  assert.ok(asked() <= 7, `asked ${asked()} times`)
  await scene.end()
})

test('a machine that is given back is tried for at once also behind many claims that were let go in the same time', async () => {
  const { scene, late } = await refusedMeanwhile(async (begun, holder, _late, nth) => {
    const [machine] = nth === 0 ? await machinesOwnedBy(begun.world.store, REGION, { nodePoolId: holder }) : []
    if (!machine) return
    const { store, clock } = begun.world
    await takenDown(begun, { id: machine.id, nodePoolId: holder })
    const { providerId: _none, ...given } = machineEntry({ ...machine, ownedBy: { nodePoolId: holder, clusterId: machine.ownedBy!.clusterId } }, 'Released', clock.now())
    await store.write(clock.now(), async tx => {
      for (let number = 0; number < 150; number++) await tx.putLedger({ ...given, id: `l0${String(number).padStart(20, '0')}` })
    })
  })
  await scene.world.until('it has the one that there is', async () => (await membersOf(scene, late)) === 'Running Ok', 20 * SECOND)
  assert.deepEqual(scene.world.errors, [])
  await scene.end()
})

test('machines that come while the refusals of a pool are being noted are tried for at once, however many are noted after', async () => {
  const { scene, late } = await refusedMeanwhile(async ({ world }, _holder, pool, nth) => {
    if (nth === 0) return
    world.machines.stock = 2
    const record = (await world.store.findNodePool(pool))!
    assert.equal(record.facts.refused?.times, 1)
    await world.store.write(world.clock.now(), tx => retryRefused(tx, record, world.clock.now()))
  })
  await scene.world.until('it has both', async () => (await membersOf(scene, late)) === 'Running Ok,Running Ok', 20 * SECOND)
  assert.deepEqual(scene.world.errors, [])
  await scene.end()
})

test('a machine that is given back while its provider refuses another, and well before that is told, is tried for at once', async () => {
  const { scene, late, asked } = await refusedMeanwhile(async () => {}, {
    wanted: 1,
    answered: async (begun, holder) => {
      const [machine] = await machinesOwnedBy(begun.world.store, REGION, { nodePoolId: holder })
      await takenDown(begun, { id: machine!.id, nodePoolId: holder })
      begun.world.clock.moveTo(begun.world.clock.now() + 5 * SECOND)
    },
  })
  await scene.world.until('it has the one that there is', async () => (await membersOf(scene, late)) === 'Running Ok', 20 * SECOND)
  assert.deepEqual([asked() <= 4, scene.world.errors], [true, []])
  await scene.end()
})

for (const { name, nth } of [{ name: 'the first', nth: 0 }, { name: 'the second', nth: 1 }]) {
  test(`stock that is set after the provider refused machines, and before ${name} of these refusals is noted, is tried for at once`, async () => {
    const { scene, late } = await refusedMeanwhile(async ({ world }, _holder, pool, noted) => {
      if (noted !== nth) return
      // As SetStock does it: pools that say that they wait are told.
      world.machines.stock = 2
      world.machines.supplied += 1
      const { store, clock } = world
      const record = (await store.findNodePool(pool))!
      if (record.facts.refused) await store.write(clock.now(), tx => retryRefused(tx, record, clock.now()))
    })
    await scene.world.until('it has both', async () => (await membersOf(scene, late)) === 'Running Ok,Running Ok', 20 * SECOND)
    assert.deepEqual(scene.world.errors, [])
    await scene.end()
  })
}

test('what was set before a machine was asked for lets nobody try once more', async () => {
  const { scene, asked } = await refusedMeanwhile(async () => {}, { wanted: 1, before: async ({ world }) => { world.machines.supplied += 1 } })
  await scene.world.pass(20 * SECOND)
  assert.equal(asked(), 1)
  await scene.end()
})

test('a debt that is paid after a machine was refused for it, and before its pool could say so, keeps it from nothing', async () => {
  const scope = { accountId: ACCOUNT, region: REGION }
  const setArrears = async ({ world: { store, clock } }: Scene, arrearsSince: number | undefined) => {
    await store.write(clock.now(), async tx => {
      const { arrearsSince: _before, ...account } = await tx.lockAccount(scope)
      await tx.putAccount({ ...account, ...arrearsSince !== undefined && { arrearsSince } })
    })
  }
  let told = false
  const scene: Scene = await Scene.begin(ports => ({
    ...ports, store: new Proxy(ports.store, {
      get: (target, key) => {
        const value = Reflect.get(target, key) as unknown
        if (typeof value !== 'function') return value
        return async (...given: unknown[]) => {
          const answer = await (Reflect.apply(value, target, given) as Promise<unknown>)
          // Whoever notes a refusal has read the account.
          const [machine] = key === 'findAccount' && !told ? (await target.machinesOfRegion(REGION)).filter(({ refused }) => refused) : []
          if (machine) {
            told = true
            await setArrears(scene, undefined)
          }
          return answer
        }
      },
    }),
  })), { world, users } = scene
  const cluster = await scene.runningCluster()
  await setArrears(scene, world.clock.now())
  const pool = await users.createPool(cluster, { name: 'late', type: 'edge-machine-pool', scaling: wants(1) })
  await world.until('its refusal is noted', async () => told)
  await world.until('it has it', async () => (await membersOf(scene, pool)) === 'Running Ok', 20 * SECOND)
  await scene.end()
})

test('a pool that says that it waits for a debt while that is being paid has its machine at once', async () => {
  const scope = { accountId: ACCOUNT, region: REGION }
  const late: Late = { isArmed: false }
  const scene = await Scene.begin(ports => missingOnce(late, ports)), { world, users } = scene
  const setBalance = (amount: number | undefined) => world.store.write(world.clock.now(), async tx => {
    const { balance: _balance, ...account } = await tx.lockAccount(scope)
    await tx.putAccount({ ...account, ...amount !== undefined && { balance: { amount, at: world.clock.now(), spentBefore: 0n } } })
    await tx.enqueue({ kind: 'account', id: `${ACCOUNT}/${REGION}`, region: REGION })
  })
  const cluster = await scene.runningCluster()
  await setBalance(-1)
  await world.until('it is in arrears', async () => (await world.store.findAccount(scope)).arrearsSince !== undefined)
  const pool = await users.createPool(cluster, { name: 'late', type: 'edge-machine-pool', scaling: wants(1) })
  await scene.pool(pool, 'Running Balance')
  await world.pass(5 * MINUTE)
  late.isArmed = true
  await setBalance(undefined)
  await world.until('it has it', async () => (await membersOf(scene, pool)) === 'Running Ok', 20 * SECOND)
  assert.deepEqual([late.isArmed, world.errors], [false, []])
  await scene.end()
})

for (const { name, release } of [
  { name: 'that a pool had', release: async ({ users }: Scene, holder: string) => { await users.updatePool(holder, { scaling: wants(0) }) } },
  { name: "of its account's own", release: async ({ world: { store, clock }, users }: Scene, holder: string) => {
    const [machine] = await machinesOwnedBy(store, REGION, { nodePoolId: holder })
    await store.write(clock.now(), async tx => {
      await tx.lockMachine(machine!.id)
      await tx.changeMachine(machine!.id, { ownedBy: null })
    })
    await users.orderMachine(machine!.id, { deletionRequestedAt: clock.now() })
  } },
] satisfies readonly { name: string; release: (scene: Scene, holder: string) => Promise<void> }[]) {
  test(`a pool that says that it waits while a machine ${name} is being given back has it at once`, async () => {
    const late: Late = { isArmed: false }
    const { scene, pools: [holder, other] } = await poolsOf(['holder', 'other'], ports => missingOnce(late, ports))
    late.isArmed = true
    await release(scene, holder!)
    await scene.world.until('the other has it', async () => (await membersOf(scene, other!)) === 'Running Ok', 60 * SECOND)
    assert.deepEqual([late.isArmed, scene.world.errors], [false, []])
    await scene.end()
  })
}

/** One look for pools that wait finds none: it is of a moment before they said so. */
function missingOnce(late: Late, ports: WorldPorts): WorldPorts {
  return { ...ports, store: new Proxy(ports.store, {
    get: (target, key) => {
      const value = Reflect.get(target, key) as unknown
      if (typeof value !== 'function') return value
      return async (...given: unknown[]) => {
        const isMissed = late.isArmed && key === 'listNodePools'
        if (isMissed) late.isArmed = false
        return isMissed ? { items: [], totalCount: 0 } : await (Reflect.apply(value, target, given) as Promise<unknown>)
      }
    },
  }) }
}

test('a process that dies while a machine is given back, at any call, does not keep others from having it', async () => {
  const life = async (plan: CrashPlan): Promise<void> => {
    plan.isWaiting = true
    const { scene, pools: [holder, other] } = await poolsOf(['holder', 'other'], ports => ({ ...ports, store: crashing(ports.store, plan), machines: crashing(ports.machines, plan, ['ensure']) }))
    await scene.users.updatePool(holder!, { scaling: wants(0) })
    plan.isWaiting = false
    // Its own next try is further away. What making a machine throws is its provider's word, and no death.
    await scene.world.until(`the other has it, though the process died ${plan.when} call ${plan.at}`, async () => {
      plan.isWaiting = true
      const has = (await membersOf(scene, other!)) === 'Running Ok'
      plan.isWaiting = has
      return has
    }, 100 * SECOND)
    await scene.end()
  }
  const counted: CrashPlan = { calls: 0, at: -1, when: 'before' }
  await life(counted)
  assert.ok(counted.calls > 20, 'the plan must bite')
  for (let at = 0; at < counted.calls; at++) await life({ calls: 0, at, when: 'before' })
})
