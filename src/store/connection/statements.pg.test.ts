import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type { OpenStore } from '../open.ts'
import { scratchPostgres, type ScratchPostgres } from '../testing/scratch-postgres.ts'
import { asIds, isAmong, isText, sentValue } from './statements.ts'

describe('what is sent with a statement', () => {
  let postgres: ScratchPostgres
  let opened: OpenStore
  before(async () => {
    postgres = await scratchPostgres()
    opened = await postgres.openCopy()
  })
  after(() => postgres.end())

  test('PostgreSQL reads back every list of texts as it was given', async () => {
    for (const list of [[], [''], ['a', 'b-1', 'c:core-dns'], ['NULL', null, 'null'], ['{a,b}', '"', '\\', '\\"', '\\n', ' x '], ['line\nfeed', '\t', '\u0001'], ['übel', '边缘', '😀', '\u2028']]) {
      const [row] = await opened.query<{ list: unknown }>('select $1::text[] as list', [list])
      assert.deepEqual(row?.list, list)
    }
  })

  test('PostgreSQL finds the rows of ids, whatever else stands among these', async () => {
    const among = (ids: readonly string[]) => opened.query<{ id: string }>(`select id from (values ('a'), ('b"c'), ('\\u0000'), ('边缘')) rows (id) where ${isAmong('id', '$1')} order by id`, [asIds(ids)]).then(rows => rows.map(({ id }) => id))
    assert.deepEqual(await among([]), [])
    assert.deepEqual(await among(['a', 'a', 'b"c', 'nobody']), ['a', 'b"c'])
    assert.deepEqual(await among(['a', '\0', 'a\0', '\ud800', '\\u0000', '边缘']), ['\\u0000', 'a', '边缘'])
  })

  test('ids are looked up by their index however few rows there are, and by one plan', async () => {
    await opened.query('create table few (id text primary key, value text not null)')
    await opened.query("insert into few select 'row-' || n, repeat('x', 500) from generate_series(1, 300) n")
    await opened.query('analyze few')
    const plan = await opened.query<{ 'QUERY PLAN': string }>(`explain select value from few where ${isAmong('id', '$1')}`, [asIds(['row-1'])])
    assert.match(plan.map(row => row['QUERY PLAN']).join('\n'), /Index Cond: \(id = ANY/)
    const look = `select value from few where ${isAmong('id', '$1')}`
    for (let number = 1; number <= 8; number++) await opened.query(look, [asIds([`row-${number}`])])
    const plans = await opened.query<{ anew: number; once: number }>('select custom_plans::int as anew, generic_plans::int as once from pg_prepared_statements where statement = $1', [look])
    assert.deepEqual(plans, [{ anew: 5, once: 3 }])
    await opened.query('drop table few')
  })

  test('what is no text is told apart', () => assert.deepEqual(['a', '\0', 'b\0', '\ud800', '😀'].filter(isText), ['a', '😀']))

  test('what is no list of plain texts is left as it is', () => {
    const lists = [[1, 2], [Buffer.from('a')], [['a']], ['\0'], ['\ud800']], others = [Buffer.from('a'), 'a', 1, null, { a: 1 }]
    for (const value of [...lists, ...others]) assert.equal(sentValue(value), value)
    assert.equal(sentValue(['a', null, 'b"c']), '{"a",null,"b\\"c"}')
  })
})
