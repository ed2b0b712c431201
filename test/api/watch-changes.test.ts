import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import type { Change } from '#client/calls.ts'
import { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'
import { DEFAULT_SETTINGS, type ApiSettings } from '#api/settings.ts'
import { StoreUnavailable, type Store } from '#ports/store.ts'
import { storeWith } from '#ports/store-with.ts'
import { TinyRegion } from '#providers/simulated/testing/tiny-region.harness.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { until } from '#test/harness/waiting.ts'
import { openStream, readUntil, Watcher } from '#test/harness/watching.ts'
import { ApiUnderTest, OURS, THEIRS } from './api-under-test.ts'

interface Looks { asked: number; away: boolean }

/** The API on a port, over a store whose looks are counted, and which can be away. */
async function openServer(watches: Partial<ApiSettings['watches']> = {}) {
  const memory = new MemoryStore(), looks: Looks = { asked: 0, away: false }
  const changesAfter: Store['changesAfter'] = async (...asked) => {
    looks.asked += 1
    if (looks.away) throw new StoreUnavailable('the database is away')
    return memory.changesAfter(...asked)
  }
  const { region: { faults } } = await TinyRegion.open()
  const unlimited = { readsPerSecond: undefined, writesPerSecond: undefined, perAction: {} }
  const api = await ApiUnderTest.open({ limits: unlimited, watches: { ...DEFAULT_SETTINGS.watches, ...watches } }, { faults }, storeWith(memory, () => ({ changesAfter })))
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  const endpoint = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`
  api.now = Date.now()
  const client = (key = OURS) => new EdgeholdClient({ endpoint, accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey, region: 'local-1' })
  const stream = (parameters: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}) => openStream(endpoint, OURS, 'local-1', parameters, headers)
  const history = async (filter = {}) => (await client().all('ListStatusHistory', { Filter: filter })).toReversed()
  const now = async () => ({ LastEventId: (await memory.historyStand({ accountId: OURS.accountId, region: 'local-1' })).newest })
  return { api, memory, looks, endpoint, client, stream, history, now }
}

describe('WatchChanges', () => {
  let server: Awaited<ReturnType<typeof openServer>>
  let shop: string
  before(async () => {
    server = await openServer()
    shop = await server.api.createCluster('shop', 0)
  })
  after(() => server.api.app.close())

  test('is a signed GET, answered by server-sent events: id is the position, data is an item of the history', async () => {
    const stream = await server.stream({ LastEventId: '0' })
    assert.deepEqual([stream.statusCode, stream.headers['content-type'], stream.headers['cache-control']], [200, 'text/event-stream; charset=utf-8', 'no-store'])
    const text = await readUntil(stream, /\ndata: .*\n\n/), [first] = await server.history()
    stream.destroy()
    assert.equal(text, `: changes behind 0\nid: 0\n\nid: ${first?.Position}\nevent: status\ndata: ${JSON.stringify(first)}\n\n`)
  })

  test('tells what comes from now on, in the order of the positions, until the reader has enough', async () => {
    const before = (await server.history()).length
    const watcher = new Watcher(server.client(), await server.now())
    const stream = await server.stream()
    await readUntil(stream, /\nid: \d+\n\n$/)
    const id = await server.api.createCluster('plant', 1)
    await server.api.makeClusterRun(id)
    await watcher.has(changes => changes.length >= 2)
    assert.deepEqual(watcher.changes, (await server.history()).slice(before))
    assert.deepEqual(watcher.changes.map(({ Id, Status }) => [Id, Status?.Phase]), [[id, 'Creating'], [id, 'Running']])
    assert.equal((await readUntil(stream, /Running.*\n\n$/s)).match(/^event: status$/gm)?.length, 2)
    stream.destroy()
    assert.equal(await watcher.end(), undefined)
  })

  test('goes on behind any event without loss or repeat, by what filters let through', async () => {
    await server.api.makeClusterRun(shop)
    const poolId = (await server.api.done('CreateEdgeNodePool', { ClusterId: shop, Name: 'counters' })).Id ?? ''
    await server.api.makePoolRun(poolId)
    const follow = async (request: object, expected: readonly Change[]) => {
      const watcher = new Watcher(server.client(), request)
      await watcher.has(changes => changes.length >= expected.length)
      assert.deepEqual(watcher.changes, expected)
      await watcher.end()
    }
    const all = await server.history()
    for (const [index, { Position }] of all.entries()) await follow({ LastEventId: Position }, all.slice(index + 1))
    await follow({ LastEventId: '0', ClusterIds: [shop] }, await server.history({ ClusterIds: [shop] }))
    await follow({ LastEventId: 0, Kinds: ['NodePool'] }, await server.history({ Kinds: ['NodePool'] }))
    await follow({ LastEventId: 0, Kinds: ['NodePool', 'Cluster'], ClusterIds: [shop, 'c-none'] }, await server.history({ Kinds: ['NodePool', 'Cluster'], ClusterIds: [shop] }))
  })

  test('goes on behind the header by which readers of server-sent events ask again at the same address, whatever the parameter said at first', async () => {
    const { LastEventId } = await server.now(), last = String(LastEventId - 1), newest = (await server.history()).at(-1)
    for (const [parameters, header] of [[{}, last], [{ LastEventId: '0' }, last], [{ LastEventId: last }, '']] as const) {
      const stream = await server.stream(parameters, { 'last-event-id': header }), text = await readUntil(stream, /data: .*\n\n/)
      stream.destroy()
      assert.equal(text, `: changes behind ${last}\nid: ${last}\n\nid: ${LastEventId}\nevent: status\ndata: ${JSON.stringify(newest)}\n\n`)
    }
    for (const wrong of ['yesterday', '-1', String(LastEventId + 1), '9'.repeat(65)]) assert.match(await textOf(await server.stream({ LastEventId: '0' }, { 'last-event-id': wrong })), /"Code":"ParameterOutOfRange\.LastEventId"/, wrong)
  })

  test('shows nothing of another account', async () => {
    const watcher = new Watcher(server.client(THEIRS), { LastEventId: 0 })
    const asked = server.looks.asked
    await until(() => server.looks.asked > asked)
    const theirs = await server.api.createCluster('theirs', 2, { as: THEIRS })
    await watcher.has(changes => changes.length > 0)
    assert.deepEqual(watcher.changes.map(({ Id }) => Id), [theirs])
    await watcher.end()
  })

  test('is refused with a wrong signature, and with what no event had', async () => {
    const stranger = await openStream(server.endpoint, { ...OURS, secretAccessKey: 'guess' }, 'local-1')
    assert.match(await textOf(stranger), /SignatureDoesNotMatch/)
    const { newest } = await server.memory.historyStand({ accountId: OURS.accountId, region: 'local-1' })
    const refusal = await textOf(await server.stream({ LastEventId: String(newest + 1) }))
    assert.match(refusal, new RegExp(`"ParameterOutOfRange.LastEventId","Message":"[^"]*the newest one is ${newest};`))
    const error = await new Watcher(server.client(), { LastEventId: newest + 1 }).ended()
    assert.ok(error instanceof ApiError && error.code === 'ParameterOutOfRange.LastEventId')
  })

  test('faults of our own answers meet it as they meet any call', async () => {
    const order = async (Effect: object, Times = 1) => { await server.api.done('InjectFault', { Port: 'api', Call: 'WatchChanges', Effect, Times }) }
    await order({ Type: 'fail', Code: '500' })
    assert.match(await textOf(await server.stream()), /"Code":"InternalError"/)
    await order({ Type: 'fail', Code: '429' })
    const limited = await server.stream()
    assert.deepEqual([limited.statusCode, limited.headers['retry-after']], [429, '1'])
    limited.destroy()
    for (const Type of ['half', 'silent']) {
      await order({ Type })
      await assert.rejects(server.stream(), { code: 'ECONNRESET' })
    }
    await order({ Type: 'double' })
    const twice = await server.stream({ LastEventId: '0' })
    const text = await readUntil(twice, /data: .*\n\n/)
    twice.destroy()
    assert.equal(text.match(/^: changes/gm)?.length, 1)
    // The client waits as it is told, and then reads all.
    await order({ Type: 'fail', Code: '429', For: '1ms' }, 2)
    const watcher = new Watcher(server.client(), { LastEventId: 0 }), all = await server.history()
    await watcher.has(changes => changes.length >= all.length)
    assert.deepEqual(watcher.changes, all)
    await watcher.end()
    assert.deepEqual((await server.api.done('ListFaults')).Items?.map(fault => Number(fault['Hits'])).toSorted(), [1, 1, 1, 1, 1, 2])
    await server.api.done('ClearFault', { All: true })
  })

  test('a hundred who have seen everything share the looks that a change costs', async () => {
    const begin = await server.now(), watchers = Array.from({ length: 100 }, () => new Watcher(server.client(), begin))
    await server.api.createCluster('first', 3)
    for (const watcher of watchers) await watcher.has(changes => changes.length >= 1)
    const before = server.looks.asked
    await server.api.createCluster('second', 4)
    for (const watcher of watchers) await watcher.has(changes => changes.length >= 2)
    const looks = server.looks.asked - before
    assert.ok(looks < 20, `${looks} looks`)
    for (const watcher of watchers) await watcher.end()
  })

  test('goes on when the database was away meanwhile', async () => {
    const watcher = new Watcher(server.client(), await server.now())
    server.looks.away = true
    const asked = server.looks.asked
    const id = await server.api.createCluster('late', 5)
    await until(() => server.looks.asked > asked)
    server.looks.away = false
    await watcher.has(changes => changes.some(({ Id }) => Id === id))
    await watcher.end()
    assert.deepEqual(server.api.errors, [])
  })
})

describe('WatchChanges and its bounds', () => {
  test('a comment comes now and then, and keeps the connection', async () => {
    const { api, stream } = await openServer({ commentMs: 10 })
    const watch = await stream()
    await readUntil(watch, /(\n:\n\n.*){3}/s)
    watch.destroy()
    await api.app.close()
  })

  test('no more are open than the server takes, and one that ends makes room', async () => {
    const { api, stream } = await openServer({ most: 2 })
    const open = [await stream(), await stream()]
    const refused = await stream()
    assert.deepEqual([refused.statusCode, refused.headers['retry-after']], [503, '1'])
    assert.match(await textOf(refused), /"Code":"ServiceUnavailable","Message":"Not ready yet: 2 watches are open at this server, which is as many as it takes\./)
    open[0]?.destroy()
    await until(async () => {
      const next = await stream()
      next.destroy()
      return next.statusCode === 200
    })
    open[1]?.destroy()
    await api.app.close()
  })

  test('a reader that is gone before its turn takes no room', async () => {
    const { api, endpoint, stream } = await openServer({ most: 1 })
    // The next one is held as long, and so has its turn later.
    await api.done('InjectFault', { Port: 'api', Call: 'WatchChanges', Effect: { Type: 'slow', For: '1s' }, Times: 2 })
    const left = Promise.withResolvers<void>()
    api.app.server.once('request', (request: IncomingMessage, response: ServerResponse) => {
      response.once('close', left.resolve)
      request.socket.destroy()
    })
    await assert.rejects(openStream(endpoint, OURS, 'local-1'))
    await left.promise
    const next = await stream()
    assert.equal(next.statusCode, 200)
    next.destroy()
    await api.app.close()
  })

  test('a reader that takes nothing is told no more than its connection holds, and is cut off; it goes on from where it was', async () => {
    const { api, memory, looks, client, stream, history } = await openServer({ readWithinMs: 200 })
    const id = await api.createCluster('busy', 0)
    await api.makeClusterRun(id)
    const fact = 'x'.repeat(20_000)
    for (let number = 1; number <= 1_000; number++) await memory.write(api.now, async tx => {
      const cluster = await tx.lockCluster(id)
      assert.ok(cluster)
      await tx.changeCluster(id, { facts: { ...cluster.facts, controlPlane: cluster.facts.controlPlane === 'usable' ? 'unkept' : 'usable' } }, { evidence: [{ observer: 'test', source: 'test', observedAt: number, fact }] })
    })
    const cut = new Promise<void>(resolve => { api.app.server.once('request', (_request, response: ServerResponse) => response.once('close', resolve)) })
    const slow = await stream({ LastEventId: '0' })
    slow.pause()
    const shown = (await history({ Kinds: ['Cluster'] })).length
    await cut
    assert.ok(looks.asked < shown / 50 / 2, `it was told in ${looks.asked} looks of ${shown} changes`)
    let text = ''
    slow.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('error', () => {})
    const closed = new Promise<void>(resolve => { slow.once('close', resolve) })
    slow.resume()
    await closed
    const told = [...text.slice(0, text.lastIndexOf('\n\n')).matchAll(/^id: (\d+)\nevent/gm)].map(([, position]) => Number(position)), last = told.at(-1) ?? 0
    const watcher = new Watcher(client(), { LastEventId: last })
    await watcher.has(changes => told.length + changes.length >= shown, 30_000)
    await watcher.end()
    assert.deepEqual([...told, ...watcher.positions], (await history()).map(({ Position }) => Position))
    await api.app.close()
  })

  test('a server that is asked to end ends its watches at once, whole', async () => {
    const { api, stream } = await openServer()
    const id = await api.createCluster('shop', 0)
    const open = await Promise.all([stream({ LastEventId: '0' }), stream()])
    const texts = Promise.all(open.map(watch => textOf(watch)))
    await api.makeClusterRun(id)
    const begun = performance.now()
    await api.app.close()
    const [all = ''] = await texts
    assert.ok(all.endsWith('\n\n') && open.every(watch => watch.complete))
    assert.ok(performance.now() - begun < 2_000)
  })

  test('ends with its region, and an event of that one is none of the next of its name', async () => {
    const { api, memory, endpoint, stream, client } = await openServer()
    const scope = { accountId: OURS.accountId, region: 'local-1' }
    const make = () => memory.write(api.now, tx => tx.putRegion({ region: 'local-1', kind: 'Simulated', ready: true, text: '', settings: {} }))
    await make()
    await api.createCluster('old', 0)
    const watcher = new Watcher(client(), { LastEventId: 0 }), watch = await stream({ LastEventId: '0' })
    await watcher.has(changes => changes.length === 1)
    await api.createCluster('others', 1, { as: THEIRS })
    await memory.write(api.now, tx => tx.forgetRegion('local-1'))
    await make()
    const whole = await textOf(watch)
    assert.ok(watch.complete && whole.includes('"Name":"old"'))
    const refused = await openStream(endpoint, OURS, 'local-1', { LastEventId: '1' })
    assert.match(await textOf(refused), /"Code":"ParameterOutOfRange\.LastEventId","Message":"[^"]*it is of an earlier region local-1, which was removed; send 0 /)
    const error = await watcher.ended()
    assert.ok(error instanceof ApiError && error.code === 'ParameterOutOfRange.LastEventId', 'its client is told, too')
    const id = await api.createCluster('new', 0)
    const { begins } = await memory.historyStand(scope)
    for (const LastEventId of [0, begins]) {
      const next = new Watcher(client(), { LastEventId })
      await next.has(changes => changes.length > 0)
      assert.deepEqual(next.changes.map(({ Id }) => Id), [id])
      await next.end()
    }
    await api.app.close()
  })

  test('one that its reader cuts off is forgotten, and what listens for it ends with the last', async () => {
    const { api, memory, stream } = await openServer({ listenOnMs: 0 })
    let listening = 0
    const listen = memory.listenToHistory.bind(memory)
    memory.listenToHistory = (onMoved, signal) => {
      listening += 1
      return listen(onMoved, signal).finally(() => { listening -= 1 })
    }
    const open = await Promise.all([stream(), stream(), stream()])
    assert.equal(listening, 1)
    for (const watch of open) watch.destroy()
    await until(() => listening === 0)
    await once((await stream()).destroy(), 'close').then(() => until(() => listening === 0))
    await api.app.close()
  })
})
