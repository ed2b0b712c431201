/** The contract of the store's port, its second part: machines, claims, ledger and accounts. Over three hundred lines, as its tests share one store. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { spentUntil } from '#model/account/arrears.ts'
import { priceOf } from '#model/account/prices.ts'
import { claimOf } from '#model/node/claim.ts'
import type { NodePoolSpec } from '#model/node-pool/record.ts'
import { NameTaken, StaleRevision, type LedgerEntry, type MachineRecord, type Store, type Transaction } from '#ports/store.ts'
import { withStore, type OpenForContract } from '#test/harness/contract-store.ts'
import { freshScopes } from '#test/harness/fresh-scopes.ts'
import { addNode, becauseOf, clusterSpec, ledgerEntry, machine, machineSecret, NEW_NODE, nodePoolSpec, NOON, onboarding, READY_NODE, READY_POOL, USABLE_CLUSTER } from '#test/harness/sample-records.ts'

const ALL = { number: 1, size: 100 }

const MINUTE = 60_000

/** More promises of the store's port, each a test on a scope of its own. */
export function storeThingsContract(name: string, open: OpenForContract): void {
  describe(`store contract, things: ${name}`, () => {
    let store: Store
    withStore(open, opened => { store = opened })

    const { fresh, grow } = freshScopes(() => store, 't')

    test('machines and their secrets', async () => {
      const { scope, mark } = fresh()
      const record = machine({ id: mark, ...scope, name: mark })
      await store.write(NOON, tx => tx.insertMachine(record))
      await assert.rejects(store.write(NOON, tx => tx.insertMachine({ ...record, id: `${mark}-2` })), NameTaken)
      await store.write(NOON, async tx => {
        assert.deepEqual([await tx.lockMachine(mark), (await tx.machinesOf(scope)).length], [record, 1])
        await tx.changeMachine(mark, { power: 'off', machineId: `id-${mark}` })
      })
      assert.deepEqual(await store.findMachineByMachineId(scope.region, `id-${mark}`), { ...record, power: 'off', machineId: `id-${mark}` })
      assert.equal((await store.listMachines(scope, { names: [mark] }, ALL)).totalCount, 1)
      assert.ok((await store.machinesOfRegion(scope.region)).some(one => one.id === mark))
      await store.write(NOON, tx => tx.orderMachines([{ id: mark, link: 'cut' }, { id: `${mark}-gone`, power: 'on' }]))
      assert.deepEqual(await store.findMachine(mark), { ...record, power: 'off', link: 'cut', machineId: `id-${mark}` })
      await store.write(NOON, tx => tx.orderMachines([{ id: mark, power: 'on', link: 'up' }]))
      assert.deepEqual(await store.findMachine(mark), { ...record, machineId: `id-${mark}` })
      const secret = machineSecret({ secretHash: mark, clusterId: mark })
      await store.write(NOON, tx => tx.putMachineSecret(secret))
      await store.write(NOON, tx => tx.putMachineSecret({ ...secret, state: 'removed', certificateUntil: 5 }))
      assert.deepEqual(await store.machineSecretsOf(mark), [{ ...secret, state: 'removed', certificateUntil: 5 }])
      await store.write(NOON, tx => tx.forgetMachine(mark))
      assert.deepEqual([await store.findMachine(mark), (await store.findMachineSecret(mark))?.state], [undefined, 'removed'])
    })

    test('machines that pools order: owner, template, refusal, obstacle; their first boot is told to who reads one of them only', async () => {
      const { scope, mark } = fresh()
      const ownedBy = { nodePoolId: `p-${mark}`, clusterId: `c-${mark}` }
      const record = machine({ id: mark, ...scope, name: mark, ownedBy, template: { instanceId: `i-${mark}`, nodeConfig: { ImageId: '镜像' } }, firstBoot: 'curl -sk join | sh -s token' })
      const { firstBoot: _sealed, ...listed } = record
      await store.write(NOON, tx => tx.insertMachine(record))
      assert.deepEqual(await store.findMachine(mark), record)
      assert.deepEqual((await store.listMachines(scope, { ids: [mark] }, ALL)).items, [listed])
      assert.deepEqual((await store.machinesOfRegion(scope.region)).find(one => one.id === mark), listed)
      const refused = { as: 'StockOut', because: 'They are sold out', at: NOON } as const
      await store.write(NOON, async tx => {
        await tx.changeMachine(mark, { ownedBy: { ...ownedBy, nodeId: `n-${mark}` }, refused, obstacle: { because: 'DeleteMachine: it is protected', at: NOON } })
        assert.deepEqual(await tx.lockMachine(mark), { ...record, ownedBy: { ...ownedBy, nodeId: `n-${mark}` }, refused, obstacle: { because: 'DeleteMachine: it is protected', at: NOON } })
        assert.deepEqual((await tx.machinesOfInstances(scope, ['i-other', `i-${mark}`])).map(one => one.id), [mark])
        assert.deepEqual(await tx.machinesOfInstances({ ...scope, accountId: 'other' }, [`i-${mark}`]), [])
      })
      await store.write(NOON, tx => tx.changeMachine(mark, { refused: null, obstacle: null, ownedBy: null, firstBoot: null, power: 'off' }))
      const { ownedBy: _owner, ...unowned } = listed
      assert.deepEqual(await store.findMachine(mark), { ...unowned, power: 'off' })
      await store.write(NOON, tx => tx.changeMachine(mark, { firstBoot: 'again' }))
      assert.equal((await store.findMachine(mark))?.firstBoot, 'again')
      await store.write(NOON, tx => tx.changeMachine(mark, {}))
    })

    test('the rows of many claims go in together, and their addresses are claimed together, lowest first', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      const pool = { first: '10.213.7.1', last: '10.213.7.3' }, region = `region-${mark}`
      const owned = { ...scope, id: nodePoolId, clusterId, spec: nodePoolSpec({ name: mark }) }
      const claims = [1, 2, 3].map(number => {
        const { node, machine: machineRow, ledger } = claimOf({ nodeId: `n${mark}${number}`, now: NOON, pool: owned, address: `10.0.0.${number}`, name: `${mark}-${number}`, firstBoot: `line ${number}` })
        return { node, machine: machineRow, ledger: { ...ledger, state: 'Intended' as const }, token: { tokenHash: `${mark}-${number}`, nodeId: node.id, machineId: machineRow.id } }
      })
      await store.write(NOON, async tx => {
        const [one, two, three] = claims
        if (!one || !two || !three) throw new Error('three claims')
        await tx.insertClaims([one], becauseOf('CreateNodes'))
        await tx.insertClaims([], becauseOf('CreateNodes'))
        await tx.insertClaims([two], becauseOf('CreateNodes'))
        // Whatever is asked for in the transaction itself finds them.
        assert.deepEqual([await tx.lockMachine(one.machine.id), await tx.findNodeToken(two.token.tokenHash), await tx.ledgerOf(two.node.id)], [one.machine, two.token, [two.ledger]])
        await tx.insertClaims([three], becauseOf('CreateNodes'))
        assert.deepEqual((await tx.lockMachines(claims.map(claim => claim.machine.id))).map(({ id }) => id), claims.map(claim => claim.machine.id))
        assert.deepEqual((await tx.lockFreeMachines(claims.map(claim => claim.machine.id))).map(({ id }) => id), claims.map(claim => claim.machine.id))
      })
      const records = await store.nodesOf({ nodePoolId })
      assert.deepEqual(records.map(record => [record.id, record.said.status.phase]), claims.map(claim => [claim.node.id, 'Creating']))
      assert.equal((await store.findNodePool(nodePoolId))?.counts.creating, 3)
      for (const claim of claims) {
        assert.deepEqual(await store.findMachine(claim.machine.id), claim.machine)
        assert.deepEqual(await store.findNodeToken(claim.token.tokenHash), claim.token)
      }
      assert.deepEqual((await store.listLedger(scope, { clusterIds: [clusterId] }, ALL)).items, claims.map(claim => claim.ledger))
      const [first] = claims
      assert.deepEqual((await store.nodesById(['unknown', ...claims.map(claim => claim.node.id)])).map(node => node.id).sort(), claims.map(claim => claim.node.id))
      assert.deepEqual([await store.machinesById([first?.machine.id ?? '']), await store.machinesById([])], [[first?.machine], []])
      assert.deepEqual([(await store.clustersById([clusterId])).map(one => one.id), (await store.nodePoolsById([nodePoolId, 'unknown'])).map(one => one.id)], [[clusterId], [nodePoolId]])
      await assert.rejects(store.write(NOON, tx => tx.insertClaims(claims.slice(0, 1).map(({ node, machine: machineRow, ledger, token }) => ({ node: { ...node, id: `n${mark}9` }, machine: { ...machineRow, id: `m${mark}9` }, ledger: { ...ledger, id: `l${mark}9` }, token })), becauseOf('CreateNodes'))), NameTaken)
      assert.equal(await store.findMachine(`m${mark}9`), undefined)

      const claim = (owners: readonly string[]) => store.write(NOON, tx => tx.claimAddresses(region, owners, pool))
      assert.deepEqual([await claim(['a', 'b']), await claim(['c', 'd']), await claim(['d']), await claim([])], [['10.213.7.1', '10.213.7.2'], ['10.213.7.3'], [], []])
      assert.equal(await store.write(NOON, tx => tx.claimAddress(region, 'b', pool)), '10.213.7.2')
      // Several who ask at once in one transaction are served in their order, and the last find less.
      const others = { first: '10.213.9.1', last: '10.213.9.4' }
      assert.deepEqual(await store.write(NOON, tx => Promise.all([tx.claimAddresses(region, ['m', 'n'], others), tx.claimAddresses(region, [], others), tx.claimAddresses(region, ['o'], others), tx.claimAddresses(region, ['p', 'q'], others), tx.claimAddresses(region, ['r'], others)])), [['10.213.9.1', '10.213.9.2'], [], ['10.213.9.3'], ['10.213.9.4'], []])
      assert.deepEqual(await Promise.all(['n', 'o', 'p'].map(owner => store.write(NOON, tx => tx.claimAddress(region, owner, others)))), ['10.213.9.2', '10.213.9.3', '10.213.9.4'])
      await store.write(NOON, tx => tx.releaseAddress(region, 'a'))
      assert.deepEqual(await claim(['e', 'f']), ['10.213.7.1'])
    })

    test('an address that is released among many that are taken is the next to be given, and the search goes on behind them', async () => {
      const { scope: { region } } = await grow()
      const wide = { first: '10.214.0.1', last: '10.214.3.254' }, names = Array.from({ length: 60 }, (_, number) => `m${number}`)
      const claim = (owners: readonly string[]) => store.write(NOON, tx => tx.claimAddresses(region, owners, wide))
      assert.equal((await claim(names)).length, 60)
      for (const name of ['m4', 'm30']) await store.write(NOON, tx => tx.releaseAddress(region, name))
      assert.deepEqual(await claim(['one', 'two', 'three', 'four']), ['10.214.0.5', '10.214.0.31', '10.214.0.61', '10.214.0.62'])
      await store.write(NOON, tx => tx.releaseAddress(region, 'm4'))
      await store.write(NOON, tx => tx.releaseAddress(region, 'm9'))
      assert.equal(await store.write(NOON, tx => tx.claimAddress(region, 'five', wide)), '10.214.0.10')
      assert.equal(await store.write(NOON, tx => tx.claimAddress(region, 'six', wide)), '10.214.0.63')
    })

    test('the token of a first boot leads to its node, and goes with the node or the machine', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      const tokens = ['1', '2'].map(end => ({ tokenHash: `${mark}-${end}`, nodeId: `n-${mark}-${end}`, machineId: `m-${mark}-${end}` }))
      await store.write(NOON, async tx => {
        for (const [index, token] of tokens.entries()) {
          await tx.insertMachine(machine({ id: token.machineId, ...scope, name: token.machineId }))
          await tx.putNodeToken(token)
          assert.deepEqual(await tx.findNodeToken(token.tokenHash), token)
          await addNode(tx, `${mark}-${index + 1}`, { clusterId, nodePoolId }, NEW_NODE, scope)
        }
      })
      const found = async () => (await Promise.all(tokens.map(token => store.findNodeToken(token.tokenHash)))).map(token => token?.nodeId)
      assert.deepEqual(await found(), tokens.map(token => token.nodeId))
      assert.equal(await store.findNodeToken('unknown'), undefined)
      assert.deepEqual(await store.nodeTokensByHash(['unknown']), [])
      await store.write(NOON, async tx => {
        await tx.lockNode(`n-${mark}-1`)
        await tx.forget({ kind: 'Node', id: `n-${mark}-1` }, { ...becauseOf('DeleteNodes'), text: 'gone' })
      })
      assert.deepEqual(await found(), [undefined, `n-${mark}-2`])
      await store.write(NOON, tx => tx.forgetMachine(`m-${mark}-2`))
      assert.deepEqual(await found(), [undefined, undefined])
    })

    test('pools are found by scaling and by tags, nodes by the servers that they are', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      const scaling = { enabled: true, minReplicas: 0, maxReplicas: 10, desiredReplicas: 1, sentDesiredReplicas: 1, priority: 10 }
      const insert = (id: string, spec: Partial<NodePoolSpec>) => store.write(NOON + 1, tx => tx.insertNodePool({ id, ...scope, clusterId, spec: nodePoolSpec({ name: id, ...spec }), facts: READY_POOL }, becauseOf('CreateNodePool')))
      await insert(`${mark}-1`, { type: 'machine-set', scaling, tags: [{ key: 'team', value: 'x' }] })
      await insert(`${mark}-2`, { type: 'edge-machine-pool', scaling: { ...scaling, enabled: false } })
      const found = async (filter: Parameters<Store['listNodePools']>[1]) => (await store.listNodePools(scope, filter, ALL)).items.map(pool => pool.id)
      assert.deepEqual(await found({ autoScalingEnabled: true }), [`${mark}-1`])
      assert.deepEqual(await found({ autoScalingEnabled: false }), [nodePoolId, `${mark}-2`])
      assert.deepEqual([await found({ tags: [{ key: 'team' }] }), await found({ tags: [{ key: 'team', value: 'y' }] })], [[`${mark}-1`], []])
      await store.write(NOON + 2, async tx => {
        const pool = await tx.lockNodePool(`${mark}-1`)
        if (pool) await tx.changeNodePool(pool.id, { spec: { ...pool.spec, scaling: { ...scaling, enabled: false }, tags: [] } }, becauseOf('UpdateNodePoolConfig'))
      })
      assert.deepEqual([await found({ autoScalingEnabled: true }), await found({ tags: [{ key: 'team' }] })], [[], []])
      assert.deepEqual(await found({ refused: true }), [])
      await store.write(NOON + 2, async tx => {
        const pool = await tx.lockNodePool(`${mark}-2`)
        if (pool) await tx.changeNodePool(pool.id, { facts: { ...pool.facts, refused: { as: 'StockOut', because: 'It is sold out' } } }, becauseOf('CreateNodePool'))
      })
      assert.deepEqual([await found({ refused: true }), await found({ refused: true, statuses: [{ phase: 'Updating' }] })], [[`${mark}-2`], []])
      await store.write(NOON, async tx => {
        await addNode(tx, `${mark}-a`, { clusterId, nodePoolId }, NEW_NODE, scope, { machineId: '', machine: `m-${mark}`, instanceId: `i-${mark}` })
        await addNode(tx, `${mark}-b`, { clusterId, nodePoolId }, NEW_NODE, scope, { machineId: '', machine: `m-${mark}` })
        await addNode(tx, `${mark}-c`, { clusterId, nodePoolId }, NEW_NODE, scope)
      })
      const nodes = async (instanceIds: readonly string[]) => (await store.listNodes(scope, { instanceIds }, ALL)).items.map(node => node.spec.name.at(-1)).join('')
      assert.deepEqual([await nodes([`i-${mark}`]), await nodes([`m-${mark}`]), await nodes([`machine-of-${mark}-c`, `i-${mark}`])], ['a', 'b', 'ac'])
    })

    test('of two writers in one transaction the second one does not overwrite what it has not read', async () => {
      const { clusterId, nodePoolId } = await grow()
      const cluster = await store.findCluster(clusterId)
      const change = (address: string) => (tx: Transaction) => tx.changeCluster(clusterId, { revision: cluster?.revision ?? 0, address }, { evidence: [] })
      await assert.rejects(store.write(NOON, async tx => {
        await tx.lockTrees([{ kind: 'cluster', id: clusterId }, { kind: 'node-pool', id: nodePoolId }, { kind: 'node', id: 'nobody' }, { kind: 'addon', id: 'nobody' }])
        await change('one')(tx)
        tx.nextWriter()
        await change('other')(tx)
      }), StaleRevision)
      assert.equal((await store.findCluster(clusterId))?.address, cluster?.address)
      await store.write(NOON, async tx => {
        await tx.lockTrees([{ kind: 'node-pool', id: nodePoolId }])
        tx.nextWriter()
        await change('one')(tx)
        assert.equal((await tx.lockNodePool(nodePoolId))?.id, nodePoolId)
      })
      assert.equal((await store.findCluster(clusterId))?.address, 'one')
    })

    test('secrets of machines are put and read together', async () => {
      const { mark, clusterId } = await grow()
      const secrets = ['a', 'b'].map(name => machineSecret({ secretHash: `${mark}-${name}`, clusterId }))
      const hashes = [...secrets.map(({ secretHash }) => secretHash), 'unknown']
      const sorted = (found: readonly { readonly secretHash: string }[]) => found.toSorted((one, other) => (one.secretHash < other.secretHash ? -1 : 1))
      await store.write(NOON, async tx => {
        await tx.putMachineSecrets(secrets)
        assert.deepEqual(sorted(await tx.machineSecretsByHash(hashes)), secrets)
      })
      assert.deepEqual(sorted(await store.machineSecretsByHash(hashes)), secrets)
      await store.write(NOON, tx => tx.putMachineSecrets(secrets.map(secret => ({ ...secret, state: 'removed' as const }))))
      assert.deepEqual((await store.machineSecretsByHash(hashes)).map(({ state }) => state), ['removed', 'removed'])
    })

    test('many transactions at once that read secrets under one cluster\'s lock need no more than their own connections', async () => {
      const { mark, clusterId } = await grow()
      const names = await Promise.all(Array.from({ length: 40 }, (_, index) => store.write(NOON, async tx => {
        await tx.lockCluster(clusterId)
        const before = await tx.machineSecretsOf(clusterId)
        await tx.putMachineSecret(machineSecret({ secretHash: `${mark}-${index}`, clusterId }))
        assert.equal((await tx.findMachineSecret(`${mark}-${index}`))?.clusterId, clusterId)
        return before.length
      })))
      assert.deepEqual(names.toSorted((one, other) => one - other), Array.from({ length: 40 }, (_, index) => index))
    })

    test('a program\'s last words that are no text keep no status from being written', async () => {
      const { mark, clusterId } = await grow()
      const says = `etcd said \0 and \ud83d`
      await store.write(NOON, async tx => {
        const cluster = await tx.lockCluster(clusterId)
        if (cluster) await tx.changeCluster(clusterId, { facts: { ...cluster.facts, controlPlane: 'unkept', controlPlaneSays: says } }, { evidence: [{ ...becauseOf(mark).evidence[0]!, raw: says }] })
      })
      const said = (await store.findCluster(clusterId))?.said
      assert.equal(said?.status.phase, 'Failed')
      assert.match(said.because, /^etcd said . and /u)
    })

    test('a list by several statuses of every form', async () => {
      const { scope, clusterId } = await grow()
      const found = async (statuses: readonly { phase?: string; condition?: string }[]) => (await store.listClusters(scope, { ids: [clusterId], statuses }, ALL)).totalCount
      const { status } = (await store.findCluster(clusterId))!.said
      const [phase, condition] = [status.phase, status.conditions[0]]
      assert.deepEqual(await Promise.all([
        found([{ phase }]), found([{ condition }]), found([{ phase, condition }]), found([{}]), found([{ phase: 'Stopped' }, { phase, condition }]),
        found([{ phase: 'Stopped', condition }, { phase, condition: 'Balance' }]), found([{ phase: 'Stopped' }, { condition: 'Balance' }]),
      ]), [1, 1, 1, 1, 1, 0, 0])
    })

    test('nodes are found by the machine they run on', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      await store.write(NOON, tx => addNode(tx, mark, { clusterId, nodePoolId }, READY_NODE, scope))
      assert.deepEqual((await store.nodesOfMachine(scope.region, `machine-of-${mark}`)).map(node => node.id), [`n-${mark}`])
      assert.deepEqual(await store.nodesOfMachine('sim-2', `machine-of-${mark}`), [])
      assert.deepEqual((await store.nodesOfClusters([clusterId, 'nobody'])).map(node => node.id), [`n-${mark}`])
      assert.deepEqual((await store.nodePoolsOfClusters([clusterId, 'nobody'])).map(pool => pool.clusterId), [clusterId])
      assert.deepEqual((await store.nodesOfMachines(scope.region, ['nobody', `machine-of-${mark}`])).map(node => node.id), [`n-${mark}`])
      assert.deepEqual(await store.nodesOfMachines('sim-2', [`machine-of-${mark}`]), [])
    })

    test('the ledger shows all but what was released, unless asked', async () => {
      const { scope, mark } = fresh()
      const entry = ledgerEntry({ id: mark, ...scope, owner: { kind: 'Cluster', id: mark, name: mark }, clusterId: mark, providerId: 'p' })
      await store.write(NOON, tx => tx.putLedger(entry))
      assert.deepEqual((await store.listLedger(scope, { clusterIds: [mark], kinds: ['ControlPlane'] }, ALL)).items, [entry])
      const from = async (since: number) => (await store.listLedger(scope, { since }, ALL)).totalCount
      assert.deepEqual([await from(entry.since), await from(entry.since + 1)], [1, 0])
      await store.write(NOON, async tx => {
        assert.deepEqual(await tx.ledgerOf(mark), [entry])
        await tx.putLedger({ ...entry, state: 'Released', because: 'It is gone' })
      })
      assert.equal((await store.listLedger(scope, {}, ALL)).totalCount, 0)
      assert.equal((await store.listLedger(scope, { states: ['Released'], ownerIds: [mark] }, ALL)).items[0]?.because, 'It is gone')
      assert.deepEqual((await store.ledgersOf([mark, 'nobody'])).map(({ id, state }) => [id, state]), [[mark, 'Released']])
    })

    test('pages of the ledger do not shift when an entry moves on', async () => {
      const { scope, mark } = fresh()
      const entries = ['1', '2', '3'].map(end => ledgerEntry({ id: `${mark}-${end}`, ...scope, owner: { kind: 'Cluster', id: mark, name: mark }, clusterId: mark }))
      await store.write(NOON, async tx => { for (const entry of entries) await tx.putLedger(entry) })
      const [first] = (await store.listLedger(scope, {}, { number: 1, size: 1 })).items
      assert.ok(first)
      await store.write(NOON, tx => tx.putLedger({ ...first, state: 'Releasing', since: first.since + 60_000 }))
      assert.deepEqual((await store.listLedger(scope, {}, { number: 2, size: 1 })).items, [entries[1]])
    })

    test('a transaction sees an onboarding script with its deletion', async () => {
      const { mark } = await grow()
      await store.write(NOON, tx => tx.insertOnboarding(onboarding({ id: mark, tokenHash: `hash-of-${mark}` }), 'token'))
      assert.equal((await store.write(NOON, tx => tx.findOnboarding(mark)))?.deletedAt, undefined)
      await store.write(NOON, tx => tx.forgetOnboarding(mark, NOON + 1))
      assert.equal((await store.write(NOON, tx => tx.findOnboarding(mark)))?.deletedAt, NOON + 1)
    })

    test('regions, accounts and access keys', async () => {
      const { mark } = fresh()
      const region = { region: mark, kind: 'Local', ready: false, text: 'it builds', settings: { host: 'h', range: { cidr: '10.213.0.0/16' } } } as const
      await store.write(NOON, tx => tx.putRegion(region))
      await store.write(NOON, tx => tx.putRegion({ ...region, ready: true }))
      assert.deepEqual(await store.findRegion(mark), { ...region, ready: true })
      assert.ok((await store.listRegions()).some(one => one.region === mark))
      const hold = () => store.write(NOON, tx => tx.holdRegion(mark))
      assert.equal(await hold(), true)
      await store.write(NOON, tx => tx.forgetRegion(mark))
      assert.deepEqual([await hold(), await store.findRegion(mark)], [false, undefined])
      assert.equal(await store.findAccessKey(`AK${mark}`), undefined)
      await store.write(NOON, tx => tx.insertAccount({ id: mark, accessKeyId: `AK${mark}`, secret: 's3cret', name: 'main' }))
      assert.deepEqual(await store.findAccessKey(`AK${mark}`), { accountId: mark, secret: 's3cret' })
    })

    test('a key is the administrator\'s where it was made so, or made it later, until that is taken away', async () => {
      const { mark } = fresh()
      const [chief, clerk] = [`AK1${mark}`, `AK2${mark}`]
      await store.write(NOON, tx => tx.insertAccount({ id: mark, accessKeyId: chief, secret: 's3cret', name: 'main', administrator: true }))
      await store.write(NOON, tx => tx.insertAccount({ id: mark, accessKeyId: clerk, secret: 'other', name: 'main' }))
      const administrators = async () => (await store.write(NOON, tx => tx.accessKeys())).filter(key => key.accountId === mark).map(({ id, administrator }) => [id, administrator])
      assert.deepEqual(await administrators(), [[chief, true], [clerk, false]])
      assert.deepEqual(await store.findAccessKey(chief), { accountId: mark, secret: 's3cret', administrator: true })
      assert.deepEqual(await store.findAccessKey(clerk), { accountId: mark, secret: 'other' })
      assert.deepEqual([await store.write(NOON, tx => tx.setAdministrator(clerk, true)), await store.write(NOON, tx => tx.setAdministrator(chief, false)), await store.write(NOON, tx => tx.setAdministrator(`AK3${mark}`, true))], [true, true, false])
      assert.deepEqual(await administrators(), [[chief, false], [clerk, true]])
      assert.deepEqual([(await store.findAccessKey(chief))?.administrator, (await store.findAccessKey(clerk))?.administrator], [undefined, true])
    })

    test('writers of one cluster at the same time lose nothing', async () => {
      const { scope, mark, clusterId, nodePoolId } = await grow()
      await Promise.all(Array.from({ length: 20 }, (_, number) => store.write(NOON, tx => addNode(tx, `${mark}-${number}`, { clusterId, nodePoolId }, NEW_NODE, scope))))
      const nodes = await store.nodesOf({ nodePoolId })
      await Promise.all(nodes.map(node => store.write(NOON + 1, async tx => {
        await tx.lockNode(node.id)
        await tx.changeNode(node.id, { facts: READY_NODE }, becauseOf('watch'))
      })))
      const [cluster, pool] = [await store.findCluster(clusterId), await store.findNodePool(nodePoolId)]
      assert.deepEqual([cluster?.counts.running, cluster?.counts.total, pool?.counts.running], [20, 20, 20])
      assert.equal(cluster?.said.status.phase, 'Running')
    })

    test('an account: what its ledger cost is added up to the millisecond, and one with a balance is looked at when that changes', async () => {
      const { scope, mark } = fresh()
      const entry = { id: `l${mark}`, ...scope, kind: 'Machine' as const, owner: { kind: 'Machine' as const, id: mark, name: mark }, deleteProtected: false, since: NOON }
      const put = (at: number, change: Partial<LedgerEntry>) => store.write(at, tx => tx.putLedger({ ...entry, state: 'Held', ...change }))
      const spentAt = async (at: number) => spentUntil(await store.meterOf(scope), at)
      const price = BigInt(priceOf({ kind: 'Machine', state: 'Held' }))
      await put(NOON, { state: 'Intended' })
      assert.equal(await spentAt(NOON + 1000), 0n)
      await put(NOON + 1000, {})
      assert.equal(await spentAt(NOON + 5000), price * 4000n)
      await put(NOON + 5000, { power: 'off' })
      assert.equal(await spentAt(NOON + 9000), price * 4000n)
      await put(NOON + 9000, { power: 'on' })
      await put(NOON + 9500, { state: 'Released' })
      assert.equal(await spentAt(NOON + MINUTE), price * 4500n)
      assert.equal(spentUntil(await store.meterOf({ ...scope, region: 'elsewhere' }), NOON), 0n)

      assert.deepEqual(await store.findAccount(scope), { ...scope })
      const limited = { ...scope, balance: { amount: -5, at: NOON, spentBefore: 12_345_678_901_234_567_890n }, arrearsSince: NOON, stoppedSince: NOON + 1 }
      await store.write(NOON, async tx => {
        assert.deepEqual(await tx.lockAccount(scope), { ...scope })
        await tx.putAccount(limited)
      })
      assert.deepEqual(await store.findAccount(scope), limited)
      await store.write(NOON, tx => tx.putAccount({ ...scope }))
      assert.deepEqual(await store.findAccount(scope), { ...scope })
    })

    test('quotas of an account in a region: what is set, what it has, and how often that was changed', async () => {
      const { scope, mark } = fresh()
      const region = `region-${mark}`, there = { ...scope, region }
      const shown = async () => [await store.quotasOf(there), await store.machinesHeld(there), await store.quotaChanges(region)]
      const set = (limit: number | undefined, kind = 'Machine') => store.write(NOON, tx => tx.setQuota(there, kind, limit))
      assert.deepEqual(await shown(), [[], 0, 0])
      await set(2)
      await set(0, 'Disk')
      assert.deepEqual(await shown(), [[{ kind: 'Disk', limit: 0 }, { kind: 'Machine', limit: 2 }], 0, 2])
      assert.deepEqual(await store.write(NOON, tx => Promise.all([tx.lockQuota(there, 'Machine'), tx.lockQuota(there, 'Disk'), tx.lockQuota(there, 'Nat'), tx.lockQuota(scope, 'Machine')])), [2, 0, undefined, undefined])
      assert.deepEqual([await store.quotasOf(scope), await store.quotaChanges(mark)], [[], 0])
      const ownedBy = { nodePoolId: `p-${mark}`, clusterId: `c-${mark}` }
      const insert = (name: string, more: Partial<MachineRecord>) => store.write(NOON, tx => tx.insertMachine(machine({ id: `${mark}-${name}`, name, ...there, ...more })))
      await insert('claimed', { ownedBy })
      await insert('own', { machineId: `of-${mark}` })
      assert.equal(await store.machinesHeld(there), 0)
      await store.write(NOON, tx => tx.changeMachine(`${mark}-claimed`, { granted: true }))
      assert.equal((await store.findMachine(`${mark}-claimed`))?.granted, true)
      await insert('made', { ownedBy, machineId: `made-${mark}` })
      await insert('kept', { template: {}, machineId: `kept-${mark}` })
      assert.deepEqual([await store.machinesHeld(there), await store.write(NOON, tx => tx.machinesHeld(there)), await store.machinesHeld(scope)], [3, 3, 0])
      await store.write(NOON, tx => tx.forgetMachine(`${mark}-claimed`))
      await set(undefined)
      assert.deepEqual(await shown(), [[{ kind: 'Disk', limit: 0 }], 2, 3])
      await store.write(NOON, tx => tx.putRegion({ region, kind: 'Local', ready: true, text: '', settings: {} }))
      await store.write(NOON, tx => tx.forgetRegion(region))
      assert.deepEqual(await shown(), [[], 0, 0])
    })

    test('a server that becomes another machine counts once against a quota, whoever else asks meanwhile', async () => {
      const { scope, mark } = fresh()
      const there = { ...scope, region: `region-${mark}` }, ownedBy = { nodePoolId: `p-${mark}`, clusterId: `c-${mark}` }
      const insert = (name: string, more: Partial<MachineRecord>) => store.write(NOON, tx => tx.insertMachine(machine({ id: `${mark}-${name}`, name, ...there, ...more })))
      const change = (name: string, to: Parameters<Transaction['changeMachine']>[1]) => store.write(NOON, tx => tx.changeMachine(`${mark}-${name}`, to))
      const held = async () => [await store.machinesHeld(there), ...await store.write(NOON, async tx => [await tx.machinesHeld(there, `${mark}-next`), await tx.machinesHeld(there, `${mark}-other`)])]
      for (const instanceId of [`i-${mark}`, `${mark}-kept`]) {
        await insert('kept', { template: { instanceId: `i-${mark}` }, machineId: `kept-${mark}` })
        await insert('next', { template: { instanceId }, ownedBy })
        await insert('other', { template: { instanceId: `j-${mark}` }, ownedBy })
        assert.deepEqual(await held(), [1, 0, 1], 'its place is to be had, and it has it until then')
        await change('kept', { ownedBy })
        assert.deepEqual(await held(), [1, 1, 1], 'it is a node')
        await change('kept', { ownedBy: null })
        await change('next', { granted: true })
        assert.deepEqual(await held(), [1, 1, 1])
        await change('kept', { deletionRequestedAt: NOON })
        assert.deepEqual(await held(), [1, 1, 1])
        await change('next', { machineId: `next-${mark}` })
        assert.deepEqual(await held(), [1, 1, 1])
        await change('next', { deletionRequestedAt: NOON })
        assert.deepEqual(await held(), [2, 2, 2], 'both go, and nothing takes their place')
        await change('next', { ownedBy: null, deletionRequestedAt: null })
        assert.deepEqual(await held(), [1, 1, 1], 'it is kept itself')
        await change('kept', { deletionRequestedAt: null })
        assert.deepEqual(await held(), [2, 2, 2], 'both are kept, and none of them comes in place of the other')
        await store.write(NOON, async tx => {
          for (const name of ['kept', 'next', 'other']) await tx.forgetMachine(`${mark}-${name}`)
        })
      }
      await insert('kept', { template: { instanceId: `i-${mark}` }, machineId: `kept-${mark}`, deletionRequestedAt: NOON })
      await store.write(NOON, tx => tx.insertMachine(machine({ id: `${mark}-next`, name: 'next', ...there, accountId: `${scope.accountId}9`, template: { instanceId: `i-${mark}` }, ownedBy, granted: true })))
      assert.deepEqual(await held(), [1, 1, 1], 'another account\'s is another server')
    })

    test('clusters of a region, for those who start over', async () => {
      const { scope, mark } = fresh()
      const region = `region-${mark}`
      await store.write(NOON, async tx => {
        await tx.insertCluster({ id: mark, ...scope, region, spec: clusterSpec({ name: mark }), facts: USABLE_CLUSTER }, becauseOf('CreateCluster'))
        await tx.lockCluster(mark)
        await tx.changeCluster(mark, { address: '10.213.4.7' }, { evidence: [] })
      })
      assert.deepEqual((await store.clustersOfRegion(region)).map(cluster => [cluster.id, cluster.address]), [[mark, '10.213.4.7']])
    })
  })
}
