import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { TSchema } from 'typebox'
import { ACTIONS } from '#api/actions/all.ts'
import { assertCatalogue } from './odd-bodies.ts'
import { openSmallWorld, type SmallWorld } from './small-world.ts'

interface Shape { readonly type?: string; readonly anyOf?: readonly Shape[]; readonly items?: Shape; readonly properties?: Readonly<Record<string, Shape>>; readonly additionalProperties?: boolean | object }
interface Leaf { readonly path: readonly string[]; readonly shape: Shape }

/** A debt is a balance, too. */
const MAY_BE_NEGATIVE = new Set(['SetBalance Amount'])
/** More than any list of the contract may have, and less than a body may hold. */
const HUGE = 5_000

/** Every member of every action's body, however deep it stands, with values of its own type that can be no good. */
suite('members that make no sense', () => {
  for (const action of ACTIONS) {
    const leaves = [...leavesOf(action.schema as TSchema as Shape, [])]
    if (leaves.length === 0) continue
    test(action.name, async context => {
      let world = await openSmallWorld()
      context.after(() => world.api.app.close())
      for (const { path, shape } of leaves) {
        for (const [value, isNever] of valuesFor(shape, `${action.name} ${path.join('.')}`)) {
          const what = `${action.name} with ${path.join('.')} = ${JSON.stringify(value).slice(0, 60)}`
          const untouched = await world.api.everything()
          const answer = await world.api.call(action.name, put(world.valid[action.name] ?? {}, path, value))
          if (answer.status === 200) {
            assert.ok(!isNever, `${what} was taken: ${answer.text.slice(0, 200)}`)
            if (action.kind === 'write') world = await another(world)
            continue
          }
          assertCatalogue(what, answer)
          assert.deepEqual(await world.api.everything(), untouched, `${what} left something behind`)
        }
      }
      assert.deepEqual(world.api.errors, [])
    })
  }
})

async function another(world: SmallWorld): Promise<SmallWorld> {
  assert.deepEqual(world.api.errors, [])
  await world.api.app.close()
  return openSmallWorld()
}

/** `path` leads through the first element of a list where one stands on the way. */
function* leavesOf(shape: Shape, path: readonly string[]): Generator<Leaf> {
  if (path.length > 0) yield { path, shape }
  for (const [name, member] of Object.entries(shape.properties ?? {})) yield* leavesOf(member, [...path, name])
  if (shape.items) yield* leavesOf(shape.items, [...path, '0'])
}

/** Values, each with whether it can never be taken. */
function* valuesFor(shape: Shape, where: string): Generator<readonly [value: unknown, isNever: boolean]> {
  const { type, anyOf, items } = shape
  if (type === 'number' || type === 'integer') yield* [[-1, !MAY_BE_NEGATIVE.has(where)], [-1e308, true], [1e308, true], ['1', true], [true, true]]
  if (type === 'array') yield* [[[], false], [Array.from({ length: HUGE }, (_, index) => exampleOf(items, index)), true], [[[[]]], true], [[{ Unexpected: 1 }], items?.type !== 'object'], ['text', true]]
  if (type === 'string' || anyOf) yield* [['', false], ['a'.repeat(10_000), false], ['\u0000', false], [['a'], true], [-1, type === 'string']]
  if (type === 'boolean') yield* [['yes', true], [-1, true], [[], true]]
  if (type === 'object') yield* [[[], true], ['text', true], [-1, true]]
}

function exampleOf(shape: Shape | undefined, index: number): unknown {
  if (shape?.type === 'object') return { Key: `key-${index}`, Value: 'v', Effect: 'NoSchedule' }
  if (shape?.anyOf) return (shape.anyOf[0] as { const?: unknown }).const ?? `value-${index}`
  return shape?.type === 'number' || shape?.type === 'integer' ? index : `value-${index}`
}

function put(body: unknown, [name = '', ...rest]: readonly string[], value: unknown): unknown {
  const inner = rest.length === 0 ? value : put(typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined, rest, value)
  if (Array.isArray(body)) return [inner, ...body.slice(1)]
  if (name === '0') return [inner]
  return { ...body as object, [name]: inner }
}
