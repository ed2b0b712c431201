/** Components that do not start, that cannot be kept up later, and a datastore that is damaged: each says why in its own words, and each has a way out. */
import assert from 'node:assert/strict'
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { until } from '#test/harness/command.ts'
import { kill9, MINUTE, Place, programPath, SECOND, type Component } from '#test/harness/place.ts'

const WORDS = 'the certificate of the moon has expired'

describe('components that are broken', () => {
  let place: Place
  let folder = ''
  let clusterId = ''

  before(async () => {
    const bare = await Place.make()
    // Programs of the operator's own come before the cache: these are the real ones, unless their flag is up.
    folder = join(bare.state, 'programs')
    for (const [name, version] of [['kube-apiserver', 'v1.35.4'], ['kube-scheduler', 'v1.35.4']] as const) {
      const real = await programPath(bare.installation, name, version)
      mkdirSync(join(folder, version), { recursive: true })
      writeFileSync(join(folder, version, name), `#!/bin/sh\nif [ -e ${folder}/${name}.broken ]; then echo 'starting up' >&2; echo 'fatal: ${WORDS}' >&2; exit 3; fi\nexec ${real} "$@"\n`)
      chmodSync(join(folder, version, name), 0o755)
    }
    Object.assign(bare.installation.environment, { EDGEHOLD_COMPONENTS_DIR: folder })
    place = bare
    await place.up()
  })
  after(() => place.remove())

  const breakIt = (component: Component) => writeFileSync(join(folder, `${component}.broken`), '')
  const mendIt = (component: Component) => rmSync(join(folder, `${component}.broken`))

  test('an API server that dies at its start and again: {Failed,[CreateError]} with its own last words, and deletion works', async () => {
    breakIt('kube-apiserver')
    const { Id } = await place.call('CreateCluster', place.clusterOrder('stillborn', 1))
    await place.reaches('the cluster', () => place.cluster(Id), 'Failed/CreateError', MINUTE, Id)
    assert.match(await place.because(Id), new RegExp(`kube-apiserver ended at its start and again at its retry: fatal: ${WORDS}`))
    const { Evidence } = await place.call('ExplainStatus', { Id })
    assert.ok(Evidence.some(each => each.Raw?.includes(WORDS)), 'the last words are evidence')
    mendIt('kube-apiserver')
    // Work on it has ended: only deletion leads out.
    await assert.rejects(place.call('CreateEdgeNodePool', { ClusterId: Id, Name: 'counters' }), { code: 'OperationDenied.ClusterStatus' })
    await place.deleteCluster(Id)
    assert.deepEqual(place.onHost().clusters, [])
    await place.assertLedgerEqualsHost()
  })

  test('an API server that cannot be kept up later: {Failed,[Unknown]} with its words after five restarts, and it heals when it can', async () => {
    clusterId = await place.createCluster('shop', 2)
    breakIt('kube-apiserver')
    const [pid] = place.componentPids(clusterId, 'kube-apiserver')
    await kill9(pid ?? 0)
    await place.reaches('the cluster', () => place.cluster(clusterId), 'Failed/Unknown', 2 * MINUTE, clusterId)
    assert.match(await place.because(clusterId), new RegExp(WORDS))
    mendIt('kube-apiserver')
    await place.reaches('the cluster', () => place.cluster(clusterId), 'Running/Ok', 2 * MINUTE, clusterId)
    await place.assertOneControlPlane(clusterId)
    const failed = (await place.history(clusterId)).filter(row => row.Status?.Phase === 'Failed')
    assert.equal(failed.length, 1, 'failed once, not flapping')
  })

  test('a scheduler that cannot be kept up: {Running,[Degraded]} after a minute that names it, and it heals', async () => {
    breakIt('kube-scheduler')
    const [pid] = place.componentPids(clusterId, 'kube-scheduler')
    await kill9(pid ?? 0)
    const startedAt = Date.now()
    await place.reaches('the cluster', () => place.cluster(clusterId), 'Running/Degraded', 2 * MINUTE, clusterId)
    assert.ok(Date.now() - startedAt > 55 * SECOND, 'not before a minute')
    assert.match(await place.because(clusterId), /the scheduler is down/)
    mendIt('kube-scheduler')
    await place.reaches('the cluster', () => place.cluster(clusterId), 'Running/Ok', MINUTE, clusterId)
    await place.assertOneControlPlane(clusterId)
  })

  test('a damaged datastore: {Failed,[Unknown]} that says so, nothing empty in its place, and deletion works', async () => {
    const wal = join(place.state, 'clusters', clusterId, 'etcd/member/wal')
    const [file] = readdirSync(wal).filter(name => name.endsWith('.wal')).toSorted().toReversed()
    assert.ok(file)
    // One letter of one record: its checksum is wrong from then on. (What looks like a torn end, the datastore would cut off by itself.)
    const at = readFileSync(join(wal, file)).indexOf('/registry/namespaces/default')
    assert.ok(at > 0)
    const handle = openSync(join(wal, file), 'r+')
    writeSync(handle, 'X', at + 1)
    closeSync(handle)
    const [pid] = place.componentPids(clusterId, 'etcd')
    await kill9(pid ?? 0)
    await place.reaches('the cluster', () => place.cluster(clusterId), 'Failed/Unknown', 2 * MINUTE, clusterId)
    const because = await place.because(clusterId)
    assert.match(because, /The datastore of cluster .* is damaged; it says: .*/)
    assert.ok(readFileSync(join(wal, file)).includes('/Xegistry/namespaces/default'), 'nothing was put in its place')
    await place.deleteCluster(clusterId)
    assert.deepEqual(place.onHost().clusters, [])
    await place.assertLedgerEqualsHost()
  })

  test('a datastore that was taken away: {Failed,[Unknown]} that says so, healed when it is put back', async () => {
    const id = await place.createCluster('vault', 3)
    await place.kubectl('vault', 'create', 'configmap', 'kept', '--from-literal=word=kept')
    const data = join(place.state, 'clusters', id, 'etcd')
    renameSync(data, `${data}.away`)
    const [pid] = place.componentPids(id, 'etcd')
    await kill9(pid ?? 0)
    await place.reaches('the cluster', () => place.cluster(id), 'Failed/Unknown', MINUTE, id)
    assert.match(await place.because(id), /The datastore of cluster .* was in .* and is gone/)
    rmSync(data, { recursive: true, force: true })
    renameSync(`${data}.away`, data)
    await place.reaches('the cluster', () => place.cluster(id), 'Running/Ok', 3 * MINUTE, id)
    await until('what was in it', async () => (await place.kubectl('vault', 'get', 'configmap', 'kept', '-o', 'jsonpath={.data.word}')) === 'kept', MINUTE)
    await place.deleteCluster(id)
  })
})
