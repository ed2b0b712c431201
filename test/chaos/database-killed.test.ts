/** PostgreSQL is killed under load and while a cluster is made: the server lives, calls are told to come again, and nothing that was acknowledged is lost. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kill9, MINUTE, Place, SECOND } from '#test/harness/place.ts'
import { passes, seededMoments } from '#test/harness/seed.ts'
import { until } from '#test/harness/command.ts'

describe('the database killed', () => {
  let place: Place
  let moment: ReturnType<typeof seededMoments>
  let server = 0

  before(async () => {
    place = await Place.make()
    moment = seededMoments(text => process.stdout.write(`${text}\n`))
    await place.up()
    server = place.serverPid()
  })
  after(() => place.remove())

  async function killDatabase(): Promise<void> {
    const pid = place.postmasterPid()
    await kill9(pid)
    await until('another postmaster', async () => place.postmasterPid() !== pid, 20 * SECOND)
  }

  test('while a cluster is made: the same cluster gets Running, with one control plane, and the server is the same process', async () => {
    const { Id } = await place.callThrough('CreateCluster', place.clusterOrder('shop', 1))
    for (let round = 0; round < 3; round++) {
      await passes(moment(0, 3 * SECOND))
      await killDatabase()
    }
    await place.reaches('the cluster', () => place.cluster(Id), 'Running/Ok', 2 * MINUTE, Id)
    assert.equal(place.serverPid(), server)
    assert.equal((await place.call('ListClusters', {})).TotalCount, 1)
    await place.assertOneControlPlane(Id)
    await place.assertNeverFailed(Id)
    await place.assertLedgerEqualsHost()
  })

  test('under a load of writes: each is acknowledged and kept, or refused with 503 and may come again', async () => {
    const [cluster] = (await place.call('ListClusters', {})).Items
    assert.ok(cluster)
    const poolId = await place.createPool(cluster.Id, 'counters')
    const acknowledged = new Set<string>()
    const refusals = new Map<string, number>()
    const answeredAt: number[] = []
    let going = true
    const write = async (name: string) => {
      for (let count = 0; going; count++) {
        try {
          const { Ids } = await place.client.call('CreateBatchEdgeMachine', { ClusterId: cluster.Id, NodePoolId: poolId, Name: `${name}-${count}`, TTLHours: 1 })
          for (const id of Ids) acknowledged.add(id)
          answeredAt.push(performance.now())
        } catch (error) {
          const { status, code, kind } = error as { status?: number; code?: string; kind?: string }
          const word = `${kind} ${status} ${code}`
          refusals.set(word, (refusals.get(word) ?? 0) + 1)
        }
      }
    }
    const writers = ['a', 'b', 'c', 'd'].map(write)
    const outages: number[] = []
    for (let round = 0; round < 3; round++) {
      await passes(moment(200, 2 * SECOND))
      const killedAt = performance.now()
      await killDatabase()
      await until('a write after the outage', async () => answeredAt.some(at => at > killedAt + 50), 30 * SECOND, 20)
      outages.push(Math.round((answeredAt.find(at => at > killedAt + 50) ?? 0) - killedAt))
    }
    going = false
    await Promise.all(writers)
    process.stdout.write(`${acknowledged.size} writes acknowledged; outages of ${outages.join(', ')} ms; refusals: ${JSON.stringify([...refusals])}\n`)
    assert.equal(place.serverPid(), server, 'the server lives')
    const kept = new Set((await place.client.all('ListBatchEdgeMachine', { Filter: { NodePoolIds: [poolId] } })).map(each => each.Id))
    assert.deepEqual([...acknowledged].filter(id => !kept.has(id)), [], 'no acknowledged write is lost')
    assert.ok([...refusals.keys()].every(word => word.startsWith('ApiError 503 ')), `refused only with 503: ${[...refusals.keys()].join(', ')}`)
    assert.ok(outages.every(ms => ms < 10 * SECOND), `back within seconds: ${outages.join(', ')} ms`)
  })

  test('health is told as it is: alive all the time, ready only when the database answers', async () => {
    const pid = place.postmasterPid()
    process.kill(pid, 'SIGKILL')
    const at = (path: string) => fetch(`http://${place.installation.listen}${path}`)
    const answers = await Promise.all(Array.from({ length: 5 }, () => at('/readyz')))
    assert.equal((await at('/healthz')).status, 200)
    for (const answer of answers) assert.equal(((await answer.json()) as { ready: boolean }).ready, answer.status === 200)
    await until('the server to be ready', async () => (await at('/readyz')).ok, 20 * SECOND)
    assert.notEqual(place.postmasterPid(), pid)
    await place.call('ListClusters', {})
  })
})
