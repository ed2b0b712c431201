import assert from 'node:assert/strict'
import { createHmac, hash } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { canonicalQuery, signedHeaders } from '#client/sign.ts'
import { ApiUnderTest, OURS, type Envelope } from './api-under-test.ts'

suite('the envelope', () => {
  let api: ApiUnderTest
  before(async () => { api = await ApiUnderTest.open() })
  after(async () => { await api.app.close() })

  test('names the call and the region as it was signed', async () => {
    const { status, body } = await api.call('ListClusters', {}, { region: 'cn-beijing' })
    assert.equal(status, 200)
    const { RequestId, ...rest } = body.ResponseMetadata
    assert.match(RequestId, /^20261125120000[0-9A-F]{20}$/)
    assert.deepEqual(rest, { Action: 'ListClusters', Version: '2021-03-03', Service: 'veecp_openapi', Region: 'cn-beijing' })
    assert.deepEqual(body.Result, { Items: [], TotalCount: 0, PageNumber: 1, PageSize: 10 })
  })

  test('of an error has ResponseMetadata.Error with number, code and message, and no result', async () => {
    const { status, body } = await api.call('CreateCluster', {})
    assert.equal(status, 400)
    assert.deepEqual(Object.keys(body), ['ResponseMetadata'])
    assert.deepEqual(Object.keys(body.ResponseMetadata.Error ?? {}), ['CodeN', 'Code', 'Message'])
    assert.equal(body.ResponseMetadata.Error?.Code, 'MissingParameter.Name')
  })

  test('an alias leads to the default region', async () => {
    const id = await api.createCluster('aliased', 0, { region: 'ap-singapore' })
    const { Items = [] } = await api.done('ListClusters', { Filter: { Ids: [id] } }, { region: 'local-1' })
    assert.equal(Items.length, 1)
  })

  for (const [what, how, status, code] of [
    ['a region that is not here', { region: 'moon-1' }, 400, 'InvalidCredential'],
    ['a service that is not here', { service: 'vke' }, 404, 'ServiceNotFound'],
    ['a secret that is not the key\'s', { as: { ...OURS, secretAccessKey: 'guess' } }, 401, 'SignatureDoesNotMatch'],
    ['a key that is not here', { as: { ...OURS, accessKeyId: 'AKLTNOBODY' } }, 401, 'InvalidAccessKey'],
    ['a clock that is an hour late', { now: Date.UTC(2026, 10, 25, 11) }, 400, 'InvalidTimestamp'],
    ['a version that is not here', { version: '1999-01-01' }, 404, 'InvalidActionOrVersion'],
    ['a version that is none', { version: 'newest' }, 404, 'InvalidActionOrVersion'],
  ] as const) {
    test(`refuses ${what}`, async () => {
      const answer = await api.call('ListClusters', {}, how)
      assert.deepEqual([answer.status, answer.body.ResponseMetadata.Error?.Code], [status, code])
    })
  }

  test('refuses a query without an action or a version, and paths of its own inside', async () => {
    for (const [path, lacks] of [['/?Version=2021-03-03', 'Action'], ['/?Action=ListClusters', 'Version'], ['/', 'Action and no Version']] as const) {
      const { CodeN: _, ...error } = (await api.send('POST', path, {}, '{}')).body.ResponseMetadata.Error ?? assert.fail()
      assert.deepEqual(error, { Code: 'MissingParameter', Message: `The query has no ${lacks}.` })
    }
    for (const path of ['/rpc/2021-03-03/ListClusters', '/nothing', '/?Action=Nothing&Version=2021-03-03', '/?Action=../x&Version=2021-03-03']) {
      const { status, body } = await api.send('POST', path, {}, '{}')
      assert.deepEqual([status, body.ResponseMetadata.Error?.Code], [404, 'InvalidActionOrVersion'], path)
    }
  })

  test('a path that is not here is told as that, whatever action it names', async () => {
    for (const [path, given] of [['/nope', '; no Action was given'], ['/nope?Action=ListClusters&Version=2021-03-03', '']] as const) for (const method of ['GET', 'POST'] as const) {
      const { status, body } = await api.send(method, path, {}, method === 'POST' ? '{}' : undefined)
      assert.deepEqual([status, body.ResponseMetadata.Error?.Code, body.ResponseMetadata.Error?.Message], [404, 'InvalidActionOrVersion', `There is nothing at this path: calls are sent to /, with Action and Version in the query${given}.`])
    }
  })

  test('an action that is not here is told with the service that was asked for it', async () => {
    for (const [service, names] of [['vpc', 'vpc'], ['veecp_openapi', 'veecp_openapi'], ['<b>', 'veecp_openapi']] as const) {
      const { status, body } = await api.call('DescribeSecurityGroups', {}, { version: '2020-04-01', service })
      assert.deepEqual([status, body.ResponseMetadata.Error?.Code, body.ResponseMetadata.Error?.Message], [404, 'InvalidActionOrVersion', `There is no action DescribeSecurityGroups in version 2020-04-01 of ${names}.`])
    }
    const { body } = await api.send('GET', '/?Action=DescribeVpcs&Version=2020-04-01&X-Credential=AKLT%2F20250102%2Fcn-beijing%2Fvpc%2Frequest', {})
    assert.equal(body.ResponseMetadata.Error?.Message, 'There is no action DescribeVpcs in version 2020-04-01 of vpc.')
  })

  test('refuses other methods', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH'] as const) {
      const response = await api.app.inject({ method, url: '/?Action=ListClusters&Version=2021-03-03' })
      assert.deepEqual([response.statusCode, response.json<Envelope>().ResponseMetadata.Error?.Code], [405, 'MethodNotAllowed'])
    }
  })

  test('is compressed where the caller takes it and it is worth it', async () => {
    const small = await api.call('ListClusters', { Filter: { Ids: ['none'] } }, { headers: { 'accept-encoding': 'gzip' } })
    assert.equal(small.headers['content-encoding'], undefined)
    const query = { Action: 'ListClusters', Version: '2021-03-03' }
    const headers = signedHeaders('127.0.0.1:7420', query, '{}', OURS, { region: 'local-1', service: 'veecp_openapi' }, api.now)
    const response = await api.app.inject({ method: 'POST', url: `/?${canonicalQuery(query)}`, payload: '{}', headers: { ...headers, 'accept-encoding': 'br;q=1.0, gzip;q=0.8' } })
    assert.equal(response.headers['content-encoding'], 'gzip')
    assert.match(gunzipSync(response.rawPayload).toString(), /"Name":"aliased"/)
    const refused = await api.call('ListClusters', {}, { headers: { 'accept-encoding': 'gzip;q=0' } })
    assert.equal(refused.headers['content-encoding'], undefined)
  })

  test('parameters of a GET stand in the query', async () => {
    const query = { Action: 'ListClusters', Version: '2021-03-03', PageSize: '5', 'Filter.Ids.1': 'none', 'Filter.DeleteProtectionEnabled': 'true' }
    const signed = signGet(query, api.now)
    const { status, body, text } = await api.send('GET', `/?${canonicalQuery(query)}`, signed)
    assert.equal(status, 200, text)
    assert.deepEqual(body.Result, { Items: [], TotalCount: 0, PageNumber: 1, PageSize: 5 })
  })
})

