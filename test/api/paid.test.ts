import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

const CLUSTER = {
  Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-shop'] },
  PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] },
}

/** A region in which a pool's only node was shut down for arrears. */
async function shutDown(context: TestContext) {
  const store = new MemoryStore(() => Date.now()), region = 'paid'
  const server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore() })
  context.after(() => server.close())
  const done = (action: string, body: object = {}) => server.done(action, body, region)
  const step = (time: string) => done('SetClock', { Step: time })
  await server.done('CreateRegion', { Region: region, Seed: 7, Paused: true })
  const { Id: cluster = '' } = await done('CreateCluster', CLUSTER)
  await step('60s')
  await done('CreateEdgeNodePool', {
    ClusterId: cluster, Name: 'elastic', NodePoolType: 'edge-machine-pool',
    ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
  })
  await step('2m')
  await done('SetBalance', { Amount: 0 })
  await step('123m')
  return { server, region, done, step }
}

test('a node that was shut down for arrears says on its way back that they were paid, and by whom its machine is switched on', async context => {
  const { server, region, done, step } = await shutDown(context)
  await done('SetBalance', { Unlimited: true })
  await step('20m')
  const told = (await server.history(region)).filter(({ Kind }) => Kind === 'Node').map(({ Status, Because, Evidence }) => ({ pair: `${Status?.Phase} ${Status?.Conditions[0]?.Type}`, Because, facts: Evidence.map(({ Fact }) => Fact).join(' ') }))
  assert.deepEqual(told.map(({ pair }) => pair), ['Creating Progressing', 'Running Ok', 'Failed Balance', 'Failed Balance', 'Failed NotReady', 'Running Ok'])
  const [, , stopped, paid, on, back] = told
  assert.match(stopped?.Because ?? '', /^Its machine was shut down because the account is in arrears; its power is off since /)
  assert.match(paid?.Because ?? '', /^Its machine was shut down because the account was in arrears; they were paid at \S+Z, and it is being switched on again$/)
  assert.match(paid?.facts ?? '', /They are paid, and its machine is to be on again\./)
  assert.doesNotMatch(paid?.facts ?? '', /Ready is True/)
  assert.match(on?.Because ?? '', /^Machine elastic-\S+ was switched on again at \S+Z, since the arrears it was shut down for were paid, and the cluster has heard nothing from its kubelet since then$/)
  assert.match(on?.facts ?? '', /The power is on since/)
  assert.match(back?.Because ?? '', /^Its kubelet is Ready since /)

  // Switched off by somebody later it is off for that reason.
  const { Items: [machine] = [] } = await done('ListMachines')
  await done('SetMachine', { Id: machine?.['Id'], Power: 'off' })
  assert.deepEqual((await done('ListEdgeNodes')).Items?.map(node => node['Status']), [{ Phase: 'Failed', Conditions: [{ Type: 'NotReady' }] }])
})

test('a node whose machine is not switched on again though the arrears are paid is not shut down for them after 15 minutes, and runs once it is on', async context => {
  const { done, step } = await shutDown(context)
  const { Items: [node] = [] } = await done('ListEdgeNodes'), id = String(node?.['Id'])
  const explained = async () => {
    const { Status, Because, Exits } = await done('ExplainStatus', { Id: id })
    return { status: Status, because: String(Because), exits: JSON.stringify(Exits) }
  }
  assert.match((await explained()).exits, /debt is paid/)
  const { Id: fault } = await done('InjectFault', { Port: 'machines', Call: 'ensure', Effect: { Type: 'fail', Code: 'StockOut', Message: 'the zone is sold out' } })
  await done('SetBalance', { Unlimited: true })
  await step('10m')
  const soon = await explained()
  assert.deepEqual(soon.status, { Phase: 'Failed', Conditions: [{ Type: 'Balance' }] })
  assert.match(soon.because, /, and it is being switched on again; switching it on fails since \S+Z: the zone is sold out$/)
  assert.match(soon.exits, /is on again, or is not 15 min after the debt was paid/)
  await step('6m')
  const late = await explained()
  assert.deepEqual(late.status, { Phase: 'Failed', Conditions: [{ Type: 'NotReady' }] })
  assert.match(late.because, /^The power of machine elastic-\S+ is off since \S+Z; it was shut down for arrears, which were paid at \S+Z, and its provider has not switched it on again since; switching it on fails since \S+Z: the zone is sold out$/)
  assert.doesNotMatch(late.exits, /debt/)
  await done('ClearFault', { Id: fault })
  await step('1h')
  assert.deepEqual((await explained()).status, { Phase: 'Running', Conditions: [{ Type: 'Ok' }] })
})
