import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FreshRegions, machineOf } from '#test/harness/fresh-regions.ts'

describe('a pool that recycles its machines, and orders one off that stays on', () => {
  const regions = new FreshRegions('stays-on')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const step = (time: string) => regions.step(time)
  const nodes = () => regions.nodePairs()
  const phases = async () => (await regions.server.history(regions.region)).filter(({ Kind }) => Kind === 'Node').map(({ Status }) => Status?.Phase)
  const scaling = (more: object) => ({ ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 1, DesiredReplicas: 1, Priority: 10, Mode: 'Recycle', ...more }, InstanceArea: { AreaName: 'north' } } })
  const fails = (Effect: object = { Type: 'fail' }) => done('InjectFault', { Port: 'machines', Call: 'ensure', Effect })

  /** A cluster with one such pool, which has all the nodes that it may have. */
  async function shop(replicas = 1) {
    const ClusterId = await regions.cluster(), most = { MaxReplicas: replicas, DesiredReplicas: replicas }
    const { Id } = await done('CreateEdgeNodePool', { ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool', ...scaling(most) })
    await step('5m')
    return {
      to: (DesiredReplicas: number, more: object = {}) => done('UpdateEdgeNodePoolConfig', { ClusterId, Id, ...scaling({ ...most, DesiredReplicas, ...more }) }),
      says: async () => String((await done('ExplainStatus', { Id }))['Because']),
      runs: () => done('SetWorkload', { ClusterId, Name: 'web', Pods: 1, Cpu: '1', MemoryMiB: 100 }),
    }
  }

  for (const Enabled of [false, true]) {
    test(`has it again, open to pods, once ${Enabled ? 'its autoscaler' : 'its caller'} wants it`, async () => {
      const { to, runs } = await shop()
      await fails()
      await to(0)
      await step('10m')
      assert.deepEqual(await nodes(), ['Stopping/Progressing'])
      await to(Enabled ? 0 : 1, { Enabled })
      await runs()
      await step('1m')
      const [node] = await regions.nodes()
      assert.deepEqual([await nodes(), await regions.podPlaces()], [['Running/Ok'], [`web: 1 on ${String(node?.['Name'])}`]])
      await step('10d')
      assert.deepEqual([await nodes(), await phases()], [['Running/Ok'], ['Creating', 'Running', 'Stopping', 'Running']])
    })
  }

  test('waits until it should long be off, where it is wanted again before that', async () => {
    const { to, says } = await shop()
    await fails()
    await to(0)
    await step('30s')
    await to(1)
    await step('2m')
    assert.deepEqual(await nodes(), ['Stopping/Progressing'], 'it may go off at any moment')
    const [node] = await regions.nodes()
    const { Because: ordered } = await done('ExplainStatus', { Id: node?.['Id'] }), since = Date.parse(/ordered the machine to stop at (\S+Z)/.exec(String(ordered))?.[1] ?? '')
    const until = `${new Date(since + 180_000).toISOString().slice(0, 19)}Z`
    assert.equal(await says(), `It admits members, and none of its nodes comes or goes; it waits for ${String(node?.['Name'])}, which was ordered off before it was wanted again: that one is started once it is off, and stays as it is if it is still on at ${until}`)
    await step('1m')
    assert.deepEqual(await nodes(), ['Running/Ok'], 'though nothing was told')
    assert.equal(await says(), 'It admits members, and none of its nodes comes or goes')
  })

  for (const MaxReplicas of [1, 5]) {
    test(`says so while the API of its cluster is away, too, and has it again at that instant (MaxReplicas ${MaxReplicas})`, async () => {
      const { to, says } = await shop(), more = { MaxReplicas }
      await fails()
      await to(0, more)
      await step('30s')
      await done('InjectFault', { Port: 'control-plane-host', Call: 'kube-apiserver', Effect: { Type: 'fail' } })
      await to(1, more)
      await step('1m')
      const [, node, until = ''] = /; it waits for (\S+), which was .* if it is still on at (\S+Z)$/.exec(await says()) ?? []
      assert.deepEqual([await nodes(), node], [['Stopping/Progressing'], (await regions.nodes())[0]?.['Name']], await says())
      const wait = Math.ceil((Date.parse(until) - Date.parse(String((await done('GetClock'))['Now']))) / 1000)
      assert.ok(wait > 1, until)
      await step(`${wait - 1}s`)
      assert.deepEqual(await nodes(), ['Stopping/Progressing'])
      await step('1s')
      assert.deepEqual([await nodes(), (await says()).includes('waits for')], [['Running/Ok'], false])
    })
  }

  test('has it again as soon as it may, where it is refused another one', async () => {
    const { to, says } = await shop()
    const [node] = await regions.nodes(), more = { MaxReplicas: 5 }
    await done('InjectFault', { Port: 'machines', Call: 'ensure', Target: { Id: machineOf(node) }, Effect: { Type: 'fail' } })
    await done('SetStock', { Kind: 'Machine', Area: 'north', Count: 0 })
    await to(0, more)
    await step('130s')
    await to(1, more)
    await step('45s')
    assert.match(await says(), new RegExp(`north.*; it waits for ${String(node?.['Name'])}, which was ordered off`))
    await step('10s')
    assert.deepEqual(await nodes(), ['Running/Ok'])
  })

  test('does not take it back while it is slow to go off', async () => {
    const { to } = await shop()
    await fails({ Type: 'slow', For: '100s' })
    await to(0)
    await step('30s')
    await to(1)
    await done('ClearFault', { All: true })
    await step('10m')
    assert.deepEqual([await nodes(), await phases()], [['Running/Ok'], ['Creating', 'Running', 'Stopping', 'Stopped', 'Starting', 'Running']])
  })

  test('gives it back, and has another one, where its machine is removed meanwhile', async () => {
    const { to } = await shop()
    const [node] = await regions.nodes()
    await fails()
    await to(0)
    await step('10m')
    await done('InjectFault', { Port: 'machines', Call: 'ensureGone', Effect: { Type: 'fail' } })
    await done('RemoveMachine', { Id: machineOf(node) })
    await step('10s')
    assert.deepEqual(await nodes(), ['Stopping/Progressing'])
    await to(1)
    await done('ClearFault', { All: true })
    await step('10m')
    assert.deepEqual([await nodes(), (await regions.nodes()).some(({ Id }) => Id === node?.['Id'])], [['Running/Ok'], false])
  })

  test('hears at once of a user who switches it on after days, though its provider fails', async () => {
    const { to } = await shop()
    const [node] = await regions.nodes()
    await fails()
    await to(0)
    await step('20d')
    assert.deepEqual(await phases(), ['Creating', 'Running', 'Stopping'])
    await done('SetMachine', { Id: machineOf(node), Power: 'on' })
    await step('10m')
    assert.deepEqual(await phases(), ['Creating', 'Running', 'Stopping', 'Running', 'Stopping'], 'what the user did is undone, as callers want none')
    await done('ClearFault', { All: true })
    await step('10m')
    assert.deepEqual(await nodes(), ['Stopped/Ok'])
  })
})
