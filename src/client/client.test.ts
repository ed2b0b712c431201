import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, suite, test } from 'node:test'
import { until } from '#test/harness/waiting.ts'
import { EdgeholdClient } from './client.ts'
import { signedHeaders } from './sign.ts'

type Reply = readonly [status: number, body: unknown, headers?: Record<string, string>]
const error = (code: string) => ({ ResponseMetadata: { RequestId: 'R1', Error: { CodeN: 1, Code: code, Message: `a sentence on ${code}` } } })
const result = (value: unknown) => ({ ResponseMetadata: { RequestId: 'R2' }, Result: value })

suite('the client', () => {
  let server: Server | undefined
  afterEach(() => server?.close())

  /** Answers each call with the next reply; tells what was asked. */
  async function answering(...replies: readonly Reply[]): Promise<{ client: EdgeholdClient; asked: { url: string; body: string }[] }> {
    const asked: { url: string; body: string }[] = []
    const made = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => { body += chunk.toString() })
      request.on('end', () => {
        const [status, answer, headers = {}] = replies[Math.min(asked.length, replies.length - 1)] ?? [500, {}]
        asked.push({ url: request.url ?? '', body })
        response.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers }).end(typeof answer === 'string' ? answer : JSON.stringify(answer))
      })
    })
    server = made
    await new Promise<void>(resolve => { made.listen(0, '127.0.0.1', resolve) })
    return { asked, client: new EdgeholdClient({ endpoint: `127.0.0.1:${(made.address() as AddressInfo).port}`, accessKeyId: 'AK', secretAccessKey: 'SK', region: 'local-1' }) }
  }

  test('signs as the vector says', () => {
    const body = '{"Filter":{"Ids":["ccvmb0c66t101fnob3dhg"]},"PageNumber":1,"PageSize":100}'
    const headers = signedHeaders('127.0.0.1:8080', { Version: '2021-03-03', Action: 'ListClusters' }, body, { accessKeyId: 'AKLTEXAMPLE', secretAccessKey: 'secretEXAMPLE' }, { region: 'cn-beijing', service: 'veecp_openapi' }, Date.UTC(2025, 0, 2, 3, 4, 5))
    assert.match(headers['authorization'] ?? '', /Signature=95fff74a9ae49cf0acbacb0be999699d96fabf3751344b798c44827b7a6aa957$/)
  })

  test('says that no answer came in time, and leaves an abort of the caller as it is', async () => {
    const silent = createServer(() => {})
    server = silent
    await new Promise<void>(resolve => { silent.listen(0, '127.0.0.1', resolve) })
    const client = new EdgeholdClient({ endpoint: `127.0.0.1:${(silent.address() as AddressInfo).port}`, accessKeyId: 'AK', secretAccessKey: 'SK', region: 'local-1' })
    await assert.rejects(client.call('ListClusters', {}, { timeoutMs: 20 }), { kind: 'NoAnswer', message: /did not answer within 0\.02 s$/ })
    await assert.rejects(client.call('ListClusters', {}, { signal: AbortSignal.timeout(20) }), { name: 'AbortError' })
    silent.closeAllConnections()
  })

  test('knows the version of each action, and answers the result alone', async () => {
    const { client, asked } = await answering([200, result({ Id: 'c1' })])
    assert.deepEqual(await client.call('CreateCluster', { Name: 'shop' }), { Id: 'c1' })
    await client.call('ExplainStatus', { Id: 'c1' })
    await client.callAny('Other', {}, { version: '2020-01-01' })
    assert.deepEqual(asked.map(one => one.url), ['/?Action=CreateCluster&Version=2021-03-03', '/?Action=ExplainStatus&Version=2026-12-01', '/?Action=Other&Version=2020-01-01'])
    assert.equal(asked[1]?.body, '{"Id":"c1"}')
  })

  test('what makes something is sent again with the token of its first try, so that it is made once', async () => {
    const { client, asked } = await answering([503, error('ServiceUnavailable'), { 'retry-after': '0.01' }], [200, result({ Id: 'c1' })])
    await client.call('CreateCluster', { Name: 'shop' })
    const [first, second] = asked.map(one => JSON.parse(one.body) as { Name: string; ClientToken: string })
    assert.match(first?.ClientToken ?? '', /^[0-9a-f-]{36}$/)
    assert.deepEqual(second, first)
    await client.call('CreateCluster', { Name: 'shop', ClientToken: 'mine' })
    assert.equal(asked[2]?.body, '{"Name":"shop","ClientToken":"mine"}')
  })

  test('throws what the API says, with its code and request id, and does not ask again', async () => {
    const { client, asked } = await answering([400, error('InvalidParameter.Name')])
    await assert.rejects(client.call('CreateCluster', {}), { kind: 'ApiError', code: 'InvalidParameter.Name', status: 400, requestId: 'R1', message: 'a sentence on InvalidParameter.Name' })
    assert.equal(asked.length, 1)
  })

  test('waits and asks again when it was too fast or too early, and gives up in the end', async () => {
    const { client, asked } = await answering([429, error('FlowLimitExceeded'), { 'retry-after': '0.01' }], [503, error('ServiceUnavailable'), { 'retry-after': '0.01' }], [200, result({})])
    assert.deepEqual(await client.call('ListClusters', {}), {})
    assert.equal(asked.length, 3)
    server?.close()
    const busy = await answering([429, error('FlowLimitExceeded'), { 'retry-after': '0.01' }])
    await assert.rejects(busy.client.call('ListClusters', {}), { code: 'FlowLimitExceeded' })
    assert.equal(busy.asked.length, 5)
  })

  test('a pause leaves nothing at the signal of the caller, and ends with it for the same reason', async () => {
    const tooEarly: Reply = [503, error('ServiceUnavailable'), { 'retry-after': '0.01' }], stays = new AbortController()
    const { client, asked } = await answering(tooEarly, tooEarly, [200, result({})])
    await client.call('ListClusters', {}, { signal: stays.signal })
    assert.deepEqual([asked.length, getEventListeners(stays.signal, 'abort').length], [3, 0])
    server?.close()
    const later = await answering([503, error('ServiceUnavailable'), { 'retry-after': '10' }]), enough = new AbortController()
    const call = later.client.call('ListClusters', {}, { signal: enough.signal })
    void until(() => getEventListeners(enough.signal, 'abort').length > 0).then(() => { enough.abort(new Error('enough')) })
    await assert.rejects(call, /^Error: enough$/)
    assert.equal(later.asked.length, 1)
  })

  test('reads every page and no more', async () => {
    const page = (names: readonly string[]) => result({ Items: names.map(Name => ({ Name })), TotalCount: 3, PageNumber: 1, PageSize: 2 })
    const { client, asked } = await answering([200, page(['a', 'b'])], [200, page(['c'])])
    assert.deepEqual((await client.all('ListClusters', { Filter: {} })).map(one => one.Name), ['a', 'b', 'c'])
    assert.deepEqual(asked.map(one => (JSON.parse(one.body) as { PageNumber: number }).PageNumber), [1, 2])
  })

  test('tells "nobody there" from "no answer came"', async () => {
    const { client } = await answering([200, 'this is another program'])
    await assert.rejects(client.call('ListClusters', {}), { kind: 'NoAnswer', neverSent: false })
    const nobody = new EdgeholdClient({ endpoint: 'http://127.0.0.1:9', accessKeyId: 'AK', secretAccessKey: 'SK', region: 'local-1' })
    await assert.rejects(nobody.call('ListClusters', {}), { kind: 'NoAnswer', neverSent: true })
  })
})
