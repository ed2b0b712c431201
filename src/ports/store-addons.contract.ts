import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { addonId } from '#model/addon/record.ts'
import { DEADLINES } from '#model/status/deadlines.ts'
import { NameTaken, type Store } from '#ports/store.ts'
import { withStore, type OpenForContract } from '#test/harness/contract-store.ts'
import { freshScopes } from '#test/harness/fresh-scopes.ts'
import { becauseOf, NOON, USABLE_CLUSTER } from '#test/harness/sample-records.ts'

const ALL = { number: 1, size: 100 }

/** What the store's port promises of add-ons, each a test on a scope of its own. */
export function storeAddonsContract(name: string, open: OpenForContract): void {
  describe(`store contract, add-ons: ${name}`, () => {
    let store: Store
    withStore(open, opened => { store = opened })

    const { grow } = freshScopes(() => store, 'a')

    test('one of a name in a cluster, filters, the cluster\'s stop and start, and their end', async () => {
      const { scope, clusterId } = await grow()
      const id = addonId(clusterId, 'core-dns')
      const facts = { operation: { action: 'CreateAddon' as const, since: NOON }, reasons: {}, obstacles: [] }
      const insert = (name: string) => store.write(NOON, tx => tx.insertAddon(
        { id: addonId(clusterId, name), ...scope, createClientToken: `token-${name}`, clusterId, spec: { name, version: '1', deployMode: name === 'core-dns' ? 'Unmanaged' : 'Managed', deployNodeType: 'Node', config: '{}' }, facts }, becauseOf('CreateAddon')))
      assert.equal((await insert('core-dns')).said.status.phase, 'Creating')
      await insert('log-collector')
      await assert.rejects(insert('core-dns'), NameTaken)
      await store.write(NOON + 1, async tx => {
        const addon = await tx.lockAddon(id)
        await tx.changeAddon(id, { revision: addon?.revision ?? 0, facts: { reasons: {}, obstacles: [], applied: { version: '1', at: NOON } } }, becauseOf('controller'))
      })
      const names = async (filter: Parameters<Store['listAddons']>[1]) => (await store.listAddons(scope, filter, ALL)).items.map(addon => addon.spec.name)
      assert.deepEqual(await names({}), ['core-dns', 'log-collector'])
      assert.deepEqual(await names({ clusterIds: [clusterId], names: ['core-dns'] }), ['core-dns'])
      assert.deepEqual(await names({ deployModes: ['Managed'] }), ['log-collector'])
      assert.deepEqual(await names({ deployNodeTypes: ['VirtualNode'] }), [])
      assert.deepEqual(await names({ statuses: [{ phase: 'Running' }] }), ['core-dns'])
      assert.deepEqual(await names({ createClientToken: 'token-log-collector' }), ['log-collector'])

      const setPaid = (paid: boolean) => store.write(NOON + 2, async tx => {
        const cluster = await tx.lockCluster(clusterId)
        if (cluster) await tx.changeCluster(clusterId, { facts: { ...USABLE_CLUSTER, unpaid: !paid, controlPlane: paid ? 'usable' : 'absent' } }, becauseOf('account'))
      })
      const shown = async () => (await store.addonsOf(clusterId)).map(addon => `${addon.said.status.phase} ${addon.said.status.conditions.join()}`)
      await setPaid(false)
      assert.deepEqual(await shown(), ['Failed ClusterNotRunning', 'Failed ClusterNotRunning'])
      assert.equal((await store.findAddon(id))?.said.causedBy?.id, clusterId)
      await setPaid(true)
      assert.deepEqual(await shown(), ['Running Ok', 'Creating Progressing'])
      await store.write(NOON + 3, async tx => {
        await tx.lockAddon(id)
        await tx.forget({ kind: 'Addon', id }, { ...becauseOf('DeleteAddon'), text: 'It was uninstalled' })
      })
      assert.equal(await store.findAddon(id), undefined)
      const history = await store.listHistory(scope, { ids: [id] }, ALL)
      assert.deepEqual(history.items.map(row => row.status?.phase ?? 'gone'), ['gone', 'Running', 'Failed', 'Running', 'Creating'])
    })

    test('whoever writes first in their cluster after its start took all its time tells them so', async () => {
      const { scope, clusterId, nodePoolId } = await grow()
      const id = addonId(clusterId, 'core-dns')
      await store.write(NOON, tx => tx.insertAddon({ id, ...scope, createClientToken: 'token', clusterId, spec: { name: 'core-dns', version: '1', deployMode: 'Unmanaged', deployNodeType: 'Node' }, facts: { reasons: {}, obstacles: [] } }, becauseOf('CreateAddon')))
      await store.write(NOON, async tx => {
        await tx.lockCluster(clusterId)
        await tx.changeCluster(clusterId, { facts: { ...USABLE_CLUSTER, controlPlane: 'starting', startingSince: NOON } }, becauseOf('account'))
      })
      const because = async () => (await store.findAddon(id))?.said.because
      assert.equal(await because(), 'Its cluster is Starting')
      await store.write(NOON + DEADLINES.clusterStart, async tx => {
        await tx.lockNodePool(nodePoolId)
        await tx.changeNodePool(nodePoolId, {}, becauseOf('controller'))
      })
      assert.equal((await store.findCluster(clusterId))?.said.status.phase, 'Failed')
      assert.equal(await because(), 'Its cluster was stopped for arrears, and has not been seen working since')
    })
  })
}
