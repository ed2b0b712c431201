import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { RegionChange } from '#ports/region-events.ts'
import { MemoryWorldStore } from '../store/memory-world-store.ts'
import type { KeptThing } from '../store/world-store.ts'
import { TinyRegion } from '../testing/tiny-region.harness.ts'
import { Unheard } from './told.ts'

/** Knows how much was written, and may be away. */
class MeteredStore extends MemoryWorldStore {
  characters = 0
  isAway = false
  override async write(region: string, claim: number, changes: readonly KeptThing[]): Promise<void> {
    if (this.isAway) throw new Error('away')
    for (const { text } of changes) this.characters += text?.length ?? 0
    return super.write(region, claim, changes)
  }
}

const order = (id: string) => ({ id, name: `shop-${id}`, address: '10.213.4.9', power: 'on', link: 'up' } as const)
const idsOf = (changes: readonly RegionChange[]): readonly string[] => changes.map(change => (change.kind === 'Machine' ? change.id : change.kind))
const textsOf = async (store: MemoryWorldStore): Promise<readonly string[]> => (await Array.fromAsync(store.load('sim-1'))).flatMap(({ kind, id }) => (kind === 'told' ? id : []))

describe('what a world told and nobody heard', () => {
  test('a call is written with what it changed, however much was told before it', async () => {
    const store = new MeteredStore()
    const tiny = await TinyRegion.open({ store })
    const costs: number[] = []
    for (let hundred = 0; hundred < 5; hundred++) {
      const before = store.characters
      for (let machine = 100; machine < 200; machine++) await tiny.region.machines.ensure(order(`m${hundred}${machine}`))
      costs.push(store.characters - before)
      // Some of it waits, and some was given out.
      if (hundred === 2) await tiny.region.events.liveUntil(tiny.now)
    }
    assert.ok(Math.max(...costs) < 1.1 * Math.min(...costs), costs.join())
    assert.equal((await textsOf(store)).length, 500, 'a row a call, as nothing was heard')
    tiny.region.events.heard()
    await tiny.region.machines.ensure(order('m9999'))
    assert.equal((await textsOf(store)).length, 201, 'what was given out was heard')
  })

  test('is told to one process after another until one of them says that it was heard', async () => {
    const store = new MemoryWorldStore()
    const tiny = await TinyRegion.open({ store })
    await tiny.region.machines.ensure(order('m1'))
    assert.deepEqual(idsOf(tiny.region.events.unheard()), [], 'it was not given out yet')
    // Killed, and killed again by the next call while the words of the one before are being written, twice.
    for (const id of ['m2', 'm3', 'm4']) {
      const told = idsOf(tiny.region.events.unheard())
      await tiny.restart()
      assert.deepEqual(idsOf(tiny.region.events.unheard()).slice(0, told.length), told)
      await tiny.region.machines.ensure(order(id))
    }
    await tiny.restart()
    assert.deepEqual(idsOf(tiny.region.events.unheard()), ['m1', 'm2', 'm3', 'm4'], 'in the order in which they were told')
    tiny.region.events.heard()
    assert.deepEqual(tiny.region.events.unheard(), [])
    await tiny.region.machines.ensure(order('m5'))
    await tiny.restart()
    assert.deepEqual(idsOf(tiny.region.events.unheard()), ['m5'])
    assert.equal((await textsOf(store)).length, 1, 'what was heard is kept no more')
  })

  test('is kept with the next call where the store was away', async () => {
    const store = new MeteredStore()
    const tiny = await TinyRegion.open({ store })
    store.isAway = true
    await assert.rejects(tiny.region.machines.ensure(order('m1')), /away/)
    store.isAway = false
    await tiny.region.machines.ensure(order('m2'))
    await tiny.restart()
    assert.deepEqual(idsOf(tiny.region.events.unheard()), ['m1', 'm2'])
  })

  test('rows that earlier versions kept are read, and go once they were heard', async () => {
    const store = new MemoryWorldStore()
    const tiny = await TinyRegion.open({ store })
    for (const id of ['m1', 'm2']) await tiny.region.machines.ensure(order(id))
    tiny.region.events.heard()
    const claim = await store.claim('sim-1')
    for (const id of await textsOf(store)) await store.write('sim-1', claim, [{ kind: 'told', id, text: undefined }])
    await store.write('sim-1', claim, [{ kind: 'told', id: '', text: JSON.stringify([['Machine', 'm2'], ['Machine', 'm1']]) }])
    await tiny.restart()
    assert.deepEqual(idsOf(tiny.region.events.unheard()), ['m2', 'm1'])
    await tiny.region.machines.ensure(order('m3'))
    await tiny.restart()
    assert.deepEqual(idsOf(tiny.region.events.unheard()), ['m2', 'm1', 'm3'])
    const again = await store.claim('sim-1')
    for (const id of await textsOf(store)) await store.write('sim-1', again, [{ kind: 'told', id, text: undefined }])
    for (const [id, turn] of [['m2', 8], ['m1', 9]] as const) await store.write('sim-1', again, [{ kind: 'told', id: `Machine/${id}`, text: JSON.stringify({ turn, of: ['Machine', id] }) }])
    await tiny.restart()
    assert.deepEqual(idsOf(tiny.region.events.unheard()), ['m2', 'm1'])
    tiny.region.events.heard()
    await tiny.region.machines.ensure(order('m4'))
    await tiny.restart()
    assert.deepEqual(idsOf(tiny.region.events.unheard()), ['m4'])
  })
})

