import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { openSmallWorld, type SmallWorld } from './small-world.ts'

describe('calls about simulated regions', () => {
  let world: SmallWorld
  before(async () => { world = await openSmallWorld() })
  const refusal = async (action: string, body: object, region = 'local-1') => {
    const { status, body: { ResponseMetadata: { Error: error } } } = await world.api.call(action, body, { region })
    return `${status} ${error?.Code ?? ''}`
  }

  test('a clock is shown, paused, sped up and stepped', async () => {
    assert.deepEqual(await world.api.done('GetClock'), { Now: '2026-12-01T00:00:00.000Z', Speed: 1, Paused: true })
    assert.deepEqual(await world.api.done('SetClock', { Step: '61m' }), { Now: '2026-12-01T01:01:00.000Z', Speed: 1, Paused: true })
    assert.deepEqual(await world.api.done('SetClock', { Paused: false, Speed: 60 }), { Now: '2026-12-01T01:01:00.000Z', Speed: 60, Paused: false })
    assert.deepEqual(await world.api.done('SetClock', { Step: '500ms', Paused: true }), { Now: '2026-12-01T01:01:00.500Z', Speed: 60, Paused: true })
  })

  // oxfmt-ignore
  const refused: [what: string, action: string, body: object, answer: string][] = [
    ['a step back',                      'SetClock', { Step: '-61m' },                        '400 InvalidParameter.Step'],
    ['a step of no unit',                'SetClock', { Step: '61' },                          '400 InvalidParameter.Step'],
    ['a step past the year 2100',        'SetClock', { Step: '26801d' },                      '400 InvalidParameter.Step'],
    ['a speed of nought',                'SetClock', { Speed: 0 },                            '400 InvalidParameter.Speed'],
    ['a speed that goes back',           'SetClock', { Speed: -1 },                           '400 InvalidParameter.Speed'],
    ['nothing to set',                   'SetClock', {},                                      '400 InvalidParameter.Paused'],
    ['a region with a bad name',         'CreateRegion', { Region: 'CI_1' },                  '400 InvalidParameter.Region'],
    ['a region with a real one\'s name', 'CreateRegion', { Region: 'local-7' },               '400 InvalidParameter.Region'],
    ['a region with an alias for name',  'CreateRegion', { Region: 'cn-beijing' },            '400 InvalidParameter.Region'],
    ['a region that is there',           'CreateRegion', { Region: 'sim-1' },                 '409 Conflict.Region'],
    ['one made at the same moment',      'CreateRegion', { Region: 'sim-taken' },             '409 Conflict.Region'],
    ['a start that is no time',          'CreateRegion', { StartAt: 'tomorrow' },             '400 InvalidParameter.StartAt'],
    ['a start past the end of time',     'CreateRegion', { StartAt: '2100-01-01T00:00:00Z' }, '400 InvalidParameter.StartAt'],
    ['a duration that is no span',       'CreateRegion', { Durations: { Boot: 'soon' } },      '400 InvalidParameter.Durations.Boot'],
    ['a negative seed',                  'CreateRegion', { Seed: -1 },                        '400 InvalidParameter.Seed'],
    ['deleting a real region',           'DeleteRegion', { Region: 'local-1' },               '400 OperationDenied.RegionNotSimulated'],
    ['deleting one that is not there',   'DeleteRegion', { Region: 'sim-9' },                 '404 NotFound.Region'],
  ]
  for (const [what, action, body, answer] of refused) test(`refuses ${what}`, async () => assert.equal(await refusal(action, body), answer))

  test('the clock of a region without one of its own is everybody\'s', async () => {
    assert.equal(await refusal('GetClock', {}, 'sim-1'), '400 OperationDenied.RegionNotSimulated')
  })

  test('a name is found for a region that is given none', async () => {
    assert.deepEqual(await world.api.done('CreateRegion', {}), { Region: 'sim-2' })
    assert.deepEqual(await world.api.done('DeleteRegion', { Region: 'sim-1' }), {})
  })
})
