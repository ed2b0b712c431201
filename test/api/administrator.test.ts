import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FreshRegions } from '#test/harness/fresh-regions.ts'
import { ApiUnderTest, OURS, type CallAs } from './api-under-test.ts'

/** Another key of the account whose first one is the administrator's. */
const CLERK = { accountId: OURS.accountId, accessKeyId: 'AKLTCLERK', secretAccessKey: 'clerks-secret' }

async function openWithClerk(): Promise<ApiUnderTest> {
  const api = await ApiUnderTest.open()
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

  test('any key of the account sets the balance', async () => {
    await regions.done('SetBalance', { Amount: 5 })
    assert.equal((await regions.done('GetBalance'))['Amount'], 5)
  })
})