type Step = 'tell a' | 'tell b' | 'tell c' | 'give' | 'hear' | 'write' | 'write fails' | 'write is done and fails' | 'die'
const STEPS: readonly Step[] = ['tell a', 'tell b', 'tell c', 'give', 'hear', 'write', 'write fails', 'write is done and fails', 'die']

test('after a write that succeeded there is kept all that was told and not heard, in its order, and nothing once all was heard, whatever failed before', () => {
  fc.assert(fc.property(fc.array(fc.constantFrom(...STEPS), { maxLength: 60 }), story => {
    const kept = new Map<string, string>()
    let unheard = new Unheard(), waiting: string[] = [], given: string[] = []
    const put = (changes: readonly KeptThing[]): void => {
      for (const { id, text } of changes) {
        if (text === undefined) kept.delete(id)
        else kept.set(id, text)
      }
    }
    const reopened = (): Unheard => {
      const next = new Unheard()
      for (const [id, text] of kept) next.adopt(id, text)
      return next
    }
    for (const step of [...story, 'write'] as const) {
      switch (step) {
        case 'give':
          unheard.give()
          given = [...new Set([...given, ...waiting])]
          waiting = []
          break
        case 'hear':
          unheard.hear()
          given = []
          break
        case 'write': {
          const changes = unheard.changes()
          put(changes)
          unheard.wrote(changes)
          assert.equal(unheard.size, 0)
          const unheardNow = new Set([...given, ...waiting]), keptOf = new Set([...kept.values()].flatMap(text => (JSON.parse(text) as { of: readonly string[] }[]).map(({ of }) => of.join('/'))))
          assert.deepEqual([...unheardNow].filter(id => !keptOf.has(id)), [], story.join(', '))
          if (unheardNow.size === 0) assert.equal(kept.size, 0, story.join(', '))
          break
        }
        case 'write fails':
        case 'write is done and fails': {
          const changes = unheard.changes()
          if (step === 'write is done and fails') put(changes)
          unheard.failed(changes)
          break
        }
        case 'die':
          unheard = reopened()
          waiting = []
          given = unheard.given().map(of => of.join('/'))
          break
        case 'tell a':
        case 'tell b':
        case 'tell c': {
          const clusterId = step.slice(-1)
          unheard.tell({ kind: 'ControlPlane', clusterId })
          waiting = [...new Set([...waiting, `ControlPlane/${clusterId}`])]
        }
      }
      assert.deepEqual(unheard.given().map(of => of.join('/')), given, story.join(', '))
    }
  }), { numRuns: 2_000 })
})
