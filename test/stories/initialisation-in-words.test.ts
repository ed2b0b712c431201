import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'

/** status-rules.md, node row 3: the step is named, whether it failed or hangs, and how long it took. */
describe('InitializeFailed says which step, and how long', () => {
  const regions = new FreshRegions('steps')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const because = async () => {
    const [node] = (await done('ListEdgeNodes')).Items ?? []
    const { Because, Status } = await done('ExplainStatus', { Id: node?.['Id'] })
    assert.match(JSON.stringify(Status), /"Failed".*"InitializeFailed"/)
    return String(Because)
  }
  const cluster = async () => {
    const { Id = '' } = await done('CreateCluster', ANY_CLUSTER)
    await regions.step('60s')
    return Id
  }
  const ordered = async (ClusterId: string) => {
    await done('CreateEdgeNodePool', {
      ClusterId, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    })
  }
  const byScript = async (ClusterId: string) => {
    const { Id: NodePoolId } = await done('CreateEdgeNodePool', { ClusterId, Name: 'static' })
    await regions.step('10s')
    const { Ids: [RunScript = ''] = [] } = await done('CreateBatchEdgeMachine', { ClusterId, NodePoolId, Name: 'tills', TTLHours: 1 })
    const { Id } = await done('AddMachine', { Name: 'till-1' })
    await regions.step('30s')
    await done('SetMachine', { Id, RunScript })
  }
  const logged = async (ClusterId: string) => {
    const { Id: NodePoolId } = await done('CreateEdgeNodePool', { ClusterId, Name: 'static' })
    const { Id } = await done('AddMachine', { Name: 'till-1' })
    await regions.step('30s')
    const [machine] = (await done('ListMachines')).Items ?? []
    assert.equal(machine?.['Id'], Id)
    await done('CreateEdgeNode', { ClusterId, NodePoolId, Name: 'till-1', AutoCompleteConfig: { Enable: true, Address: machine?.['Address'], MachineAuth: { AuthType: 'Password', User: 'root', SSHPort: 22, Password: 'sesame' } } })
  }

  const SPAN = String.raw`\d+ (s|min)( \d+ s)?`
  const failed = (step: string, text: string) => new RegExp(String.raw`^The step ${step} failed on the machine at \S+Z, (${SPAN} after it had begun and )?${SPAN} after its machine was there: ${text}$`)
  const hangs = (step: string, text: string) => new RegExp(String.raw`^It was no Ready member 15 min after its machine was there: the step ${step}, begun at \S+Z, had not ended after 1\d min( \d+ s)?; ${text}`)
  const FAILS = { Type: 'fail', Message: 'in its words' }, HANGS = { Type: 'hang' }
  // oxfmt-ignore
  const rows: [step: string, effect: object, says: RegExp][] = [
    ['boot',      FAILS, failed('boot', 'in its words')],
    ['boot',      HANGS, hangs('boot', 'its system is coming up')],
    ['contact',   FAILS, failed('contact', 'in its words')],
    ['contact',   HANGS, hangs('contact', 'it asks the join endpoint and has no answer')],
    ['preflight', FAILS, failed('preflight', 'in its words')],
    ['preflight', HANGS, hangs('preflight', 'the machine checks what a node needs')],
    ['download',  FAILS, failed('download', 'in its words')],
    ['download',  HANGS, hangs('download', 'the machine fetches its programs')],
    ['start',     FAILS, failed('start', 'in its words')],
    ['start',     HANGS, hangs('start', 'the kubelet is being started')],
    ['kubelet',   FAILS, hangs('join', 'its kubelet was started, and says since .* that it is not ready: in its words$')],
    ['kubelet',   HANGS, hangs('join', 'its kubelet was started, and its heartbeats stopped: ')],
  ]
  // What boots or asks on its own account is a node's only once it was admitted.
  const ways = [['a machine that a pool ordered', ordered, () => true], ['a machine that runs a script', byScript, (step: string) => step !== 'boot' && step !== 'contact']] as const
  for (const [what, join, isMet] of ways) {
    for (const [Call, Effect, says] of rows.filter(([step]) => isMet(step))) {
      test(`${what}: ${Call} ${JSON.stringify(Effect)}`, async () => {
        const id = await cluster()
        await done('InjectFault', { Port: 'machines', Call, Effect })
        await join(id)
        await regions.step('20m')
        assert.match(await because(), says)
      })
    }
  }

  test('a machine that is logged in to: the script that was started does not come to be admitted', async () => {
    const id = await cluster()
    await done('InjectFault', { Port: 'machines', Call: 'contact', Effect: HANGS })
    await logged(id)
    await regions.step('20m')
    assert.match(await because(), hangs('contact', 'it was logged in to, and runs the onboarding script$'))
  })

  test('a step that was slow is not named once the next one has begun', async () => {
    const id = await cluster()
    await done('InjectFault', { Port: 'machines', Call: 'preflight', Effect: { Type: 'slow', For: '2m' } })
    await done('InjectFault', { Port: 'machines', Call: 'start', Effect: HANGS })
    await ordered(id)
    await regions.step('20m')
    assert.match(await because(), hangs('start', 'the kubelet is being started$'))
  })

  test('a boot that failed is past once the machine comes after all', async () => {
    const id = await cluster()
    const { Id: fault } = await done('InjectFault', { Port: 'machines', Call: 'boot', Effect: FAILS })
    await ordered(id)
    await regions.step('60s')
    assert.match(await because(), failed('boot', 'in its words'))
    await done('ClearFault', { Id: fault })
    const [node] = (await done('ListEdgeNodes')).Items ?? [], Id = `m${String(node?.['Id']).slice(1)}`
    await done('SetMachine', { Id, Power: 'off' })
    await done('SetMachine', { Id, Power: 'on' })
    await regions.step('2m')
    assert.equal(await regions.server.shows('ListEdgeNodes', String(node?.['Id']), regions.region), 'Running/Ok')
  })

  const refusal = async (Id: unknown) => {
    const { Because, Evidence } = await done('ExplainStatus', { Id })
    return [await regions.server.shows('ListEdgeNodes', String(Id), regions.region), Because, Evidence] as unknown as [string, string, { Source: string; Fact: string }[]]
  }
  const theNode = async () => {
    const [node] = (await done('ListEdgeNodes')).Items ?? []
    return { Id: String(node?.['Id']), machine: `m${String(node?.['Id']).slice(1)}` }
  }

  const later = String.raw`the join endpoint tells its onboarding script since \S+Z to come again later: The API of the cluster \S+ does not answer at the moment$`
  const asks = String.raw`its boot or its first contact is under way since \S+Z: its machine has reported no progress`
  const isAway = () => done('InjectFault', { Port: 'tenant-cluster', Call: 'ensureMembers', Effect: { Type: 'fail' } })
  const told = [['a machine that a pool ordered', ordered], ['a machine that runs a script', byScript], ['a machine that is logged in to', logged]] as const
  for (const [what, join] of told) {
    for (const Call of ['ensureMembers', 'issueBootstrapToken']) {
      test(`${what}, and that is told to come again later: ${Call}`, async () => {
        const id = await cluster()
        await done('InjectFault', { Port: 'tenant-cluster', Call, Effect: { Type: 'fail' } })
        await join(id)
        await regions.step('5m')
        const { Id } = await theNode()
        const [shows, early, evidence] = await refusal(Id)
        assert.equal(shows, 'Creating/Progressing')
        assert.match(early, new RegExp(`is no Ready member of the cluster yet; ${later}`))
        assert.ok(evidence.some(({ Fact }) => /^The join endpoint told it to come again later: .* does not answer at the moment\.$/.test(Fact)), JSON.stringify(evidence))
        await regions.step('630s')
        const [late, why] = await refusal(Id)
        assert.equal(late, 'Failed/InitializeFailed')
        assert.match(why, new RegExp(`^It was no Ready member 15 min after its machine was there; ${later}`))
        await done('ClearFault', { All: true })
        await regions.step('20m')
        assert.equal((await refusal(Id))[0], 'Running/Ok')
      })
    }

    test(`${what}, and that went off while it was told to come again later: it fetched nothing`, async () => {
      const id = await cluster()
      await isAway()
      await join(id)
      await regions.step('5m')
      const { Id } = await theNode(), [machine] = (await done('ListMachines')).Items ?? []
      await done('SetMachine', { Id: machine?.['Id'], Power: 'off' })
      await regions.step('1m')
      assert.match((await refusal(Id))[1], new RegExp(`is no Ready member of the cluster yet; ${asks}, and the power of machine \\S+ is off since \\S+Z$`))
    })
  }

  test('a machine that runs a script, and that is refused at last after it was told to come again later', async () => {
    const ClusterId = await cluster()
    await isAway()
    await byScript(ClusterId)
    await regions.step('5m')
    const [pool] = (await done('ListEdgeNodePools')).Items ?? [], [script] = (await done('ListBatchEdgeMachine')).Items ?? []
    await done('DeleteBatchEdgeMachine', { ClusterId, NodePoolId: pool?.['Id'], Ids: [script?.['Id']] })
    await regions.step('20m')
    assert.match(await because(), /; the join endpoint refused its onboarding script at \S+Z: The onboarding script tills was deleted at \S+Z$/)
  })

  test('a machine that a pool ordered, and whose script is refused', async () => {
    const id = await cluster()
    const { Id: NodePoolId } = await done('CreateEdgeNodePool', { ClusterId: id, Name: 'static' })
    await regions.step('10s')
    const { Ids: [RunScript = ''] = [] } = await done('CreateBatchEdgeMachine', { ClusterId: id, NodePoolId, Name: 'tills', TTLHours: 1 })
    await done('InjectFault', { Port: 'machines', Call: 'contact', Effect: { Type: 'hang' }, Times: 1 })
    await ordered(id)
    await regions.step('30s')
    const { Id, machine } = await theNode()
    await done('SetMachine', { Id: machine, RunScript })
    await done('DeleteBatchEdgeMachine', { ClusterId: id, NodePoolId, Ids: [RunScript] })
    await regions.step('60s')
    const says = String.raw`the join endpoint refused its onboarding script at \S+Z: The onboarding script tills was deleted at \S+Z$`
    const [shows, early] = await refusal(Id)
    assert.equal(shows, 'Creating/Progressing')
    assert.match(early, new RegExp(`is no Ready member of the cluster yet; ${says}`))
    await regions.step('15m')
    assert.match(await because(), new RegExp(`^It was no Ready member 15 min after its machine was there; ${says}`))
    // Its first start is tried again, and nothing of that refusal stays.
    for (const Power of ['off', 'on']) await done('SetMachine', { Id: machine, Power })
    await regions.step('2m')
    assert.equal((await refusal(Id))[0], 'Running/Ok')
  })
})
