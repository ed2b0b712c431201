import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { Service } from '@volcengine/openapi'
import { EdgeholdClient } from '#client/client.ts'
import { ApiUnderTest, OURS, clusterBody } from './api-under-test.ts'

/** Over a real socket: what `inject` cannot show. The clock is the real one, as foreign signers use it. */
suite('over HTTP', () => {
  let api: ApiUnderTest
  let port: number
  let client: EdgeholdClient
  before(async () => {
    api = await ApiUnderTest.open()
    api.now = Date.now()
    await api.app.listen({ host: '127.0.0.1', port: 0 })
    port = (api.app.server.address() as AddressInfo).port
    client = new EdgeholdClient({ endpoint: `127.0.0.1:${port}`, ...OURS, region: 'cn-beijing' })
  })
  after(async () => { await api.app.close() })

  test('a signer written by someone else is understood', async () => {
    api.now = Date.now()
    const service = new Service({ host: `127.0.0.1:${port}`, protocol: 'http:', serviceName: 'veecp_openapi', region: 'cn-beijing', defaultVersion: '2021-03-03', accessKeyId: OURS.accessKeyId, secretKey: OURS.secretAccessKey })
    const create = service.createAPI<Record<string, unknown>, { Id: string }>('CreateCluster', { method: 'POST', contentType: 'json' })
    const list = service.createAPI<Record<string, unknown>, { Items: { Name: string; Status: object }[] }>('ListClusters', { method: 'POST', contentType: 'json' })
    const made = await create(clusterBody('foreign', 1))
    assert.match((made as { Result?: { Id: string } }).Result?.Id ?? '', /^c[0-9a-v]{20}$/)
    const listed = (await list({ Filter: { Name: 'foreign' } })) as { Result?: { Items: { Name: string; Status: object }[] } }
    assert.deepEqual(listed.Result?.Items.map(item => [item.Name, item.Status]), [['foreign', { Phase: 'Creating', Conditions: [{ Type: 'Progressing' }] }]])
  })

  test('a signer written by someone else with another secret is refused', async () => {
    const service = new Service({ host: `127.0.0.1:${port}`, protocol: 'http:', serviceName: 'veecp_openapi', region: 'cn-beijing', defaultVersion: '2021-03-03', accessKeyId: OURS.accessKeyId, secretKey: 'guess' })
    const answer = await service.createAPI('ListClusters', { method: 'POST', contentType: 'json' })({}).catch((error: unknown) => error)
    assert.match(JSON.stringify(answer), /SignatureDoesNotMatch/)
  })

  test('our own client reads every page', async () => {
    api.now = Date.now()
    assert.deepEqual((await client.all('ListClusters')).map(cluster => cluster.Name), ['foreign'])
  })

  test('a body of 10 MB gets an answer, and the connection lives on', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (const chunked of [false, true]) {
      const { status, text } = await post(agent, Buffer.alloc(10 * 1024 * 1024, 0x20), chunked)
      assert.equal(status, 413)
      assert.match(text, /"Code":"RequestTooLarge"/)
    }
    const { status } = await post(agent, Buffer.from('{}'), false)
    assert.equal(status, 401)
    agent.destroy()
  })

  test('a caller that goes away in the middle of its body leaves nothing, not even a line in the log', async () => {
    const before = await api.everything()
    await new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write('POST /?Action=CreateCluster&Version=2021-03-03 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"Name":', () => socket.destroy())
      })
      socket.once('error', reject)
      socket.once('close', () => { resolve() })
    })
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200)
    assert.deepEqual(await api.everything(), before)
    assert.deepEqual(api.errors, [])
  })

  test('several calls on one connection are answered in their order, whichever is done first', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        for (const action of ['ListClusters', 'Nothing', 'CreateCluster']) socket.write(`POST /?Action=${action}&Version=2021-03-03 HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nx-date: 1\r\n\r\n{}`)
        socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
      })
      let received = ''
      socket.on('data', chunk => { received += chunk.toString() })
      socket.once('close', () => { resolve(received) })
      socket.once('error', reject)
    })
    assert.deepEqual([...text.matchAll(/HTTP\/1\.1 (\d+)|"Action":"(\w+)"/g)].map(match => match[1] ?? match[2]), ['401', 'ListClusters', '404', 'Nothing', '401', 'CreateCluster', '200'])
  })

  test('a call that runs while the server ends is answered, and its connection ends with it', async () => {
    const ending = await ApiUnderTest.open()
    await ending.app.listen({ host: '127.0.0.1', port: 0 })
    const begun = once(ending.app.server, 'request')
    const text = new Promise<string>((resolve, reject) => {
      const socket = connect((ending.app.server.address() as AddressInfo).port, '127.0.0.1', () => {
        socket.write('POST /?Action=ListClusters&Version=2021-03-03 HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{')
      })
      let received = ''
      socket.on('data', chunk => { received += chunk.toString() })
      socket.once('close', () => { resolve(received) })
      socket.once('error', reject)
      void begun.then(async () => {
        const closed = ending.app.close()
        socket.write('}')
        await closed
      })
    })
    assert.match(await text, /^HTTP\/1.1 401 [^]*connection: close[^]*MissingAuthenticationToken/i)
  })

  test('what is not HTTP gets the envelope, too', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('this is not HTTP\r\n\r\n'))
      let received = ''
      socket.on('data', chunk => { received += chunk.toString() })
      socket.once('close', () => { resolve(received) })
      socket.once('error', reject)
    })
    assert.match(text, /^HTTP\/1.1 400 /)
    assert.match(text, /"ResponseMetadata":\{.*"Error":\{/)
  })

  function post(agent: Agent, body: Buffer, chunked: boolean): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.length }
      const sent = request({ host: '127.0.0.1', port, agent, method: 'POST', path: '/?Action=CreateCluster&Version=2021-03-03', headers: { ...headers, 'content-type': 'application/json' } }, response => {
        let text = ''
        response.on('data', (chunk: Buffer) => { text += chunk.toString() })
        response.once('end', () => { resolve({ status: response.statusCode ?? 0, text }) })
      })
      sent.once('error', reject)
      sent.end(body)
    })
  }
})
