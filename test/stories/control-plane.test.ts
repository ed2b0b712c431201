import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { rfc3339Seconds } from '#model/time.ts'
import { ControlPlaneFailure } from '#ports/control-plane-host.ts'
import { Scene } from '../harness/world/scene.ts'

const SECOND = 1_000, MINUTE = 60 * SECOND

describe('a control plane', () => {
  test('that waits for its components says so, and its 15 minutes have not begun', async () => {
    const scene = await Scene.begin(), { world: { store } } = scene
    scene.world.components = { state: 'waiting', says: 'Kubernetes v1.35.4 is being built, about 5 min' }
    const id = await scene.users.createCluster()
    await scene.world.pass(20 * MINUTE)
    const waiting = (await store.findCluster(id))!
    assert.deepEqual([waiting.said.status.phase, waiting.said.because], ['Creating', 'Kubernetes v1.35.4 is being built, about 5 min'])
    assert.ok(waiting.revision < 5, 'waiting is not written again and again')
    scene.world.components = { state: 'ready' }
    await scene.cluster(id, 'Running Ok', 5 * SECOND)
    await scene.end()
  })

  test('whose component dies at start and again at its retry ends as CreateError with that one\'s last words, and can be deleted', async () => {
    const scene = await Scene.begin(), { world: { store, host } } = scene
    host.diesAtStart.set('kube-apiserver', 'starting\nError: listen tcp 10.213.1.1:6443: bind: address already in use')
    const id = await scene.users.createCluster()
    await scene.cluster(id, 'Failed CreateError', 10 * SECOND)
    const { said } = (await store.findCluster(id))!
    assert.match(said.because, /bind: address already in use/)
    assert.match(said.evidence[0]?.raw ?? '', /bind: address already in use/)
    const before = await store.findCluster(id)
    await scene.world.pass(2 * MINUTE)
    assert.deepEqual(await store.findCluster(id), before, 'a creation that ended gets no more work')
    await scene.users.deleteCluster(id)
    await scene.cluster(id, 'gone', 5 * SECOND)
    assert.equal(host.made.size, 0)
    await scene.end()
  })

  test('that cannot be started for a while says why and is Running when it can', async () => {
    const scene = await Scene.begin(), { world: { store, host } } = scene
    host.refuses = new ControlPlaneFailure('The disk of the state folder is full; free 2 GiB and it goes on', 'soon')
    const id = await scene.users.createCluster()
    await scene.world.pass(2 * MINUTE)
    const stuck = (await store.findCluster(id))!
    assert.deepEqual([stuck.said.status.phase, stuck.said.because], ['Creating', 'The disk of the state folder is full; free 2 GiB and it goes on'])
    host.refuses = undefined
    await scene.cluster(id, 'Running Ok', 40 * SECOND)
    await scene.end()
  })

  test('is not tried for ever', async () => {
    const scene = await Scene.begin(), { world: { store, host } } = scene
    host.refuses = new ControlPlaneFailure('The disk is full', 'soon')
    const id = await scene.users.createCluster()
    await scene.world.pass(14 * MINUTE)
    await scene.cluster(id, 'Creating Progressing', SECOND)
    await scene.cluster(id, 'Failed CreateError', 70 * SECOND)
    assert.match((await store.findCluster(id))!.said.because, /15 min .*The disk is full/)
    await scene.end()
  })

  test('whose host cannot be looked at any more is not Creating for ever: no call could end that', async () => {
    const scene = await Scene.begin(), { world: { store, host } } = scene
    const id = await scene.users.createCluster()
    await scene.world.pass(SECOND)
    host.blindness = new Error('The list of network namespaces could not be read: EIO')
    await scene.world.pass(14 * MINUTE)
    await scene.cluster(id, 'Creating Progressing', SECOND)
    await scene.cluster(id, 'Failed CreateError', 2 * MINUTE)
    assert.match((await store.findCluster(id))!.said.because, /not seen usable 15 min after its first start.*could not be looked at since .*EIO/)
    host.blindness = undefined
    await scene.users.deleteCluster(id)
    await scene.cluster(id, 'gone', 5 * SECOND)
    await scene.end()
  })

  test('that could not be looked at for a while during its creation is Running when it can', async () => {
    const scene = await Scene.begin(), { world: { store, host } } = scene
    const id = await scene.users.createCluster()
    await scene.world.pass(SECOND)
    host.blindness = new Error('The list of network namespaces could not be read: EIO')
    await scene.world.pass(5 * MINUTE)
    assert.notEqual((await store.findCluster(id))!.facts.staleSince, undefined)
    host.blindness = undefined
    await scene.cluster(id, 'Running Ok', 2 * MINUTE)
    assert.equal((await store.findCluster(id))!.facts.staleSince, undefined)
    await scene.end()
  })

  test('that no retry can start ends at once', async () => {
    const scene = await Scene.begin()
    scene.world.host.refuses = new ControlPlaneFailure('The program etcd is missing; run ./edgehold components install', 'never')
    const id = await scene.users.createCluster()
    await scene.cluster(id, 'Failed CreateError', SECOND)
    await scene.end()
  })

  test('whose component is killed comes back without a status of its own', async () => {
    const scene = await Scene.begin(), { world: { store, host } } = scene
    const id = await scene.runningCluster()
    for (const name of ['kube-scheduler', 'etcd', 'kube-apiserver', 'kube-controller-manager'] as const) {
      host.end(id, name)
      await scene.world.pass(20 * SECOND)
      await scene.cluster(id, 'Running Ok', SECOND)
    }
    const { items } = await store.listHistory({ accountId: (await store.findCluster(id))!.accountId, region: 'local-1' }, { ids: [id] }, { number: 1, size: 100 })
    assert.ok(items.every(row => row.status?.phase === 'Creating' || row.status?.phase === 'Running'))
    await scene.end()
  })

  test('says that its host cannot start it only for as long as that is so', async () => {
    const scene = await Scene.begin(), { world: { store, host } } = scene
    const id = await scene.runningCluster()
    const because = async () => (await store.findCluster(id))!.said.because
    host.refuses = new ControlPlaneFailure('The program etcd is missing', 'never')
    host.made.get(id)!.dies.set('etcd', 'panic: no space left on device')
    host.end(id, 'etcd', { code: 1, lastLines: ['panic: no space left on device'] })
    await scene.cluster(id, 'Failed Unknown', MINUTE)
    assert.match(await because(), /The program etcd is missing/)
    host.refuses = undefined
    await scene.world.pass(30 * MINUTE)
    assert.match(await because(), /The component etcd was started .*: panic: no space left on device/)
    await scene.end()
  })

  test('that cannot be kept up is Failed with its last words, and heals when it can', async () => {
    const scene = await Scene.begin(), { world: { store, host } } = scene
    const id = await scene.runningCluster()
    host.made.get(id)!.dies.set('kube-apiserver', 'Error: unable to load server certificate')
    host.end(id, 'kube-apiserver', { code: 1, lastLines: ['Error: unable to load server certificate'] })
    await scene.cluster(id, 'Failed Unknown', MINUTE)
    const { said } = (await store.findCluster(id))!
    assert.match(said.because, /kube-apiserver was started .* times in ten minutes: Error: unable to load server certificate/)
    await scene.world.pass(30 * MINUTE)
    await scene.cluster(id, 'Failed Unknown', SECOND)
    host.made.get(id)!.dies.clear()
    await scene.cluster(id, 'Running Ok', 30 * MINUTE)
    await scene.end()
  })

  test('that is gone behind our back is made again, with the same keys and address', async () => {
    const scene = await Scene.begin(), { world: { host } } = scene
    const id = await scene.runningCluster()
    const before = host.made.get(id)!.order
    host.made.delete(id)
    await scene.world.until('it is there again', async () => host.isReady(id), 40 * SECOND)
    assert.deepEqual(host.made.get(id)!.order, before)
    await scene.cluster(id, 'Running Ok', SECOND)
    await scene.end()
  })

  test('is degraded a minute after its scheduler went for good', async () => {
    const scene = await Scene.begin(), { world: { host, clock } } = scene
    const id = await scene.runningCluster()
    host.made.get(id)!.dies.set('kube-scheduler', 'Error: flag provided but not defined')
    host.end(id, 'kube-scheduler', { code: 1 })
    const since = clock.now()
    await scene.cluster(id, 'Running Degraded', 2 * MINUTE)
    assert.ok(clock.now() - since >= MINUTE)
    host.made.get(id)!.dies.clear()
    await scene.cluster(id, 'Running Ok', MINUTE)
    await scene.end()
  })

  test('that nobody can see keeps its pair and is marked stale', async () => {
    const scene = await Scene.begin(), { world: { store, tenant } } = scene
    const id = await scene.runningCluster()
    tenant.blind = true
    await scene.world.until('it is marked', async () => (await store.findCluster(id))!.facts.staleSince !== undefined, 3 * MINUTE)
    await scene.cluster(id, 'Running Ok', SECOND)
    tenant.blind = false
    await scene.world.until('the mark is gone', async () => (await store.findCluster(id))!.facts.staleSince === undefined, 2 * MINUTE)
    await scene.end()
  })
})

