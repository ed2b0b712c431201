import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { TSchema } from 'typebox'
import { ACTIONS } from '#api/actions/all.ts'
import { API_ERRORS, isGentle, soundsGone } from '#model/errors/catalogue.ts'
import type { Answer } from './api-under-test.ts'

/** An answer that refuses: of the catalogue, its sentence whole, and in gentle actions free of the words that clients take for "gone". */
export function assertCatalogue(action: string, { status, body, text }: Answer): void {
  const error = body.ResponseMetadata.Error
  assert.ok(error, `${action} was accepted: ${text.slice(0, 300)}`)
  assert.ok(status >= 400 && status < 500, `${action}: ${status} ${text.slice(0, 300)}`)
  const row = API_ERRORS.find(([code, , codeN]) => codeN === error.CodeN && error.Code.startsWith(code.split('{')[0] ?? ''))
  assert.ok(row, `${error.Code} ${error.CodeN} is no row of the catalogue`)
  assert.equal(status, row[1])
  assert.doesNotMatch(error.Message, /\{\w+\}|undefined|\[object/, 'every place of the sentence is filled')
  if (isGentle(action) && status !== 404) assert.ok(!soundsGone(`${error.Code}: ${error.Message}`), `${action} would be read as gone: ${error.Code}: ${error.Message}`)
}

/** Actions with bodies of any JSON, and with bodies that have odd values in the right places. */
export function oddBodies(): fc.Arbitrary<[action: string, text: string]> {
  const json = fc.json({ maxDepth: 4 })
  return fc.constantFrom(...ACTIONS).chain(action => fc.tuple(fc.constant(action.name), fc.oneof(json, bodyLike(action.schema).map(body => JSON.stringify(body)))))
}

/** Bodies that look like the action's, with values of any kind in the right places. */
function bodyLike(schema: TSchema): fc.Arbitrary<unknown> {
  const { type, anyOf, properties, items } = schema as { type?: string; anyOf?: TSchema[]; properties?: Record<string, TSchema>; items?: TSchema }
  const odd = fc.constantFrom<unknown>(null, 0, -1, 1e308, true, '', ' ', 'ccvmb0c66t101fnob3dhg', '10.0.0.0/8', '\u0000', '😀', [], {}, [null], [[]])
  if (anyOf) return fc.oneof(odd, ...anyOf.map(bodyLike))
  if (type === 'object') return fc.record(Object.fromEntries(Object.entries(properties ?? {}).map(([name, member]) => [name, fc.oneof({ weight: 4, arbitrary: bodyLike(member) }, { weight: 1, arbitrary: odd })])), { requiredKeys: [] })
  if (type === 'array') return fc.array(items ? bodyLike(items) : odd, { maxLength: 4 })
  if (type === 'integer') return fc.oneof(fc.integer(), fc.maxSafeInteger(), odd)
  if (type === 'boolean') return fc.oneof(fc.boolean(), odd)
  return fc.oneof(fc.string({ unit: 'binary', maxLength: 70 }), odd)
}
