/** The contract of the store's port, its third part: the history of statuses, for those who look and those who follow. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { ChangesAfter, FollowFilter, StatusChange, Store } from '#ports/store.ts'
import { withStore, type OpenForContract } from '#test/harness/contract-store.ts'
import { freshScopes } from '#test/harness/fresh-scopes.ts'
import { addCluster, addNode, becauseOf, NEW_NODE, NOON, READY_NODE } from '#test/harness/sample-records.ts'
import { inTime } from '#test/harness/waiting.ts'

const ALL = { number: 1, size: 100 }

const MINUTE = 60_000

/** Each a test on a scope of its own. */
export function storeHistoryContract(name: string, open: OpenForContract): void {
  describe(`store contract, history: ${name}`, () => {
    let store: Store
    withStore(open, opened => { store = opened })

    const { fresh, grow } = freshScopes(() => store, 'h')

    test('history: newest first, by time, kind and cluster, positions in one order, and what held at an instant', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      const nodeId = await store.write(NOON + MINUTE, tx => addNode(tx, mark, { clusterId, nodePoolId }, NEW_NODE, scope))
      await store.write(NOON + 2 * MINUTE, async tx => {
        await tx.lockNode(nodeId)
        await tx.changeNode(nodeId, { facts: READY_NODE }, becauseOf('watch'))
      })
      const all = await store.listHistory(scope, { clusterIds: [clusterId] }, ALL)
      const positions = all.items.map(row => row.position)
      assert.deepEqual(positions, positions.toSorted((one, other) => other - one))
      assert.equal(new Set(positions).size, all.totalCount)
      assert.deepEqual(all.items.filter(row => row.resource.kind === 'Node').map(row => row.status?.phase), ['Running', 'Creating'])
      assert.deepEqual(all.items.find(row => row.resource.kind === 'Node')?.resource, { kind: 'Node', id: nodeId, name: mark, clusterId })
      assert.equal(all.items.find(row => row.resource.kind === 'Cluster')?.resource.clusterId, undefined)
      assert.equal((await store.listHistory(scope, { kinds: ['Node'], from: NOON + 2 * MINUTE }, ALL)).totalCount, 1)
      assert.equal((await store.listHistory(scope, { ids: [nodeId], to: NOON + MINUTE }, ALL)).totalCount, 1)
      const then = await store.listHistory(scope, { clusterIds: [clusterId], at: NOON + MINUTE }, ALL)
      assert.deepEqual(Object.fromEntries(then.items.map(row => [row.resource.kind, row.status?.phase])), { Cluster: 'Updating', NodePool: 'Scaling', Node: 'Creating' })
      assert.equal((await store.listHistory(scope, { ids: [nodeId], at: NOON }, ALL)).totalCount, 0)
    })

    test('history for a follower: oldest first and on from where it was, by cluster and kind', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      const { newest: begun } = await store.historyStand(scope)
      const nodeIds: string[] = []
      for (const number of [1, 2, 3]) nodeIds.push(await store.write(NOON + number, tx => addNode(tx, `${mark}-${number}`, { clusterId, nodePoolId }, NEW_NODE, scope)))
      const other = await store.write(NOON, tx => addCluster(tx, `${mark}-other`, scope))
      await store.historyStand(scope) // numbered by now
      const follow = async (filter: FollowFilter, from: number, most = 100) => {
        const found: StatusChange[] = []
        for (let after = from;;) {
          const { changes, upTo } = await store.changesAfter(scope, filter, after, most)
          assert.ok(upTo >= after && changes.every(({ position }) => position > after && position <= upTo))
          found.push(...changes)
          if (changes.length < most) return found
          after = upTo
        }
      }
      const all = (await store.listHistory(scope, {}, ALL)).items.toReversed()
      for (const most of [1, 2, 100]) assert.deepEqual(await follow({}, 0, most), all)
      assert.deepEqual(await follow({}, begun), all.filter(({ position }) => position > begun))
      assert.deepEqual((await follow({ kinds: ['Node'] }, 0)).map(({ resource }) => resource.id), nodeIds)
      assert.deepEqual((await follow({ clusterIds: [other] }, 0)).map(({ resource }) => resource.id), [other])
      const { newest } = await store.historyStand(scope)
      assert.equal((await store.changesAfter(scope, { clusterIds: ['none'] }, begun, 100)).upTo, newest, 'what is not for it is behind it, too')
      assert.deepEqual((await store.changesAfter({ ...scope, accountId: 'another' }, {}, 0, 100)).changes, [])
    })

    test('history for a follower: a region that is made again under its name is another one, and its history begins there', async () => {
      const { mark } = fresh(), scope = { accountId: mark, region: mark }
      const make = () => store.write(NOON, tx => tx.putRegion({ region: mark, kind: 'Simulated', ready: true, text: '', settings: {} }))
      await make()
      const first = await store.historyStand(scope)
      assert.equal(first.begins, 0)
      await store.write(NOON, tx => addCluster(tx, `${mark}-old`, scope))
      await store.historyStand(scope) // numbered by now
      const old = await store.changesAfter(scope, {}, 0, 100)
      assert.deepEqual([old.changes.length, old.region], [1, first.region])
      assert.notEqual(first.region, undefined)
      await store.write(NOON, tx => tx.forgetRegion(mark))
      assert.deepEqual([(await store.historyStand(scope)).region, (await store.changesAfter(scope, {}, 0, 100)).region], [undefined, undefined])
      await make()
      const again = await store.historyStand(scope)
      assert.ok(again.region !== undefined && again.region !== first.region)
      assert.ok(again.begins >= old.upTo && again.begins <= again.newest)
      assert.deepEqual((await store.changesAfter(scope, {}, 0, 100)).changes, [])
      const clusterId = await store.write(NOON, tx => addCluster(tx, `${mark}-new`, scope))
      await store.historyStand(scope)
      assert.deepEqual((await store.changesAfter(scope, {}, 0, 100)).changes.map(({ resource }) => resource.id), [clusterId])
    })

    test('a follower hears of what is written, and of a region that is removed', async () => {
      const { mark } = fresh(), scope = { accountId: mark, region: mark }
      await store.write(NOON, tx => tx.putRegion({ region: mark, kind: 'Simulated', ready: true, text: '', settings: {} }))
      const { newest, region } = await store.historyStand(scope), ended = new AbortController()
      let bell = Promise.withResolvers<void>()
      const listening = store.listenToHistory(() => {
        bell.resolve()
        bell = Promise.withResolvers()
      }, ended.signal)
      const heard = async (what: string, holds: (found: ChangesAfter) => boolean) => {
        for (let rung = bell.promise; !holds(await store.changesAfter(scope, {}, newest, 100)); rung = bell.promise) await inTime(rung, `a follower to hear of ${what}`)
      }
      try {
        await Promise.all([heard('what is written', ({ changes }) => changes.length === 1), store.write(NOON, tx => addCluster(tx, mark, scope))])
        await Promise.all([heard('a region that is removed', found => found.region !== region), store.write(NOON, tx => tx.forgetRegion(mark))])
      } finally {
        ended.abort()
        await inTime(listening, 'the listening to end')
      }
    })
  })
}
