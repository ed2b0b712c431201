import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'
import { findServer } from '#main/server-mark.ts'
import type { Store } from '#ports/store.ts'
import { scratchPostgres, type ScratchPostgres } from '#store/testing/scratch-postgres.ts'
import { until } from '#test/harness/command.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'
import { inTime } from '#test/harness/waiting.ts'

/** What ordinary clients wait. */
const PATIENCE_MS = 20_000
const CLUSTER = { Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-1'] }, PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] } }

/** Two processes on one database; one of them runs the region, and stands still in the midst of calls, as a host does that swaps or is suspended. */
describe('two server processes on one database', () => {
  let postgres: ScratchPostgres, store: Store, running: RootlessServer, other: RootlessServer, stopped: number | undefined
  before(async () => {
    postgres = await scratchPostgres()
    const opened = await postgres.openCopy(), { databaseUrl } = opened
    store = opened.store
    const settings = { DATABASE_URL: databaseUrl, EDGEHOLD_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') }
    running = await RootlessServer.start(settings)
    other = await RootlessServer.start(settings)
  })
  after(async () => {
    if (stopped !== undefined) process.kill(stopped, 'SIGCONT')
    await other.remove()
    await running.remove()
    await postgres.end()
  })
  /** What it knows by itself of who runs the region: no call, so nobody else answers it. */
  const textOf = async (server: RootlessServer) => {
    const { parts } = await (await fetch(`http://${server.listen}/readyz`)).json() as { parts: readonly { name: string; text: string }[] }
    return parts.find(({ name }) => name === 'region sim-1')?.text ?? ''
  }
  const refused = (call: Promise<unknown>) => call.then(() => 'done', (error: unknown) => (error instanceof ApiError ? error.code : String(error)))

  test('reads at both meet a fault of our own answers, so often as it says', async () => {
    assert.match(await textOf(other), new RegExp(`the server at http://${running.listen} runs it`))
    await running.client().call('InjectFault', { Port: 'api', Call: 'ListClusters', Effect: { Type: 'fail', Code: 500 }, Times: 4 })
    const list = (server: RootlessServer) => refused(server.client().call('ListClusters', {}))
    await until('the fault to be met at the other server', async () => await list(other) === 'InternalError', 1_000, 20)
    for (const server of [other, running, other]) assert.equal(await list(server), 'InternalError')
    for (const server of [other, running]) assert.equal(await list(server), 'done')
    for (const server of [other, running]) assert.deepEqual((await server.client().all('ListFaults')).map(({ Hits }) => Hits), [4])
  })

  test('a region that was made at one of them is there at the other at once', async () => {
    for (const region of ['ci-4711', 'ci-4712', 'ci-4713']) {
      await running.client().call('CreateRegion', { Region: region })
      assert.equal(await refused(other.client(region).call('ListClusters', {})), 'done')
      await running.client().call('CreateRegion', { Region: `${region}-b` })
      assert.equal(await refused(other.client().call('DeleteRegion', { Region: `${region}-b` })), 'done')
    }
    assert.equal(await refused(other.client('ci-nobody').call('ListClusters', {})), 'InvalidCredential')
  })

  test('what a process has locked that stands still in the midst of a transaction is free again while clients still wait', async () => {
    await running.client().call('SetBalance', { Amount: 2 })
    const locked = Promise.withResolvers<void>(), goesOn = Promise.withResolvers<void>()
    const standing = store.write(Date.now(), async tx => {
      await tx.lockAccount({ accountId: '2100000001', region: 'sim-1' })
      locked.resolve()
      await goesOn.promise
      await tx.lockName('anything')
    }).then(() => 'done', (error: unknown) => (error instanceof Error ? error.name : 'failed'))
    await inTime(locked.promise, 'the account to be locked')
    const answer = await refused(running.client().call('SetBalance', { Amount: 1 }, { timeoutMs: PATIENCE_MS }))
    goesOn.resolve()
    assert.equal(answer, 'done')
    assert.notEqual(await standing, 'done', 'it writes nothing any more')
  })

  test('calls to a server that stands still are done by the one that takes over, or said to be of unknown outcome, while clients still wait; and it does none of them when it goes on', async () => {
    const client = other.client()
    await client.call('SetBalance', { Amount: 1 })
    // So that reads are passed on, too, and meet nothing.
    await client.call('InjectFault', { Port: 'api', Call: 'ListKubeconfigs', Effect: { Type: 'fail' } })
    stopped = findServer(running.state)?.pid ?? assert.fail('it serves no more')
    process.kill(stopped, 'SIGSTOP')
    const sent = <Result>(send: (client: EdgeholdClient, timeoutMs: number) => Promise<Result>) => send(client, PATIENCE_MS)
    const [withToken, without, read] = await Promise.all([
      sent((to, timeoutMs) => to.call('CreateCluster', { ...CLUSTER, Name: 'shop', ClientToken: 'once' }, { timeoutMs })),
      sent((to, timeoutMs) => refused(to.call('SetBalance', { Amount: 2 }, { timeoutMs }))),
      sent((to, timeoutMs) => to.call('ListMachines', {}, { timeoutMs })),
    ])
    assert.equal(without, 'InternalServiceTimeout')
    assert.deepEqual(read.Items, [])
    assert.match(await textOf(other), /its clock runs at speed 1$/, 'it runs the region now')
    await client.call('SetBalance', { Amount: 3 }, { timeoutMs: PATIENCE_MS })

    process.kill(stopped, 'SIGCONT')
    stopped = undefined
    await until('the server that stood still to know who runs the region', async () => (await textOf(running)).includes(`http://${other.listen} runs it`), 30_000)
    for (const server of [running, other]) {
      assert.deepEqual((await server.client().all('ListClusters')).map(({ Id }) => Id), [withToken.Id])
      assert.ok(Math.abs(((await server.client().call('GetBalance', {})).Amount ?? 0) - 3) < 0.5)
    }
    assert.equal((await running.client().call('CreateCluster', { ...CLUSTER, Name: 'shop', ClientToken: 'once' })).Id, withToken.Id)
  })

  test('while the one that runs the region is killed, reads at the other meet the faults that stand, and those that meet none are answered', async () => {
    await running.client().call('InjectFault', { Port: 'api', Call: 'ListClusters', Effect: { Type: 'fail', Code: 500 } })
    const read = (action: 'ListClusters' | 'ListMachines') => refused(running.client().call(action, {}, { timeoutMs: PATIENCE_MS }))
    assert.equal(await read('ListClusters'), 'InternalError')
    await other.kill()
    // Its threads end one after the other, and until the last one has, a connection is taken and cut.
    await until('nobody to listen there', () => fetch(`http://${other.listen}/healthz`).then(() => false, ({ cause }: Error) => (cause as NodeJS.ErrnoException).code === 'ECONNREFUSED'), 5_000, 5)
    const answers = new Set<string>()
    await until('the region to be taken over', async () => {
      answers.add(`${await read('ListClusters')} ${await read('ListMachines')}`)
      return (await textOf(running)).endsWith('its clock runs at speed 1')
    }, 20_000, 20)
    assert.deepEqual([...answers], ['InternalError done'])
  })
})
