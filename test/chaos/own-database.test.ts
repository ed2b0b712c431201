/** A database of the user's own, first for one installation, then for two on the same host: each builds its own clusters, and either answers for both. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EdgeholdClient } from '#client/client.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { distributionPostgres, startOwnPostgres, type OwnPostgres } from '#test/harness/own-postgres.ts'
import { until } from '#test/harness/command.ts'
import { leftOnHost } from '#test/harness/left-on-host.ts'
import { kill9, MINUTE, pair, Place, SECOND } from '#test/harness/place.ts'

const binaries = distributionPostgres()

describe("a database of the user's own", { skip: binaries === undefined && "the distribution's PostgreSQL is not installed (Debian: apt-get install postgresql)" }, () => {
  let database: OwnPostgres
  let one: Place
  let other: Place
  let oneCluster = ''
  let otherCluster = ''

  before(async () => {
    database = await startOwnPostgres(binaries ?? '')
    const masterKey = Buffer.alloc(32, 7).toString('base64') // both read the same secrets
    one = await Place.make({ DATABASE_URL: database.url, EDGEHOLD_MASTER_KEY: masterKey })
    other = await Place.make({ DATABASE_URL: database.url, EDGEHOLD_MASTER_KEY: masterKey })
  })
  after(async () => {
    await one.remove()
    await other.remove()
    await database.stop()
  })

  /** As the first server's account, in any region, at any server. */
  function clientOf(place: Place, region: string): EdgeholdClient {
    const saved = JSON.parse(readFileSync(join(one.state, 'credentials.json'), 'utf8')) as { AccessKeyId: string; SecretAccessKey: string }
    return new EdgeholdClient({ endpoint: `http://${place.installation.listen}`, accessKeyId: saved.AccessKeyId, secretAccessKey: saved.SecretAccessKey, region })
  }

  test('a cluster is made, gets Running and is deleted, and no database of ours was started', async () => {
    await one.up()
    const id = await one.createCluster('first', 1)
    await one.assertOneControlPlane(id)
    await one.assertLedgerEqualsHost()
    await one.deleteCluster(id)
    assert.deepEqual(one.onHost().clusters, [])
    assert.ok(one.allPids().every(pid => !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/postgres\0')))
  })

  test('a second server with a state folder of its own gets a region of its own', async () => {
    await other.up()
    for (const place of [one, other]) {
      await until('both regions to be known at both servers', async () => {
        const regions = (await clientOf(place, 'local-1').call('ListRegions', {})).Items.filter(region => region.Kind === 'Local' && region.Ready).map(region => region.Region)
        return regions.toSorted().join() === 'local-1,local-2'
      }, 30 * SECOND)
    }
  })

  test('each cluster is built once, on the host of its region, whichever server took the order', async () => {
    // Each order goes to the server that does not build it.
    oneCluster = (await clientOf(other, 'local-1').call('CreateCluster', one.clusterOrder('one', 2))).Id
    otherCluster = (await clientOf(one, 'local-2').call('CreateCluster', other.clusterOrder('other', 3))).Id
    const running = async (client: EdgeholdClient, id: string) => pair((await client.call('ListClusters', { Filter: { Ids: [id] } })).Items[0]?.Status)
    await one.reaches('the first cluster', () => running(clientOf(one, 'local-1'), oneCluster), 'Running/Ok', 3 * MINUTE)
    await other.reaches('the second cluster', () => running(clientOf(other, 'local-2'), otherCluster), 'Running/Ok', 3 * MINUTE)
    await one.assertOneControlPlane(oneCluster)
    await other.assertOneControlPlane(otherCluster)
    assert.deepEqual([one.onHost().clusters, other.onHost().clusters], [[oneCluster], [otherCluster]])
  })

  test('with one server killed, the other answers for both', async () => {
    await kill9(other.serverPid())
    for (const [region, id] of [['local-1', oneCluster], ['local-2', otherCluster]] as const) {
      const [cluster] = (await clientOf(one, region).call('ListClusters', { Filter: { Ids: [id] } })).Items
      assert.equal(pair(cluster?.Status), 'Running/Ok', `${region} through the server that is left`)
    }
    // And it builds nothing of the other's host.
    await new Promise(resolve => setTimeout(resolve, 5 * SECOND))
    assert.deepEqual(one.onHost().clusters, [oneCluster])
    await other.assertOneControlPlane(otherCluster)
    // Orders for the dead server's region are kept until it lives again.
    await clientOf(one, 'local-2').call('DeleteCluster', { Id: otherCluster, CascadingDeleteResources: ['All'] })
    await other.up()
    await other.reaches('the cluster deleted meanwhile', async () => pair((await clientOf(one, 'local-2').call('ListClusters', { Filter: { Ids: [otherCluster] } })).Items[0]?.Status), 'absent', MINUTE)
    assert.deepEqual(other.onHost().clusters, [])
  })

  test('down --all of one leaves the other and the database', async () => {
    await other.down(true)
    assert.deepEqual(await leftOnHost(other.state), [])
    await one.assertOneControlPlane(oneCluster)
    assert.equal(await one.cluster(oneCluster), 'Running/Ok')
  })
})
