import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RecordsKept, RecordsMet } from './known-records.ts'

interface Child { readonly id: string; readonly parent: string }

const child = (id: string, parent = 'p'): Child => ({ id, parent })
const row = (id: string, version = '1') => ({ id, version })

describe('records that are known', () => {
  test('are told apart by the versions of their rows', () => {
    const kept = new RecordsKept<Child>(2), record = child('a')
    kept.keep(row('a'), record)
    assert.deepEqual([kept.get(row('a')), kept.get(row('a', '2')), kept.get(row('b'))], [record, undefined, undefined])
  })

  test('are as many as there may be: the one that was not used for the longest time goes', () => {
    const kept = new RecordsKept<Child>(2)
    for (const id of ['a', 'b']) kept.keep(row(id), child(id))
    kept.get(row('a'))
    kept.keep(row('c'), child('c'))
    assert.deepEqual(['a', 'b', 'c'].map(id => kept.get(row(id))?.id), ['a', undefined, 'c'])
  })

  test('are worth a look at versions where most are known, by their own ids or their parents\'', () => {
    const kept = new RecordsKept<Child>(3, ({ parent }) => [parent])
    kept.keep(row('a'), child('a'))
    assert.deepEqual([['a'], ['p'], ['a', 'b', 'c'], ['b'], []].map(ids => kept.hasMostOf(ids)), [true, true, false, false, false])
    kept.keep(row('a', '2'), child('a', 'q'))
    assert.deepEqual(['p', 'q'].map(id => kept.hasMostOf([id])), [false, true])
    kept.drop('a')
    assert.ok(!kept.hasMostOf(['q']))
  })

  test('of a transaction are known once it is committed', () => {
    const kept = new RecordsKept<Child>(3), met = new RecordsMet(kept), written = { rows: [] as { id: string; version: string }[] }
    kept.keep(row('gone'), child('gone'))
    met.keep(row('read'), child('read'))
    met.wrote(written, id => (id === 'other' ? undefined : child(id)))
    met.drop('gone')
    written.rows.push(row('written'), row('other'))
    const known = () => ['read', 'written', 'other', 'gone'].filter(id => kept.get(row(id)))
    assert.deepEqual(known(), ['gone'])
    met.committed()
    assert.deepEqual(known(), ['read', 'written'])
  })
})
