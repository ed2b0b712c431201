import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { withoutUndefined } from './unit-of-work.ts'

const SCALAR = fc.oneof(fc.string(), fc.boolean(), fc.constant(null), fc.constant(undefined), fc.double(), fc.constant(-0), fc.date({ noInvalidDate: true }))
const { value: VALUE } = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof({ maxDepth: 4 }, SCALAR, fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(fc.string({ maxLength: 6 }), tie('value'), { maxKeys: 5, noNullPrototype: true })),
}))

describe('parts of records', () => {
  test('are kept as JSON would give them back', () => {
    fc.assert(fc.property(VALUE, value => {
      const text = JSON.stringify(value) as string | undefined
      assert.deepStrictEqual(withoutUndefined(value), text === undefined ? undefined : JSON.parse(text))
    }), { numRuns: 2_000 })
  })

  test('are not copied where they are so already, however deep', () => {
    fc.assert(fc.property(fc.jsonValue().filter(value => !hasMinusZero(value)), value => {
      const again = JSON.parse(JSON.stringify(value)) as unknown
      assert.equal(withoutUndefined(again), again)
    }), { numRuns: 500 })
  })

  test('are copied where one member of them is undefined, and the given one stays as it was', () => {
    const given = { status: { phase: 'Running', conditions: ['Ok'] }, evidence: [{ fact: 'seen', raw: undefined }] }
    const kept = withoutUndefined(given)
    assert.deepStrictEqual(kept, { status: { phase: 'Running', conditions: ['Ok'] }, evidence: [{ fact: 'seen' }] })
    assert.deepStrictEqual(given.evidence, [{ fact: 'seen', raw: undefined }])
  })

  test('that are of a class are kept as what JSON has of them', () => {
    class Quota { readonly kind = 'machines' }
    assert.deepStrictEqual(withoutUndefined({ quota: new Quota() }), { quota: { kind: 'machines' } })
  })
})

function hasMinusZero(value: unknown): boolean {
  return Object.is(value, -0) || (typeof value === 'object' && value !== null && Object.values(value).some(hasMinusZero))
}
