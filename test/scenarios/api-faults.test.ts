/** What somebody's automation must survive: faults of our own answers. A client that repeats a create with its ClientToken, and a list until it shows, comes to exactly one cluster. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ACTIONS } from '#api/actions/all.ts'
import { versionOf } from '#client/calls.ts'
import { ApiError, NoAnswer } from '#client/errors.ts'
import { post } from '#client/http.ts'
import { canonicalQuery, signedHeaders } from '#client/sign.ts'
import { until } from '#test/harness/command.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'
import { pairOf, SteppedRegion } from '#test/harness/stepped-region.ts'

interface Case { readonly what: string; readonly call: 'CreateCluster' | 'ListClusters'; readonly effect: object; readonly times: number; readonly firstError?: string }

// oxfmt-ignore
const CASES: readonly Case[] = [
  { what: 'too fast (429), twice',                        call: 'CreateCluster', effect: { Type: 'fail', Code: 429 },                                    times: 2, firstError: 'FlowLimitExceeded' },
  { what: 'an error of the server (500), three times',    call: 'CreateCluster', effect: { Type: 'fail', Code: 500 },                                    times: 3, firstError: 'InternalError' },
  { what: 'not ready (503)',                              call: 'CreateCluster', effect: { Type: 'fail', Code: 503 },                                    times: 1, firstError: 'ServiceUnavailable' },
  { what: 'slower than the client waits',                 call: 'CreateCluster', effect: { Type: 'slow', For: '700ms' },                                 times: 1, firstError: 'no answer' },
  { what: 'committed, and the connection cut, twice',     call: 'CreateCluster', effect: { Type: 'half' },                                               times: 2, firstError: 'no answer' },
  { what: 'the connection cut before anything was done',  call: 'CreateCluster', effect: { Type: 'silent' },                                             times: 1, firstError: 'no answer' },
  { what: 'the request arrives twice',                    call: 'CreateCluster', effect: { Type: 'double' },                                             times: 1 },
  { what: 'a list that is stale after the create',        call: 'ListClusters',  effect: { Type: 'lie', For: '1h' },                                     times: 2 },
  { what: 'a list that fails after the create',           call: 'ListClusters',  effect: { Type: 'fail', Code: 'InternalError', Message: 'not now' },    times: 2 },
]

type Item = Readonly<Record<string, unknown>>
interface PageSeen { readonly items: readonly unknown[]; readonly count: number }

const byId = (item: Item) => item['Id']
/** By what an item of each list that can be stale is known. */
const STALE: Readonly<Record<string, (item: Item) => unknown>> = {
  ListClusters: byId, ListEdgeNodePools: byId, ListNodePools: byId, ListEdgeNodes: byId, ListNodes: byId, ListBatchEdgeMachine: byId, ListKubeconfigs: byId, ListMachines: byId, ListLedger: byId,
  ListAddons: item => `${String(item['ClusterId'])}:${String(item['Name'])}`, ListStatusHistory: item => item['Position'],
}

