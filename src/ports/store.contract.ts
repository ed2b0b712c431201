/** The contract of the store's port: records, transactions, lists and what callers are kept apart by. What machines and money promise stands in `store-things.contract.ts`, what add-ons and history do in `store-addons.contract.ts` and `store-history.contract.ts`; every implementation runs all four. Over three hundred lines, as its tests share one store. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { NameTaken, StaleRevision, type Scope, type Store, type Transaction } from '#ports/store.ts'
import { withStore, type OpenForContract } from '#test/harness/contract-store.ts'
import { addCluster, addNode, addNodePool, becauseOf, clusterSpec, kubeconfig, NEW_CLUSTER, NEW_NODE, NOON, onboarding, READY_NODE } from '#test/harness/sample-records.ts'

const ALL = { number: 1, size: 100 }

const MINUTE = 60_000

/** The promises of the store's port, each a test on a scope of its own, so that one store serves them all. */
export function storeContract(name: string, open: OpenForContract): void {
  describe(`store contract: ${name}`, () => {
    let store: Store
    withStore(open, opened => { store = opened })

    let scopes = 0
    /** A scope and a mark for ids that no other test uses. */
    const fresh = () => {
      scopes += 1
      return { scope: { accountId: `account-${scopes}`, region: 'sim-1' } satisfies Scope, mark: `t${scopes}` }
    }
    const grow = async () => {
      const { scope, mark } = fresh()
      const ids = await store.write(NOON, async tx => {
        const clusterId = await addCluster(tx, `${mark}-shop`, scope)
        return { clusterId, nodePoolId: await addNodePool(tx, `${mark}-counters`, clusterId, scope) }
      })
      return { scope, mark, ...ids }
    }

    test('a new record reads back as it was given, with the status that the rules give it', async () => {
      const { scope, mark } = fresh()
      const inserted = await store.write(NOON, tx => tx.insertCluster({ id: mark, ...scope, createClientToken: 'token', spec: clusterSpec({ name: mark }), facts: NEW_CLUSTER }, becauseOf('CreateCluster')))
      const found = await store.findCluster(mark)
      assert.deepEqual(found, inserted)
      assert.deepEqual(found?.said.status, { phase: 'Creating', conditions: ['Progressing'] })
      assert.deepEqual([found?.revision, found?.createdAt, found?.updatedAt, found?.createClientToken, found?.counts.total], [1, NOON, NOON, 'token', 0])
      const history = await store.listHistory(scope, { ids: [mark] }, ALL)
      assert.equal(history.totalCount, 1)
      const [row] = history.items
      assert.deepEqual([row?.status, row?.operation, row?.evidence, row?.at], [found?.said.status, 'CreateCluster', becauseOf('CreateCluster').evidence, NOON])
    })

    test('a write that throws leaves nothing', async () => {
      const { scope, mark } = fresh()
      await assert.rejects(store.write(NOON, async tx => {
        await addCluster(tx, mark, scope)
        await tx.putSecret(`${mark}/x`, 'y')
        throw new Error('on purpose')
      }), /on purpose/)
      assert.equal(await store.findCluster(`c-${mark}`), undefined)
      assert.equal(await store.readSecret(`${mark}/x`), undefined)
      assert.equal((await store.listHistory(scope, {}, ALL)).totalCount, 0)
    })

    test('a write that carries an older revision is refused and changes nothing', async () => {
      const { clusterId } = await grow()
      const read = await store.findCluster(clusterId)
      assert.ok(read)
      const write = (revision: number, description: string) => store.write(NOON, async tx => {
        await tx.lockCluster(clusterId)
        await tx.changeCluster(clusterId, { revision, spec: { ...read.spec, description } }, becauseOf('UpdateClusterConfig'))
      })
      await write(read.revision, 'first')
      await assert.rejects(write(read.revision, 'second'), (error: unknown) => error instanceof StaleRevision && error.kind === 'StaleRevision')
      const after = await store.findCluster(clusterId)
      assert.deepEqual([after?.spec.description, after?.revision], ['first', read.revision + 1])
    })

    test('a record that is gone refuses a write that carries a revision', async () => {
      const { mark } = fresh()
      await assert.rejects(store.write(NOON, async tx => {
        await tx.lockCluster(mark)
        await tx.changeCluster(mark, { revision: 1, facts: NEW_CLUSTER }, becauseOf('look'))
      }), StaleRevision)
    })

    test('a change that changes nothing moves no revision, and yet the rules look again at its time', async () => {
      const { scope, mark } = fresh()
      const starting = { ...NEW_CLUSTER, controlPlane: 'starting', attemptStartedAt: NOON } as const
      await store.write(NOON, tx => tx.insertCluster({ id: mark, ...scope, spec: clusterSpec({ name: mark }), facts: starting }, becauseOf('CreateCluster')))
      const touch = (now: number) => store.write(now, async tx => {
        await tx.lockCluster(mark)
        await tx.changeCluster(mark, { facts: { ...starting } }, { evidence: [] })
      })
      await touch(NOON + MINUTE)
      const early = await store.findCluster(mark)
      assert.deepEqual([early?.revision, early?.updatedAt, early?.said.status.phase], [1, NOON, 'Creating'])
      await touch(NOON + 16 * MINUTE)
      const late = await store.findCluster(mark)
      assert.deepEqual([late?.revision, late?.said.status], [1, { phase: 'Failed', conditions: ['CreateError'] }])
    })

    test('where instants are asked for, that is under the lock; what is written is of the one, and deadlines are judged by the other', async () => {
      const { scope, mark } = fresh()
      const late = NOON + 15 * MINUTE
      const begun = { ...NEW_CLUSTER, controlPlane: 'starting' as const, attemptStartedAt: NOON }
      await store.write(NOON, tx => tx.insertCluster({ id: mark, ...scope, spec: clusterSpec({ name: mark }), facts: begun }, becauseOf('CreateCluster')))
      const touch = async (heardUntil: number) => {
        let instants = { now: NOON, heardUntil: NOON }
        await store.write(NOON, async tx => {
          instants = { now: late + 500, heardUntil }
          await tx.lockCluster(mark)
          await tx.changeCluster(mark, { facts: { ...begun, controlPlaneSays: `heard until ${heardUntil}` } }, becauseOf('look'))
        }, () => instants)
        const found = await store.findCluster(mark)
        return [found?.said.status.phase, found?.updatedAt]
      }
      assert.deepEqual(await touch(late - 1), ['Creating', late + 500])
      assert.deepEqual(await touch(late), ['Failed', late + 500])
    })

    test('a node moves its pool and its cluster in the same transaction, with counters, causes and evidence', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      const nodeId = await store.write(NOON + 1, tx => addNode(tx, mark, { clusterId, nodePoolId }, NEW_NODE, scope))
      const [cluster, pool] = [await store.findCluster(clusterId), await store.findNodePool(nodePoolId)]
      assert.deepEqual([cluster?.said.status.phase, pool?.said.status.phase], ['Updating', 'Scaling'])
      assert.deepEqual([cluster?.counts.creating, cluster?.counts.total, pool?.counts.creating], [1, 1, 1])
      assert.equal(pool?.said.causedBy?.id, nodeId)
      assert.equal(cluster?.said.causedBy?.id, nodePoolId)
      assert.deepEqual([cluster?.revision, pool?.revision], [1, 1], 'derived status moves no revision')

      await store.write(NOON + 2, async tx => {
        await tx.lockNode(nodeId)
        await tx.changeNode(nodeId, { facts: READY_NODE }, becauseOf('watch'))
      })
      const [then, thenPool] = [await store.findCluster(clusterId), await store.findNodePool(nodePoolId)]
      assert.deepEqual([then?.said.status, thenPool?.said.status], [{ phase: 'Running', conditions: ['Ok'] }, { phase: 'Running', conditions: ['Ok'] }])
      assert.deepEqual([then?.counts.running, then?.counts.creating, then?.counts.total], [1, 0, 1])
    })

    test('what is forgotten leaves a last row that says so, and its parents are settled', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      const nodeId = await store.write(NOON, tx => addNode(tx, mark, { clusterId, nodePoolId }, READY_NODE, scope))
      await store.write(NOON + 5, async tx => {
        await tx.lockNode(nodeId)
        await tx.forget({ kind: 'Node', id: nodeId }, { ...becauseOf('DeleteEdgeNodes'), text: 'Its Node object is gone' })
        assert.equal(await tx.lockNode(nodeId), undefined)
      })
      assert.equal(await store.findNode(nodeId), undefined)
      assert.equal((await store.findCluster(clusterId))?.counts.total, 0)
      const last = await store.latestChange(scope.accountId, nodeId)
      assert.deepEqual([last?.status, last?.because, last?.operation], [undefined, 'Its Node object is gone', 'DeleteEdgeNodes'])
      assert.equal(await store.latestChange('somebody-else', nodeId), undefined)
    })

    test('a whole cluster goes in one transaction, and its scripts and kubeconfigs end with it', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      const nodeId = await store.write(NOON, async tx => {
        await tx.insertOnboarding(onboarding({ id: `o-${mark}`, ...scope, clusterId, nodePoolId, tokenHash: mark }), 'token')
        await tx.insertKubeconfig(kubeconfig({ id: `k-${mark}`, ...scope, clusterId }))
        return addNode(tx, mark, { clusterId, nodePoolId }, READY_NODE, scope)
      })
      await store.write(NOON + 9, async tx => {
        await tx.lockCluster(clusterId)
        await tx.nodesOf({ clusterId })
        await tx.nodePoolsOf(clusterId)
        const because = { ...becauseOf('DeleteCluster'), text: 'All of it is gone' }
        await tx.forget({ kind: 'Node', id: nodeId }, because)
        await tx.forget({ kind: 'NodePool', id: nodePoolId }, because)
        await tx.forget({ kind: 'Cluster', id: clusterId }, because)
      })
      assert.deepEqual([await store.findCluster(clusterId), await store.findNodePool(nodePoolId), await store.findNode(nodeId)], [undefined, undefined, undefined])
      assert.equal((await store.findOnboardingByTokenHash(mark))?.deletedAt, NOON + 9)
      assert.equal(await store.findKubeconfig(`k-${mark}`), undefined)
      assert.equal((await store.listHistory(scope, { clusterIds: [clusterId], at: NOON + 10 }, ALL)).totalCount, 0)
    })

    test('names are unique where they must be, and free again afterwards', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      const taken = (error: unknown) => error instanceof NameTaken && error.kind === 'NameTaken'
      const clusterAgain = (id: string, where: Scope) => store.write(NOON, tx => tx.insertCluster({ id, ...where, spec: clusterSpec({ name: `${mark}-shop` }), facts: NEW_CLUSTER }, becauseOf('CreateCluster')))
      await assert.rejects(clusterAgain(`${mark}-2`, scope), taken)
      await clusterAgain(`${mark}-3`, { ...scope, region: 'sim-2' })
      await assert.rejects(store.write(NOON, tx => addNodePool(tx, `${mark}-counters`, clusterId, scope)), taken)
      await store.write(NOON, tx => addNode(tx, mark, { clusterId, nodePoolId }, READY_NODE, scope))
      const sameName = () => store.write(NOON, tx => addNode(tx, `${mark}-other`, { clusterId, nodePoolId }, READY_NODE, scope, { name: mark }))
      await assert.rejects(sameName(), taken)
      await store.write(NOON, async tx => {
        await tx.lockNode(`n-${mark}`)
        await tx.forget({ kind: 'Node', id: `n-${mark}` }, { ...becauseOf('x'), text: 'gone' })
      })
      await sameName()
      const raced = await Promise.allSettled(['a', 'b', 'c'].map(letter => store.write(NOON, async tx => tx.insertCluster({ id: `${mark}${letter}`, ...scope, spec: clusterSpec({ name: `${mark}-raced` }), facts: NEW_CLUSTER }, becauseOf('CreateCluster')))))
      assert.deepEqual(raced.map(one => one.status).sort(), ['fulfilled', 'rejected', 'rejected'])
      assert.ok(raced.every(one => one.status === 'fulfilled' || taken(one.reason)))
    })

    test('a transaction sees what it did', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      await store.write(NOON, async tx => {
        await tx.lockCluster(clusterId)
        const nodeId = await addNode(tx, mark, { clusterId, nodePoolId }, NEW_NODE, scope)
        assert.deepEqual((await tx.nodesOf({ nodePoolId })).map(node => node.id), [nodeId])
        await tx.changeNode(nodeId, { facts: READY_NODE }, becauseOf('watch'))
        assert.equal((await tx.lockNode(nodeId))?.facts.firstReadyAt, READY_NODE.firstReadyAt)
        await addNodePool(tx, `${mark}-second`, clusterId, scope)
        assert.equal((await tx.nodePoolsOf(clusterId)).length, 2)
        assert.deepEqual((await tx.clustersOf(scope)).map(cluster => cluster.id), [clusterId])
      })
    })

    test('a cluster is found by its name, also by the transaction that gave it', async () => {
      const { scope, mark, clusterId } = await grow()
      await store.write(NOON, async tx => {
        assert.equal((await tx.clusterNamed(scope, `${mark}-shop`))?.id, clusterId)
        assert.equal(await tx.clusterNamed({ ...scope, region: 'sim-2' }, `${mark}-shop`), undefined)
        assert.equal(await tx.clusterNamed(scope, `${mark}-new`), undefined)
        await addCluster(tx, `${mark}-new`, scope)
        assert.equal((await tx.clusterNamed(scope, `${mark}-new`))?.id, `c-${mark}-new`)
        const cluster = await tx.lockCluster(clusterId)
        assert.ok(cluster)
        await tx.changeCluster(clusterId, { spec: { ...cluster.spec, name: `${mark}-renamed` } }, becauseOf('UpdateClusterConfig'))
        assert.equal(await tx.clusterNamed(scope, `${mark}-shop`), undefined)
        await assert.rejects(addCluster(tx, `${mark}-new`, scope), NameTaken)
      })
      assert.deepEqual((await store.listClusters(scope, {}, ALL)).items.map(cluster => cluster.spec.name).sort(), [`${mark}-new`, `${mark}-renamed`])
    })

    test('of ranges that overlap one cluster has one, each VPC for itself, until it is forgotten', async () => {
      const { scope, mark } = fresh()
      const claim = (name: string, cidrs: readonly string[], where = scope) => store.write(NOON, async tx => {
        const others = await tx.claimRanges(where, `c-${mark}-${name}`, cidrs)
        if (others.length === 0) await addCluster(tx, `${mark}-${name}`, where)
        return others.map(other => other.id)
      })
      assert.deepEqual(await claim('one', ['172.20.0.0/16', '172.30.0.0/24']), [])
      assert.deepEqual(await claim('two', ['172.21.0.0/16', '172.30.1.0/24']), [])
      assert.deepEqual(await claim('three', ['172.20.128.0/17', '10.0.0.0/8']), [`c-${mark}-one`])
      assert.deepEqual(await claim('four', ['172.16.0.0/12']), [`c-${mark}-one`, `c-${mark}-two`])
      assert.deepEqual(await claim('five', ['172.20.0.0/16'], { ...scope, region: 'sim-2' }), [], 'another VPC')
      assert.deepEqual(await claim('six', ['10.0.0.0/8']), [], 'what a refused claim would have had is free')
      await store.write(NOON + MINUTE, async tx => {
        await tx.lockCluster(`c-${mark}-one`)
        await tx.forget({ kind: 'Cluster', id: `c-${mark}-one` }, { ...becauseOf('DeleteCluster'), text: 'Gone.' })
      })
      assert.deepEqual(await claim('seven', ['172.20.0.0/16']), [])
      const raced = await Promise.all(['a', 'b', 'c', 'd'].map((letter, index) => claim(letter, index % 2 ? ['192.168.0.0/20', '192.168.16.0/20'] : ['192.168.16.0/20', '192.168.0.0/20'])))
      assert.deepEqual([raced.filter(others => others.length === 0).length, new Set(raced.flat()).size], [1, 1])
    })

    test('what two creations must not both have is not claimed by both in one transaction', async () => {
      const { scope, mark } = fresh()
      const make = async (tx: Transaction, name: string, cidr: string): Promise<void> => {
        assert.deepEqual(await tx.claimRanges(scope, `c-${mark}-${name}`, [cidr]), [])
        assert.equal(await tx.clusterNamed(scope, `${mark}-${name}`), undefined)
        await addCluster(tx, `${mark}-${name}`, scope)
      }
      await assert.rejects(store.write(NOON, tx => Promise.all([make(tx, 'a', '172.20.0.0/16'), make(tx, 'b', '172.20.128.0/24')])))
      await assert.rejects(store.write(NOON, tx => Promise.all([tx.claimClientToken(scope, 'CreateCluster', 'token', 'hash'), tx.claimClientToken(scope, 'CreateCluster', 'token', 'hash')])))
      assert.deepEqual((await store.listClusters(scope, {}, ALL)).items, [])
      await store.write(NOON, async tx => {
        await Promise.all(['a', 'b', 'c'].map(async (name, number) => {
          assert.equal((await tx.claimClientToken(scope, 'CreateCluster', name, 'hash')).kind, 'fresh')
          await make(tx, name, `172.20.${number}.0/24`)
          await tx.bindClientToken(scope, 'CreateCluster', name, `c-${mark}-${name}`, { Id: name })
        }))
      })
      assert.equal((await store.listClusters(scope, {}, ALL)).items.length, 3)
      for (const name of ['a', 'b', 'c']) assert.deepEqual(await store.write(NOON, tx => tx.claimClientToken(scope, 'CreateCluster', name, 'hash')), { kind: 'repeat', result: { Id: name } })
    })

    test('a node that is new and deleted at once has its own rows of history', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      const nodeId = await store.write(NOON, tx => addNode(tx, mark, { clusterId, nodePoolId }, READY_NODE, scope))
      await store.write(NOON + MINUTE, async tx => {
        await tx.lockNode(nodeId)
        await tx.changeNode(nodeId, { facts: { ...READY_NODE, deletion: { requestedAt: NOON + MINUTE, by: 'call', done: [] } } }, becauseOf('DeleteEdgeNodes'))
      })
      const { items } = await store.listHistory(scope, { ids: [nodeId] }, ALL)
      assert.deepEqual(items.map(row => row.status?.phase), ['Deleting', 'Running'])
    })

    test('lists: filters, pages in order of creation, an exact count beyond the last page, nobody else\'s', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      for (let number = 0; number < 5; number++)
        await store.write(NOON + number, tx => addNode(tx, `${mark}-${number}`, { clusterId, nodePoolId }, number < 2 ? READY_NODE : NEW_NODE, scope, { address: `10.0.0.${number}` }))
      await store.write(NOON, tx => addCluster(tx, `${mark}-other`, { ...scope, accountId: `${mark}-other` }))
      const names = async (filter: Parameters<Store['listNodes']>[1], page = ALL) => {
        const listing = await store.listNodes(scope, filter, page)
        return [listing.items.map(node => node.spec.name.slice(mark.length + 1)).join(), listing.totalCount] as const
      }
      assert.deepEqual(await names({}), ['0,1,2,3,4', 5])
      assert.deepEqual(await names({ clusterIds: [clusterId] }, { number: 2, size: 2 }), ['2,3', 5])
      assert.deepEqual(await names({ nodePoolIds: [nodePoolId] }, { number: 9, size: 2 }), ['', 5])
      assert.deepEqual(await names({ ids: [] }), ['0,1,2,3,4', 5], 'an empty list means all')
      assert.deepEqual(await names({ ids: [`n-${mark}-3`, 'n-unknown'] }), ['3', 1])
      assert.deepEqual(await names({ statuses: [{ phase: 'Running', condition: 'Ok' }] }), ['0,1', 2])
      assert.deepEqual(await names({ statuses: [{ phase: 'Running', condition: 'Progressing' }] }), ['', 0])
      assert.deepEqual(await names({ statuses: [{ condition: 'Progressing' }, { phase: 'Running' }] }), ['0,1,2,3,4', 5])
      assert.deepEqual(await names({ name: `${mark}-4` }), ['4', 1])
      assert.deepEqual(await names({ name: '%' }), ['', 0], 'a name is no pattern')
      assert.deepEqual(await names({ name: '_' }), ['', 0])
      assert.deepEqual(await names({ ips: ['10.0.0.1', '10.0.0.4'] }), ['1,4', 2])
      assert.equal((await store.listNodes({ ...scope, region: 'sim-2' }, {}, ALL)).totalCount, 0)
      const clusters = await store.listClusters(scope, { name: mark }, ALL)
      assert.deepEqual(clusters.items.map(cluster => cluster.id), [clusterId])
      assert.equal((await store.listNodePools(scope, { clusterIds: [clusterId], types: ['edge-machine-set'], autoScalingEnabled: false }, ALL)).totalCount, 1)
      assert.equal((await store.listNodePools(scope, { autoScalingEnabled: true }, ALL)).totalCount, 0)
    })

    test('lists of nodes: each page is a slice of one order, from whichever end it is nearer, and counts follow what nodes show', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      const ids: string[] = []
      for (let number = 0; number < 7; number++) ids.push(await store.write(NOON + number, tx => addNode(tx, `${mark}-${number}`, { clusterId, nodePoolId }, number % 3 === 0 ? READY_NODE : NEW_NODE, scope)))
      const running = { statuses: [{ phase: 'Running', condition: 'Ok' }] }, creating = { statuses: [{ phase: 'Creating' }] }, either = { statuses: [...running.statuses, ...creating.statuses] }
      const page = async (filter: Parameters<Store['listNodes']>[1], of = ALL) => {
        const { items, totalCount } = await store.listNodes(scope, filter, of)
        return { ids: items.map(({ id }) => id), totalCount }
      }
      const holds = async () => {
        for (const filter of [{}, running, creating, either, { statuses: [{ condition: 'Ok' }] }, { clusterIds: [clusterId], ...running }]) {
          const whole = await page(filter)
          assert.equal(whole.ids.length, whole.totalCount)
          for (const size of [1, 2, 3]) for (let number = 1; number <= 8; number++)
            assert.deepEqual(await page(filter, { number, size }), { ids: whole.ids.slice((number - 1) * size, number * size), totalCount: whole.totalCount }, JSON.stringify([filter, number, size]))
        }
        return [(await page({})).totalCount, (await page(running)).totalCount, (await page(creating)).totalCount]
      }
      assert.deepEqual(await holds(), [7, 3, 4])
      await store.write(NOON + MINUTE, async tx => {
        await tx.lockNodes(ids)
        await tx.changeNode(ids[1] ?? '', { facts: READY_NODE }, becauseOf('watch'))
        await tx.changeNode(ids[2] ?? '', { facts: READY_NODE }, becauseOf('watch'))
        await tx.forget({ kind: 'Node', id: ids[2] ?? '' }, { ...becauseOf('x'), text: 'gone' })
        await tx.forget({ kind: 'Node', id: ids[0] ?? '' }, { ...becauseOf('x'), text: 'gone' })
        await tx.forget({ kind: 'Node', id: await addNode(tx, `${mark}-brief`, { clusterId, nodePoolId }, NEW_NODE, scope) }, { ...becauseOf('x'), text: 'gone' })
      })
      assert.deepEqual(await holds(), [5, 3, 2])
    })

    test('clusters are found by what they were created with', async () => {
      const { scope, mark } = fresh()
      await store.write(NOON, async tx => {
        await addCluster(tx, `${mark}-a`, scope, { deleteProtectionEnabled: true, tags: [{ key: 'team', value: 'x' }] })
        await addCluster(tx, `${mark}-b`, scope, { podNetworkMode: 'VpcCniShared', profile: 'Cloud', tags: [{ key: 'team', value: 'y' }, { key: 'tier', value: '' }] })
      })
      const found = async (filter: Parameters<Store['listClusters']>[1]) => (await store.listClusters(scope, filter, ALL)).items.map(cluster => cluster.spec.name.slice(mark.length + 1)).join()
      assert.equal(await found({ deleteProtectionEnabled: true }), 'a')
      assert.equal(await found({ podNetworkMode: 'VpcCniShared' }), 'b')
      assert.equal(await found({ profiles: ['Edge', 'Cloud'] }), 'a,b')
      assert.equal(await found({ tags: [{ key: 'team' }] }), 'a,b')
      assert.equal(await found({ tags: [{ key: 'team', value: 'y' }, { key: 'tier' }] }), 'b')
      assert.equal(await found({ createClientToken: 'none' }), '')
    })

    test('a ClientToken: first, repeated, misused, twice at once, and free once its resource is gone', async () => {
      const { scope, mark, clusterId } = await grow()
      const call = (hash: string) => store.write(NOON, async tx => {
        const claimed = await tx.claimClientToken(scope, 'CreateCluster', mark, hash)
        if (claimed.kind === 'fresh') await tx.bindClientToken(scope, 'CreateCluster', mark, clusterId, { Id: clusterId })
        return claimed
      })
      const both = await Promise.all([call('one'), call('one')])
      assert.deepEqual(both.map(claimed => claimed.kind).sort(), ['fresh', 'repeat'])
      assert.deepEqual(await call('one'), { kind: 'repeat', result: { Id: clusterId } })
      assert.deepEqual(await call('two'), { kind: 'mismatch' })
      assert.deepEqual(await store.write(NOON, tx => tx.claimClientToken(scope, 'DeleteCluster', mark, 'two')), { kind: 'fresh' }, 'another action is another token')
      await store.write(NOON, async tx => {
        await tx.lockCluster(clusterId)
        for (const pool of await tx.nodePoolsOf(clusterId)) await tx.forget({ kind: 'NodePool', id: pool.id }, { ...becauseOf('x'), text: 'gone' })
        await tx.forget({ kind: 'Cluster', id: clusterId }, { ...becauseOf('x'), text: 'gone' })
      })
      assert.deepEqual(await call('two'), { kind: 'fresh' })
    })

    test('a ClientToken whose transaction failed is fresh', async () => {
      const { scope, mark } = fresh()
      await assert.rejects(store.write(NOON, async tx => {
        await tx.claimClientToken(scope, 'CreateCluster', mark, 'one')
        throw new Error('on purpose')
      }))
      assert.deepEqual(await store.write(NOON, tx => tx.claimClientToken(scope, 'CreateCluster', mark, 'two')), { kind: 'fresh' })
    })

    test('addresses: the lowest free one, the same again, none beyond the last, back when released', async () => {
      const { mark: region } = fresh()
      const pool = { first: '10.9.0.254', last: '10.9.1.1' }
      const claim = (owner: string) => store.write(NOON, tx => tx.claimAddress(region, owner, pool))
      assert.deepEqual([await claim('a'), await claim('b'), await claim('a')], ['10.9.0.254', '10.9.0.255', '10.9.0.254'])
      const rest = await Promise.all(['c', 'd', 'e'].map(claim))
      assert.deepEqual(rest.map(address => address ?? 'none').toSorted(), ['10.9.1.0', '10.9.1.1', 'none'])
      await store.write(NOON, tx => tx.releaseAddress(region, 'b'))
      assert.equal(await claim('f'), '10.9.0.255')
      assert.equal(await store.write(NOON, tx => tx.claimAddress(`${region}-2`, 'a', pool)), '10.9.0.254')
    })

    test('secrets read back, are replaced, and go by prefix', async () => {
      const { mark } = fresh()
      await store.write(NOON, async tx => {
        await tx.putSecret(`cluster/${mark}/pki`, 'one')
        await tx.putSecret(`cluster/${mark}/pki`, '秘密 two')
        await tx.putSecret(`cluster/${mark}0/pki`, 'three')
      })
      assert.equal(await store.readSecret(`cluster/${mark}/pki`), '秘密 two')
      await store.write(NOON, tx => tx.deleteSecrets(`cluster/${mark}/`))
      assert.deepEqual([await store.readSecret(`cluster/${mark}/pki`), await store.readSecret(`cluster/${mark}0/pki`)], [undefined, 'three'])
    })

    test('an onboarding is listed until it is deleted, and found by its token even then', async () => {
      const { scope, mark } = fresh()
      const record = onboarding({ id: mark, ...scope, tokenHash: mark, clusterId: mark, expirationDate: 5 })
      await store.write(NOON, tx => tx.insertOnboarding(record, 'the token'))
      assert.deepEqual(await store.findOnboarding(mark), record)
      assert.equal(await store.onboardingToken(mark), 'the token')
      assert.deepEqual((await store.listOnboardings(scope, { clusterIds: [mark], statuses: [{ phase: 'Creating', condition: 'Ok' }] }, ALL)).items, [record])
      assert.equal((await store.listOnboardings(scope, { statuses: [{ phase: 'Running' }] }, ALL)).totalCount, 0)
      await store.write(NOON + 1, tx => tx.changeOnboarding(mark, { expiresAt: 99, updateClientToken: 'u' }))
      const changed = await store.findOnboarding(mark)
      assert.deepEqual([changed?.expiresAt, changed?.expirationDate, changed?.updateClientToken, changed?.updatedAt, changed?.revision], [99, 5, 'u', NOON + 1, 2])
      await store.write(NOON + 2, tx => tx.forgetOnboarding(mark, NOON + 2))
      assert.equal((await store.listOnboardings(scope, {}, ALL)).totalCount, 0)
      assert.equal((await store.findOnboardingByTokenHash(mark))?.deletedAt, NOON + 2)
      assert.equal(await store.onboardingToken(mark), undefined)
    })

    test('kubeconfigs: made, filled in, marked, forgotten', async () => {
      const { scope, mark } = fresh()
      await store.write(NOON, async tx => {
        await tx.insertKubeconfig(kubeconfig({ id: `${mark}-1`, ...scope, clusterId: mark }))
        await tx.insertKubeconfig(kubeconfig({ id: `${mark}-2`, ...scope, clusterId: mark, userId: 9, type: 'Private', text: 'two' }))
        await tx.changeKubeconfig(`${mark}-1`, { text: 'one' })
      })
      assert.deepEqual((await store.listKubeconfigs(scope, { clusterIds: [mark] }, ALL)).items.map(one => one.text), ['one', 'two'])
      assert.deepEqual((await store.listKubeconfigs(scope, { userIds: [9], types: ['Private'] }, ALL)).items.map(one => one.id), [`${mark}-2`])
      await store.write(NOON, async tx => {
        const [first, ...others] = await tx.lockKubeconfigs(mark, [`${mark}-1`, 'unknown'])
        assert.deepEqual([first?.id, others.length, (await tx.lockKubeconfigs(mark)).length], [`${mark}-1`, 0, 2])
        await tx.changeKubeconfig(`${mark}-1`, { deletionRequestedAt: NOON })
      })
      assert.deepEqual([(await store.findKubeconfig(`${mark}-1`))?.deletionRequestedAt, (await store.findKubeconfig(`${mark}-1`))?.text], [NOON, 'one'])
      await store.write(NOON, tx => tx.forgetKubeconfig(`${mark}-1`))
      assert.equal(await store.findKubeconfig(`${mark}-1`), undefined)
    })
  })
}
