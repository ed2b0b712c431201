/** Two installations on one host: each its own names, range and processes; what happens to one leaves the other whole. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { leftOnHost } from '#test/harness/left-on-host.ts'
import { MINUTE, Place } from '#test/harness/place.ts'

describe('two installations side by side', () => {
  let one: Place
  let other: Place
  let oneCluster = ''
  let otherCluster = ''

  before(async () => {
    one = await Place.make()
    other = await Place.make()
    await Promise.all([one.up(), other.up()])
  })
  after(async () => {
    await one.remove()
    await other.remove()
  })

  test('both make the same orders, and no name, range or address is shared', async () => {
    // The same name and the same ranges in both: they know nothing of each other.
    ;[oneCluster, otherCluster] = await Promise.all([one.createCluster('shop', 1), other.createCluster('shop', 1)])
    const network = (place: Place) => JSON.parse(readFileSync(join(place.state, 'network.json'), 'utf8')) as { bridge: string; cidr: string }
    assert.notEqual(network(one).bridge, network(other).bridge)
    assert.notEqual(network(one).cidr, network(other).cidr)
    await Promise.all([one.addMachine('till-1'), other.addMachine('till-1')])
    for (const [place, id] of [[one, oneCluster], [other, otherCluster]] as const) {
      await place.assertOneControlPlane(id)
      await place.assertLedgerEqualsHost()
      assert.deepEqual(place.onHost().clusters, [id])
    }
  })

  test('down --all of one leaves nothing of it, and every process of the other', async () => {
    const before_ = other.allPids().filter(pid => pid !== 0)
    const rows = (await other.history(otherCluster)).length
    await one.down(true)
    assert.deepEqual(await leftOnHost(one.state), [])
    const components = before_.filter(pid => other.allPids().includes(pid))
    assert.ok(components.length >= before_.length * 0.8, 'short-lived helpers aside, the other runs on')
    await other.assertOneControlPlane(otherCluster)
    assert.match(await other.kubectl('shop', 'get', 'namespaces'), /kube-system/)
    assert.equal(await other.cluster(otherCluster), 'Running/Ok')
    assert.equal((await other.history(otherCluster)).length, rows, 'and it noticed nothing')
    await other.assertLedgerEqualsHost()
  })

  test('up of the first brings its own back, beside the other', async () => {
    await one.up()
    await one.reaches('its cluster', async () => (one.componentPids(oneCluster, 'kube-scheduler').length === 1 ? one.cluster(oneCluster) : 'not started'), 'Running/Ok', 2 * MINUTE, oneCluster)
    await one.assertOneControlPlane(oneCluster)
    await other.assertOneControlPlane(otherCluster)
  })
})
