/** What somebody's automation must survive: faults of our own answers. A client that repeats a create with its ClientToken, and a list until it shows, comes to exactly one cluster. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
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

describe('faults of our own answers', () => {
  let server: RootlessServer, count = 0
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