describe('faults of our own answers', () => {
  let server: RootlessServer, count = 0, generations: ReturnType<typeof twoGenerations> | undefined
  before(async () => { server = await RootlessServer.start() })
  after(() => server.remove())

  for (const { what, call, effect, times, firstError } of CASES) {
    test(`${what}: one cluster in the end`, async () => {
      const { Region } = await server.client().call('CreateRegion', { Region: `api-${++count}`, Seed: 1, Paused: true })
      const region = new SteppedRegion(server.client(Region))
      const fault = await region.call('InjectFault', { Port: 'api', Call: call, Effect: effect, Times: times })
      const errors: string[] = []
      const patient = <Result>(wanted: string, ask: () => Promise<Result | undefined>) => until(wanted, () => ask().catch((error: unknown) => {
        assert.ok(error instanceof NoAnswer || (error instanceof ApiError && [429, 500, 503].includes(error.status)), String(error))
        errors.push(error instanceof ApiError ? error.code : 'no answer')
        return undefined
      }), 30_000, 50)

      const body = { Name: 'shop', Profile: 'Edge', ClientToken: 'one', ClusterConfig: { SubnetIds: ['subnet-1'] }, PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] } }
      const id = await patient('an id', async () => (await once(region, 'CreateCluster', body, 'For' in effect ? 400 : undefined)).Id)
      const shown = await patient('the cluster to be listed', async () => (await once(region, 'ListClusters', { Filter: { Ids: [id] } })).Items?.[0])
      assert.equal(shown.Id, id)
      if (firstError !== undefined) assert.equal(errors[0], firstError)
      const [standing] = (await region.client.all('ListFaults')).filter(one => one.Id === fault.Id)
      assert.ok(!standing || standing.Hits >= 1, 'the fault struck')
      await region.step('60s')
      assert.deepEqual((await region.client.all('ListClusters')).map(one => [one.Id, pairOf(one.Status)]), [[id, 'Running/Ok']])
      assert.equal((await region.client.all('ListLedger', { Filter: { Kinds: ['ControlPlane'] } })).length, 1)
      assert.equal((await region.told(id)).filter(change => change.Status?.Phase === 'Creating').length, 1)
    })
  }

  for (const [action, key] of Object.entries(STALE)) {
    test(`a stale ${action} is what it was before the creates: items, count and pages`, async () => {
      const { region, before } = await (generations ??= twoGenerations())
      const { Id } = await region.call('InjectFault', { Port: 'api', Call: action, Effect: { Type: 'lie', For: '10m' } })
      const stale = await pagesOf(region, action, key)
      await region.call('ClearFault', { Id })
      const whole = await pagesOf(region, action, key)
      assert.ok(before[action]!.length > 2 && whole[0]!.count > stale[0]!.count, `${whole[0]!.count} of which ${stale[0]!.count} are old`)
      assert.deepEqual(stale, before[action])
    })
  }

  test('a list that cannot be stale is refused as such a fault, and so is one that is not named', async () => {
    const { region } = await (generations ??= twoGenerations())
    for (const { name } of ACTIONS.filter(action => !(action.name in STALE))) assert.match((await region.refused('InjectFault', { Port: 'api', Call: name, Effect: { Type: 'lie' } })).message, /only lists of what is made .* ListMachines/, name)
    assert.match((await region.refused('InjectFault', { Port: 'api', Effect: { Type: 'lie' } })).message, /a list that is stale is named/)
  })

  /** A region with some of everything, the pages of each list then, and as much again made afterwards. */
  async function twoGenerations(): Promise<{ readonly region: SteppedRegion; readonly before: Readonly<Record<string, readonly PageSeen[]>> }> {
    const region = new SteppedRegion(server.client((await server.client().call('CreateRegion', { Region: 'generations', Seed: 1, Paused: true })).Region))
    for (const number of [1, 2, 3]) await generation(region, number)
    await region.step('20m')
    const before: Record<string, readonly PageSeen[]> = {}
    for (const [action, key] of Object.entries(STALE)) before[action] = await pagesOf(region, action, key)
    await generation(region, 4)
    return { region, before }
  }

  async function generation(region: SteppedRegion, number: number): Promise<void> {
    const { Id: ClusterId } = await region.createCluster({ Name: `shop-${number}`, PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`172.${16 + number}.0.0/16`] } }, ServicesConfig: { ServiceCidrsv4: [`172.30.${16 * number}.0/20`] } })
    await region.step('60s')
    const { Id: NodePoolId } = await region.call('CreateEdgeNodePool', { ClusterId, Name: 'counters' })
    await region.elasticPool(ClusterId)
    for (const Name of ['central-1', 'central-2']) await region.call('CreateNodePool', { ClusterId, Name, NodeConfig: { InstanceTypeIds: ['ecs.c1ie.xlarge'], SubnetIds: ['subnet-1'], Security: { Login: { Password: 'UHdkMTIzNDU2' }, SecurityGroupIds: ['sg-1'], SecurityStrategies: ['Hids'] } }, AutoScaling: { Enabled: false, DesiredReplicas: 1 } })
    await region.step('60s')
    await region.script(ClusterId, NodePoolId)
    for (const Type of ['Private', 'Public']) await region.call('CreateKubeconfig', { ClusterId, Type })
    for (const name of ['till', 'scale']) await region.call('AddMachine', { Name: `${name}-${number}` })
    await region.call('CreateAddon', { ClusterId, Name: 'log-collector', Version: 'v2.0.7' })
    await region.step('60s')
  }

  /** Each page of two, and one behind the last. */
  async function pagesOf(region: SteppedRegion, action: string, key: (item: Item) => unknown): Promise<readonly PageSeen[]> {
    const pages: PageSeen[] = []
    for (let PageNumber = 1, isLast = false; !isLast; PageNumber++) {
      const { Items, TotalCount } = await region.client.callAny(action, { PageNumber, PageSize: 2 }) as { readonly Items: readonly Item[]; readonly TotalCount: number }
      pages.push({ items: Items.map(key), count: TotalCount })
      isLast = PageNumber * 2 > TotalCount + 1 && Items.length === 0
    }
    return pages
  }

  /** One request, without our client's own patience, whose repeats would hide what is to be seen here. */
  async function once(region: SteppedRegion, action: string, body: object, patienceMs = 10_000): Promise<{ readonly Id?: string; readonly Items?: readonly { readonly Id: string }[] }> {
    const query = { Action: action, Version: versionOf(action) }, text = JSON.stringify(body)
    const keys = { accessKeyId: server.keys.AccessKeyId, secretAccessKey: server.keys.SecretAccessKey }
    const headers = signedHeaders(server.listen, query, text, keys, { region: region.name, service: 'veecp_openapi' }, Date.now())
    const answer = await post(new URL(`http://${server.listen}/?${canonicalQuery(query)}`), headers, text, { timeoutMs: patienceMs })
    const { ResponseMetadata: { Error: error, RequestId }, Result } = JSON.parse(answer.text) as { ResponseMetadata: { RequestId: string; Error?: { Code: string; Message: string } }; Result: { Id?: string } }
    if (error) throw new ApiError({ code: error.Code, message: error.Message, status: answer.status, requestId: RequestId })
    return Result
  }
})
