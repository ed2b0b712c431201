import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { WorldTaken, type KeptThing, type WorldStore } from './world-store.ts'

/** The promises of a world's store, each a test in a region of its own. */
export function worldStoreContract(name: string, open: () => Promise<{ store: WorldStore; close(): Promise<void> }>): void {
  describe(`world store contract: ${name}`, () => {
    let parts: Awaited<ReturnType<typeof open>>
    before(async () => { parts = await open() })
    after(() => parts.close())
    let regions = 0
    const fresh = () => `sim-${++regions}`
    const claims = new Map<string, number>()
    const write = async (region: string, changes: readonly KeptThing[]): Promise<void> => {
      const claim = claims.get(region) ?? await parts.store.claim(region)
      claims.set(region, claim)
      await parts.store.write(region, claim, changes)
    }
    const all = async (region: string): Promise<Record<string, unknown>> => {
      const things: [string, unknown][] = []
      for await (const { kind, id, text } of parts.store.load(region)) things.push([`${kind}/${id}`, JSON.parse(text ?? 'null')])
      return Object.fromEntries(things.toSorted(([one], [other]) => (one < other ? -1 : 1)))
    }
    const thing = (id: string, value: unknown): KeptThing => ({ kind: 'machine', id, text: value === undefined ? undefined : JSON.stringify(value) })

    test('what was written is there, each region apart', async () => {
      const [one, other] = [fresh(), fresh()]
      await write(one, [thing('a', { n: 1 }), thing('b', { n: 2 })])
      await write(other, [thing('a', { n: 3 })])
      assert.deepEqual(await all(one), { 'machine/a': { n: 1 }, 'machine/b': { n: 2 } })
      assert.deepEqual(await all(other), { 'machine/a': { n: 3 } })
    })

    test('one thing is found by itself, or is not there', async () => {
      const [region, other] = [fresh(), fresh()]
      await write(region, [thing('a', { n: 1 }), thing('b', 2)])
      assert.deepEqual(JSON.parse(await parts.store.find(region, 'machine', 'a') ?? ''), { n: 1 })
      assert.deepEqual([await parts.store.find(region, 'machine', 'c'), await parts.store.find(region, 'node', 'a'), await parts.store.find(other, 'machine', 'a')], [undefined, undefined, undefined])
    })

    test('all things of a kind are found in some regions, and nothing of others', async () => {
      const [one, other, third] = [fresh(), fresh(), fresh()]
      for (const region of [one, other, third]) await write(region, [thing('a', { of: region }), { kind: 'node', id: 'a', text: '1' }])
      await write(one, [thing('b', { n: 2 })])
      const found = await parts.store.ofKind([one, other, 'never-made'], 'machine')
      const named = (region: string, text: string) => `${region} ${JSON.stringify(JSON.parse(text))}`
      assert.deepEqual(new Set(found.map(({ region, text }) => named(region, text))), new Set([`${one} {"n":2}`, `${one} {"of":"${one}"}`, `${other} {"of":"${other}"}`]))
      assert.deepEqual([await parts.store.ofKind([one], 'fault'), await parts.store.ofKind([], 'machine')], [[], []])
    })

    test('a thing is replaced, and goes, also in one write with others', async () => {
      const region = fresh()
      await write(region, [thing('a', { n: 1 }), thing('b', { n: 2 })])
      await write(region, [thing('a', { n: 4 }), thing('b', undefined), thing('never', undefined)])
      assert.deepEqual(await all(region), { 'machine/a': { n: 4 } })
      await write(region, [thing('a', undefined)])
      assert.deepEqual(await all(region), {})
      await write(region, [])
    })

    test('of two changes of one thing the last one counts', async () => {
      const region = fresh()
      await write(region, [thing('a', { n: 1 }), thing('a', { n: 2 }), thing('b', { n: 1 }), thing('b', undefined)])
      assert.deepEqual(await all(region), { 'machine/a': { n: 2 } })
    })

    test('all of a region is loaded, however much it is', async () => {
      const region = fresh()
      await write(region, Array.from({ length: 11_000 }, (_, index) => thing(`m${index}`, { index })))
      assert.equal(Object.keys(await all(region)).length, 11_000)
    })

    test('whoever opened the region last writes it, and nobody else any more', async () => {
      const region = fresh()
      const first = await parts.store.claim(region)
      await parts.store.write(region, first, [thing('a', 1), thing('b', 1)])
      const second = await parts.store.claim(region)
      for (const late of [[thing('a', 2)], [thing('b', undefined)], [thing('a', 2), thing('b', undefined)]]) {
        await assert.rejects(parts.store.write(region, first, late), (error: unknown) => error instanceof WorldTaken && error.kind === 'WorldTaken')
      }
      assert.deepEqual(await all(region), { 'machine/a': 1, 'machine/b': 1 })
      await parts.store.write(region, second, [thing('a', 3)])
      assert.deepEqual(await all(region), { 'machine/a': 3, 'machine/b': 1 })
    })

    test('a forgotten region leaves the others', async () => {
      const [one, other] = [fresh(), fresh()]
      await write(one, [thing('a', 1)])
      await write(other, [thing('a', 2)])
      await parts.store.forget(one)
      assert.deepEqual([await all(one), await all(other)], [{}, { 'machine/a': 2 }])
    })
  })
}
