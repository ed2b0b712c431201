import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isRefusal } from '../errors/catalogue.ts'
import { membersOf } from '../request.ts'
import type { Scaling } from './record.ts'
import { DEFAULT_SCALING, movedBy, parseScaling, scaledTo, scalingToWire, targetOf } from './scaling.ts'

const sent = (config: object, before?: Scaling) => parseScaling(membersOf('UpdateEdgeNodePoolConfig', config), before)
const codeOf = (config: object) => {
  try {
    sent(config)
    return 'accepted'
  } catch (error) {
    assert.ok(isRefusal(error))
    return error.wireCode
  }
}
/** All members, as clients send them every time. */
const all = (desired: number) => ({ Enabled: true, MinReplicas: 0, MaxReplicas: 10, DesiredReplicas: desired, Priority: 10 })

describe('who owns DesiredReplicas', () => {
  test('a value that equals the one last sent is no request, whatever moved the target meanwhile', () => {
    const moved = movedBy(sent(all(3)), -1)
    assert.deepEqual([targetOf(moved), targetOf(sent(all(3), moved)), targetOf(sent(all(4), moved))], [2, 2, 4])
    assert.equal(targetOf(sent({ ...all(3), MaxReplicas: 1 }, moved)), 1, 'a new bound holds at once')
    assert.equal(targetOf(sent({ Priority: 5 }, moved)), 2, 'an unrelated change moves nothing')
  })

  test('ScaleUp sets the target even to what was sent before', () => {
    const down = movedBy(scaledTo(sent(all(3)), 5), -2)
    assert.deepEqual([targetOf(down), targetOf(scaledTo(down, 5)), scalingToWire(down).DesiredReplicas], [3, 5, 5])
    assert.equal(targetOf(sent(all(5), down)), 3, 'who goes on sending 5 asks for nothing new')
  })

  test('the target lies within the bounds, and need counts where it is more', () => {
    const scaling = { ...DEFAULT_SCALING, minReplicas: 2, maxReplicas: 4, desiredReplicas: 0 }
    assert.deepEqual([targetOf(scaling), targetOf(scaling, 3), targetOf(scaling, 9), targetOf({ ...scaling, desiredReplicas: 65_535 }), targetOf(movedBy(scaling, -5))], [2, 3, 4, 4, 2])
  })

  test('nodes that a caller takes away are taken from what the pool holds: those that came for need alone lower nothing that callers want', () => {
    const wants = (desired: number, nodes: number, need: number) => movedBy(sent(all(desired)), -nodes, need).desiredReplicas
    assert.deepEqual([wants(1, 1, 2), wants(1, 2, 2), wants(3, 1, 5), wants(3, 3, 5), wants(3, 1, 2)], [1, 0, 3, 2, 2])
    const least = sent({ ...all(0), MinReplicas: 2 })
    assert.equal(targetOf(sent({ MinReplicas: 0 }, movedBy(least, -1))), 0, 'the least is not made a wish')
  })

  test('answers show what was last sent, all five members, and Mode only if it was sent', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 65_535 }), fc.array(fc.integer({ min: -5, max: 5 })), (desired, moves) => {
      const scaling = moves.reduce<Scaling>((one, move) => movedBy(one, move), sent(all(desired)))
      assert.deepEqual(scalingToWire(scaling), all(desired))
    }))
    assert.deepEqual(scalingToWire(sent({ Mode: 'Recycle' })), { Enabled: false, MinReplicas: 0, MaxReplicas: 10, DesiredReplicas: 0, Priority: 10, Mode: 'Recycle' })
  })
})

test('values that may not be are refused by name', () => {
  for (const [name, values] of Object.entries({ MinReplicas: [-1, 2001, 1.5, '1'], MaxReplicas: [0, 2001, true], DesiredReplicas: [-1, 65_536, {}], Priority: [-1, 101], Enabled: ['yes', 1], Mode: ['Never', 1] }))
    for (const value of values) assert.equal(codeOf({ [name]: value }), `InvalidParameter.${name}`, `${name} ${JSON.stringify(value)}`)
  assert.equal(codeOf({ MinReplicas: 3, MaxReplicas: 2 }), 'InvalidParameter.MinReplicas')
  assert.equal(codeOf({ MinReplicas: 2000, MaxReplicas: 2000, DesiredReplicas: 65_535, Priority: 100 }), 'accepted')
})
