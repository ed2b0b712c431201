/** Every program of a cluster and of a machine is killed: it comes back by itself, no status says Failed for a quick restart, and nothing runs twice. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { until } from '#test/harness/command.ts'
import { COMPONENTS, kill9, MINUTE, pair, Place, SECOND } from '#test/harness/place.ts'

describe('programs killed', () => {
  let place: Place
  let clusterId = ''
  let machineId = ''

  before(async () => {
    place = await Place.make()
    await place.up()
    clusterId = await place.createCluster('shop', 1)
    const poolId = await place.createPool(clusterId, 'counters')
    machineId = await place.join(clusterId, await place.createOnboarding(clusterId, poolId), 'till-1')
  })
  after(() => place.remove())

  /** All that was said of cluster and node since the beginning: nothing of it may be a failure. */
  async function assertSaidNoFailure(): Promise<void> {
    const rows = await place.client.all('ListStatusHistory', { Filter: { ClusterIds: [clusterId] } })
    // Add-ons say what their pods are, which is another story.
    assert.deepEqual(rows.filter(row => row.Kind !== 'Addon').filter(row => row.Status?.Phase === 'Failed' || pair(row.Status) === 'Running/Degraded').map(row => `${row.Kind} ${pair(row.Status)}: ${row.Because}`), [])
  }

  async function apiIsUsable(): Promise<void> {
    await until('the cluster to be usable', async () => (await place.kubectl('shop', 'get', '--raw', '/readyz')).trim() === 'ok', MINUTE)
    await place.reaches('the cluster', () => place.cluster(clusterId), 'Running/Ok', MINUTE, clusterId)
  }

  for (const component of COMPONENTS) {
    test(`${component} killed: it is back within seconds, once, and the cluster never said Failed`, async () => {
      const [pid] = place.componentPids(clusterId, component)
      assert.ok(pid)
      await kill9(pid)
      await until(`another ${component}`, async () => place.componentPids(clusterId, component).some(other => other !== pid), 30 * SECOND)
      await apiIsUsable()
      await place.assertOneControlPlane(clusterId)
      await assertSaidNoFailure()
    })
  }

  for (const component of COMPONENTS) {
    test(`the supervisor of ${component} killed: its component dies with it, and another of both comes`, async () => {
      const [pid] = place.componentPids(clusterId, component)
      const [supervisor] = place.supervisorPids(clusterId, component)
      assert.ok(pid && supervisor)
      await kill9(supervisor)
      await until(`another ${component}`, async () => place.componentPids(clusterId, component).some(other => other !== pid), 45 * SECOND)
      await apiIsUsable()
      await place.assertOneControlPlane(clusterId)
      await assertSaidNoFailure()
    })
  }

  test('a whole control plane killed while no server runs: the next server brings it back', async () => {
    await place.down(false)
    for (const component of COMPONENTS) for (const pid of place.supervisorPids(clusterId, component)) await kill9(pid).catch(() => undefined) // a subshell that died with it
    await until('the components to be dead', async () => COMPONENTS.every(component => place.componentPids(clusterId, component).length === 0), 10 * SECOND)
    await place.up()
    await until('the components', async () => COMPONENTS.every(component => place.componentPids(clusterId, component).length === 1), 2 * MINUTE)
    await apiIsUsable()
    await place.assertOneControlPlane(clusterId)
    await assertSaidNoFailure()
  })

  for (const program of ['kubelet', 'containerd', 'flanneld', 'kube-proxy']) {
    test(`${program} of a machine killed: it is back within seconds, and the node never said Failed`, async () => {
      const [pid] = await until(`a ${program}`, async () => {
        const found = place.machinePids(machineId, program)
        return found.length === 1 && found
      }, MINUTE)
      assert.ok(pid)
      await kill9(pid)
      await until(`another ${program}`, async () => place.machinePids(machineId, program).some(other => other !== pid), 30 * SECOND)
      await place.reaches('the node', () => place.node(clusterId, 'till-1'), 'Running/Ok', MINUTE)
      await until('a fresh heartbeat', async () => {
        const lease = JSON.parse(await place.kubectl('shop', 'get', 'lease', '-n', 'kube-node-lease', 'till-1', '-o', 'json')) as { spec: { renewTime: string } }
        return Date.now() - Date.parse(lease.spec.renewTime) < 12 * SECOND
      }, MINUTE)
      await assertSaidNoFailure()
    })
  }

  test('the registry of the region killed: it is back within seconds and serves the same images', async () => {
    const images = await place.installation.json<{ images: unknown }>(['images', 'list'])
    const [pid] = place.programPids('registry')
    assert.ok(pid)
    await kill9(pid)
    await until('another registry', async () => place.programPids('registry').some(other => other !== pid), 30 * SECOND)
    await until('the images', async () => JSON.stringify(await place.installation.json(['images', 'list'])) === JSON.stringify(images), 30 * SECOND)
  })

  test('at rest, ledger and host agree', async () => {
    await place.assertLedgerEqualsHost()
  })
})