describe('a deletion of a cluster', () => {
  test('that cannot end names what stands in the way, only looks, and ends with a new call', async () => {
    const scene = await Scene.begin(), { world: { store, host } } = scene
    const id = await scene.runningCluster()
    host.made.get(id)!.obstacle = new Error('The folder /state/clusters/shop/etcd is busy')
    await scene.users.deleteCluster(id)
    await scene.world.pass(7 * MINUTE)
    await scene.cluster(id, 'Deleting Progressing', SECOND)
    await scene.cluster(id, 'Failed ResourceCleanupFailed', 70 * SECOND)
    await scene.world.pass(MINUTE)
    assert.match((await store.findCluster(id))!.said.because, /The folder .* is busy/)
    const ledger = await store.listLedger({ accountId: (await store.findCluster(id))!.accountId, region: 'local-1' }, {}, { number: 1, size: 10 })
    assert.deepEqual(ledger.items.map(({ kind, state }) => `${kind} ${state}`).sort(), ['Address Held', 'ControlPlane Releasing', 'Network Releasing'])
    delete host.made.get(id)!.obstacle
    await scene.users.deleteCluster(id)
    await scene.cluster(id, 'gone', 5 * SECOND)
    await scene.end()
  })

  test('whose host cannot be looked at is Failed after eight minutes, says since when, and ends with a new call once it can be', async () => {
    const scene = await Scene.begin(), { world: { store, host, clock } } = scene
    const id = await scene.runningCluster()
    await scene.users.deleteCluster(id)
    host.blindness = new Error('The list of network namespaces could not be read: EIO')
    const since = rfc3339Seconds(clock.now())
    await scene.world.pass(7 * MINUTE + 50 * SECOND)
    await scene.cluster(id, 'Deleting Progressing', SECOND)
    assert.notEqual((await store.findCluster(id))!.facts.staleSince, undefined)
    await scene.cluster(id, 'Failed ResourceCleanupFailed', 70 * SECOND)
    const { said } = (await store.findCluster(id))!
    assert.equal(said.because, `The control plane of shop (${id}) could not be looked at since ${since}: look failed: The list of network namespaces could not be read: EIO`)
    assert.match(said.evidence[0]?.fact ?? '', /could not be looked at since/)

    await scene.users.deleteCluster(id)
    await scene.cluster(id, 'Deleting Progressing', SECOND)
    host.blindness = undefined
    await scene.cluster(id, 'gone', 70 * SECOND)
    assert.equal(host.made.size, 0)
    await scene.end()
  })

  test('leaves its kubeconfigs listed, and each may be revoked for as long as its API lives', async () => {
    const scene = await Scene.begin(), { world: { store, host, tenant } } = scene
    const id = await scene.runningCluster()
    const [first, second] = [await scene.users.createKubeconfig(id), await scene.users.createKubeconfig(id)]
    const issued = () => [...tenant.inside(id).kubeconfigs].sort()
    await scene.world.until('both are made', async () => issued().length === 2)
    host.made.get(id)!.obstacle = new ControlPlaneFailure('The namespace is protected', 'never')
    await scene.users.deleteCluster(id)
    await scene.cluster(id, 'Failed ResourceCleanupFailed', 2 * SECOND)
    await scene.users.deleteKubeconfig(id, first)
    await scene.world.until('the first is gone', async () => (await store.findKubeconfig(first)) === undefined)
    assert.deepEqual(issued(), [second], 'its binding too')
    assert.notEqual((await store.findKubeconfig(second))?.text, undefined)

    delete host.made.get(id)!.obstacle
    await scene.users.deleteCluster(id)
    await scene.cluster(id, 'gone', 5 * SECOND)
    assert.equal(await store.findKubeconfig(second), undefined)
    await scene.end()
  })

  test('that was refused for good says so at once, and goes on by itself when that has cleared', async () => {
    const scene = await Scene.begin(), { world: { host } } = scene
    const id = await scene.runningCluster()
    host.made.get(id)!.obstacle = new ControlPlaneFailure('The namespace is protected', 'never')
    await scene.users.deleteCluster(id)
    await scene.cluster(id, 'Failed ResourceCleanupFailed', 2 * SECOND)
    host.made.delete(id)
    await scene.cluster(id, 'gone', MINUTE)
    await scene.end()
  })

  test('takes its pools and nodes along, and leaves tombstones', async () => {
    const scene = await Scene.begin(), { world: { store, host } } = scene
    const { cluster, pool, node } = await scene.runningNode()
    await scene.users.deleteCluster(cluster)
    await scene.cluster(cluster, 'gone', 5 * SECOND)
    assert.deepEqual([await store.findNodePool(pool), await store.findNode(node), host.made.size], [undefined, undefined, 0])
    assert.deepEqual(store.queue.watched().filter(subject => subject.endsWith(cluster)), [], 'no watch stays')
    assert.deepEqual((await store.machineSecretsOf(cluster)).map(secret => secret.state), ['removed'])
    assert.deepEqual(scene.world.errors, [])
    await scene.end()
  })

  test('works from the first moment of a creation', async () => {
    const scene = await Scene.begin(), { world: { host } } = scene
    for (const after of [0, 100, 500, 2_800]) {
      const id = await scene.users.createCluster({ name: `shop-${after}` })
      await scene.world.pass(after)
      await scene.users.deleteCluster(id)
      await scene.cluster(id, 'gone', 5 * SECOND)
      assert.equal(host.made.size, 0)
    }
    await scene.end()
  })
})
