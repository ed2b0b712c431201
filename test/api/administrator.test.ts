import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FreshRegions } from '#test/harness/fresh-regions.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { RecordedQuotas } from '#providers/local/quotas/recorded-quotas.ts'
import { ApiUnderTest, OURS, THEIRS, type CallAs } from './api-under-test.ts'

/** Another key of the account whose first one is the administrator's. */
const CLERK = { accountId: OURS.accountId, accessKeyId: 'AKLTCLERK', secretAccessKey: 'clerks-secret' }

async function openWithClerk(): Promise<ApiUnderTest> {
  const store = new MemoryStore()
  const api = await ApiUnderTest.open({}, { quotas: new RecordedQuotas(store, 'local-1', () => 0) }, store)
  await api.store.write(api.now, tx => tx.insertAccount({ id: CLERK.accountId, accessKeyId: CLERK.accessKeyId, secret: CLERK.secretAccessKey, name: 'ours' }))
  return api
}

describe('in a real region', () => {
  test('the balance is set with the administrator\'s key, and refused to any other key of the account', async () => {
    const api = await openWithClerk()
    const amount = async (how: CallAs = {}) => (await api.done('GetBalance', {}, how))['Amount']
    await api.done('SetBalance', { Amount: 12 })
    for (const body of [{ Amount: 1_000_000 }, { Unlimited: true }, {}]) {
      const { status, body: { ResponseMetadata: { Error: error } } } = await api.call('SetBalance', body, { as: CLERK })
      assert.deepEqual([status, error?.Code, error?.CodeN], [403, 'AccessDenied', 100013])
      assert.equal(error?.Message, 'Not allowed: in the real region local-1 SetBalance takes the administrator\'s key, and AKLTCLERK is none; on the server\'s host ./edgehold key list shows whose it is.')
    }
    assert.equal(await amount({ as: CLERK }), 12, 'everybody may look, and nothing was changed')
    await api.app.close()
  })

  test('a quota likewise: any key sees it, none but the administrator\'s sets it, and of what the region makes', async () => {
    const api = await openWithClerk()
    const shown = async () => (await api.done('ListQuotas', {}, { as: CLERK })).Items
    const code = async (body: object, how: CallAs = {}) => {
      const { status, body: { ResponseMetadata: { Error: error } } } = await api.call('SetQuota', body, how)
      return [status, error?.Code, error?.Message]
    }
    assert.deepEqual(await shown(), [])
    await api.done('SetQuota', { Kind: 'Machine', Limit: 3 })
    assert.deepEqual(await shown(), [{ Kind: 'Machine', Limit: 3, Held: 0 }])
    for (const body of [{ Kind: 'Machine', Limit: 9 }, { Kind: 'Machine', Unlimited: true }, { Kind: 'Disk', Limit: 9 }]) assert.deepEqual((await code(body, { as: CLERK })).slice(0, 2), [403, 'AccessDenied'])
    assert.deepEqual(await shown(), [{ Kind: 'Machine', Limit: 3, Held: 0 }])
    assert.deepEqual(await code({ Kind: 'Disk', Limit: 9 }), [400, 'InvalidParameter.Kind', 'The parameter Kind is not valid: things of that kind are not made in the region local-1; it has Machine.'])
    assert.deepEqual((await api.done('ListQuotas', {}, { as: THEIRS })).Items, [], 'it is one account\'s own')
    await api.done('SetQuota', { Kind: 'Machine', Unlimited: true })
    assert.deepEqual(await shown(), [])
    await api.app.close()
  })

  test('stock is what the host has, and set by nobody', async () => {
    const api = await openWithClerk()
    const { status, body } = await api.call('SetStock', { Kind: 'Machine', Count: 1 })
    assert.deepEqual([status, body.ResponseMetadata.Error?.Code], [400, 'OperationDenied.RegionNotSimulated'])
    await api.app.close()
  })

  test('nobody is kept from anything else', async () => {
    const api = await openWithClerk()
    const id = await api.createCluster('shop', 0, { as: CLERK })
    assert.equal((await api.done('ListClusters', { Filter: { Ids: [id] } }, { as: CLERK })).TotalCount, 1)
    await api.app.close()
  })

  test('a key that ceases to be the administrator\'s is refused, once that is known', async () => {
    const api = await openWithClerk()
    await api.done('SetBalance', { Amount: 1 })
    await api.store.write(api.now, tx => tx.setAdministrator(OURS.accessKeyId, false))
    api.now += 60_000
    assert.equal((await api.call('SetBalance', { Amount: 2 })).status, 403)
    await api.app.close()
  })
})

describe('in a simulated region', () => {
  const regions = new FreshRegions('anybody')

  test('any key of the account sets quotas', async () => {
    await regions.done('SetQuota', { Kind: 'Disk', Limit: 1 })
    assert.deepEqual((await regions.done('ListQuotas')).Items, [{ Kind: 'Disk', Limit: 1, Held: 0 }])
  })

  test('any key of the account sets the balance', async () => {
    await regions.done('SetBalance', { Amount: 5 })
    assert.equal((await regions.done('GetBalance'))['Amount'], 5)
  })
})