suite('limits of calls', () => {
  test('of reads and writes answer 429 with Retry-After, each account for itself', async () => {
    const api = await ApiUnderTest.open({ limits: { readsPerSecond: 3, writesPerSecond: 1, perAction: { ListEdgeNodes: 1 } } })
    for (let call = 0; call < 3; call++) assert.equal((await api.call('ListClusters')).status, 200)
    const refused = await api.call('ListClusters')
    assert.deepEqual([refused.status, refused.body.ResponseMetadata.Error?.Code, refused.headers['retry-after']], [429, 'FlowLimitExceeded', '1'])
    assert.equal((await api.call('CreateCluster')).status, 400, 'a write still counts for itself')
    assert.equal((await api.call('CreateCluster')).status, 429)
    assert.equal((await api.call('ListClusters', {}, { as: { accountId: '2100000002', accessKeyId: 'AKLTTHEIRS', secretAccessKey: 'theirs-secret' } })).status, 200)
    api.now += 1000
    assert.equal((await api.call('ListEdgeNodes')).status, 200)
    assert.equal((await api.call('ListEdgeNodes')).status, 429, 'an action may have a limit of its own')
    assert.equal((await api.call('ListClusters')).status, 200)
    await api.app.close()
  })
})

suite('pages beside the API', () => {
  test('say that it lives, what is ready, its figures and its actions', async () => {
    const api = await ApiUnderTest.open()
    await api.call('ListClusters')
    const page = async (url: string) => api.app.inject({ method: 'GET', url })
    assert.equal((await page('/healthz')).statusCode, 200)
    const ready = (await page('/readyz')).json<{ ready: boolean; parts: { name: string; ready: boolean }[] }>()
    assert.equal(ready.ready, true, 'a region that is not ready is told and does not count')
    assert.deepEqual(ready.parts.map(part => [part.name, part.ready]), [['store', true], ['region local-1', true], ['region sim-1', false]])
    api.storeReady = false
    const away = await page('/readyz')
    assert.deepEqual([away.statusCode, away.headers['retry-after'], away.json<{ ready: boolean }>().ready], [503, '1', false])
    assert.match((await page('/metrics')).payload, /edgehold_api_calls_total\{action="ListClusters",code="Ok"\} 1/)
    const described = (await page('/openapi.json')).json<{ paths: Record<string, unknown> }>()
    assert.ok('/?Action=CreateCluster&Version=2021-03-03' in described.paths)
    assert.ok('/?Action=ExplainStatus&Version=2026-12-01' in described.paths)
    const stream = described.paths['/?Action=WatchChanges&Version=2026-12-01'] as { get: { parameters: { name: string; in: string }[] } }
    assert.deepEqual(stream.get.parameters.map(parameter => `${parameter.in} ${parameter.name}`), ['query LastEventId', 'query ClusterIds', 'query Kinds', 'header Last-Event-ID'])
    await api.app.close()
  })
})

/** A GET signed as Go clients do: content type signed, no body. */
function signGet(query: Record<string, string>, now: number): Record<string, string> {
  const xDate = new Date(now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', host: '127.0.0.1:7420', 'x-content-sha256': hash('sha256', '', 'hex'), 'x-date': xDate }
  const names = Object.keys(headers).toSorted()
  const canonical = ['GET', '/', canonicalQuery(query), names.map(name => `${name}:${headers[name]}\n`).join(''), names.join(';'), hash('sha256', '', 'hex')].join('\n')
  const scope = `${xDate.slice(0, 8)}/local-1/veecp_openapi/request`
  const key = [xDate.slice(0, 8), 'local-1', 'veecp_openapi', 'request'].reduce<string | Buffer>((step, text) => createHmac('sha256', step).update(text).digest(), OURS.secretAccessKey)
  const signature = createHmac('sha256', key).update(['HMAC-SHA256', xDate, scope, hash('sha256', canonical, 'hex')].join('\n')).digest('hex')
  return { ...headers, authorization: `HMAC-SHA256 Credential=${OURS.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}` }
}
