import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { NotReady, RegionPorts } from '#api/regions.ts'
import type { RegionFaults, StandingFault } from '#ports/region-world.ts'
import { ApiUnderTest } from './api-under-test.ts'

const MINUTE = 60_000, HOUR = 60 * MINUTE
const OPENING: NotReady = { why: 'it is being opened', passes: true }

describe('a call that is delayed is carried out at the time that the region has then', () => {
  let api: ApiUnderTest, effect: StandingFault['effect'] | undefined, refusal: NotReady | undefined
  /** What happens in the region once the call is struck, each time that it is asked whether it takes writes, and after each write. */
  let onStrike: () => void, onOpen: () => void, afterWrite: () => void
  const nothing = () => {}
  const faults = {
    list: () => (effect ? [{}] : []),
    strike: () => {
      onStrike()
      return effect && { id: 'f1', effect }
    },
  } as unknown as RegionFaults
  const region: Partial<RegionPorts> = { faults, untilOpen: async () => onOpen(), refusesWrites: () => refusal, afterWrite: async () => afterWrite() }

  beforeEach(async () => {
    effect = refusal = undefined
    onStrike = onOpen = afterWrite = nothing
    api = await ApiUnderTest.open({}, region)
  })
  afterEach(() => api.app.close())

  const running = async (name: string) => {
    const id = await api.createCluster(name, 0)
    await api.makeClusterRun(id)
    return id
  }
  const deletionOf = async (id: string) => (await api.store.findCluster(id))?.facts.deletion?.requestedAt
  const passes = (ms: number) => () => { api.now += ms }

  test('a slow one, by a fault of ours: the deadlines of what it asks for begin then', async () => {
    const id = await running('shop')
    const { Id: pool = '' } = await api.done('CreateEdgeNodePool', { ClusterId: id, Name: 'counters' })
    await api.makePoolRun(pool)
    effect = { type: 'slow', for: 1 }
    onStrike = passes(3 * HOUR)
    const { Ids: [script = ''] = [] } = await api.done('CreateBatchEdgeMachine', { ClusterId: id, NodePoolId: pool, Name: 'tills', TTLHours: 1 })
    assert.equal((await api.store.findOnboarding(script))?.expiresAt, (api.now + HOUR) / 1_000)
    await api.done('SetBalance', { Amount: 5 })
    assert.equal((await api.store.findAccount({ accountId: '2100000001', region: 'local-1' })).balance?.at, api.now)
    await api.done('DeleteCluster', { Id: id })
    assert.equal(await deletionOf(id), api.now)
  })

  test('a slow one whose region has ceased to take writes meanwhile is refused', async () => {
    const id = await running('shop')
    effect = { type: 'slow', for: 1 }
    onStrike = () => { refusal = { why: 'it is being deleted', passes: false } }
    assert.equal((await api.call('DeleteCluster', { Id: id })).body.ResponseMetadata.Error?.Code, 'OperationDenied.RegionNotReady')
    assert.equal(await deletionOf(id), undefined)
  })

  test('a slow one waits again for a region that is opened meanwhile', async () => {
    const id = await running('shop')
    effect = { type: 'slow', for: 1 }
    onStrike = () => {
      refusal = OPENING
      onOpen = () => {
        refusal = undefined
        api.now += MINUTE
      }
    }
    await api.done('DeleteCluster', { Id: id })
    assert.equal(refusal, undefined)
    assert.equal(await deletionOf(id), api.now)
  })

  test('where the region is still not open then, it is told so that clients send it again: nothing was done', async () => {
    const id = await running('shop')
    refusal = OPENING
    for (const call of [() => api.call('DeleteCluster', { Id: id }), () => api.call('SetBalance', { Amount: 5 }), () => api.call('SetClock', { Step: '1m' })]) {
      const { status, body: { ResponseMetadata: { Error: error } } } = await call()
      assert.deepEqual([status, error], [503, { Code: 'ServiceUnavailable', CodeN: 100_023, Message: 'Not ready yet: the region local-1 takes no orders: it is being opened. It may be sent again.' }])
    }
    assert.equal(await deletionOf(id), undefined)
  })

  test('calls about regions themselves wait for none, and are refused for none', async () => {
    for (const kept of [OPENING, { why: 'it is being deleted', passes: false }]) {
      refusal = kept
      onOpen = () => assert.fail('the region of the signature is waited for')
      assert.deepEqual(await api.done('CreateRegion', { Region: 'ci-1' }), { Region: 'ci-1' })
      assert.deepEqual(await api.done('DeleteRegion', { Region: 'sim-1' }), {})
      assert.ok(((await api.done('ListRegions')).Items?.length ?? 0) > 0)
    }
  })

  test('one that arrives twice, the second time', async () => {
    effect = { type: 'double' }
    afterWrite = passes(HOUR)
    const before = api.now
    await api.done('SetBalance', { Amount: 5 })
    assert.equal((await api.store.findAccount({ accountId: '2100000001', region: 'local-1' })).balance?.at, before + HOUR)
  })

  test('one that waited for its region to open', async () => {
    const id = await running('shop')
    onOpen = passes(HOUR)
    await api.done('DeleteCluster', { Id: id })
    assert.equal(await deletionOf(id), api.now)
  })
})
