import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type { OpenStore } from '../open.ts'
import { scratchPostgres, type ScratchPostgres } from '../testing/scratch-postgres.ts'
import { COLUMNS_OF } from '../records/columns.ts'
import { sentRows } from './sent-rows.ts'
import { asIds, isAmong, sentValues } from './statements.ts'
import { isText } from '../texts.ts'

describe('what is sent with a statement', () => {
  let postgres: ScratchPostgres
  let opened: OpenStore
  before(async () => {
    postgres = await scratchPostgres()
    opened = await postgres.openCopy()
  })
  after(() => postgres.end())

  test('PostgreSQL reads back every list of texts as it was given', async () => {
    for (const list of [[], [''], ['a', 'b-1', 'c:core-dns'], ['NULL', null, 'null'], ['{a,b}', '"', '\\', '\\"', '\\n', ' x '], ['line\nfeed', '\t', '\u0001'], ['x'.repeat(2_000), null, 'y'], ['é'.repeat(2_000), null, '', 'y'], ['übel', '边缘', '😀', '\u2028']]) {
      const [row] = await opened.query<{ list: unknown }>('select $1::text[] as list', [list])
      assert.deepEqual(row?.list, list)
    }
  })

  test('lists of texts of every length of character arrive, however they end', async () => {
    const pieces = ['', 'a', 'é', '边', '😀', 'aé', '😀a', 'éé', '边边', '😀😀', null]
    for (const first of pieces) for (const last of pieces) {
      const [row] = await opened.query<{ list: unknown }>('select $1::text[] as list', [[first, last]])
      assert.deepEqual(row?.list, [first, last])
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

  test('only lists of texts, where the statement takes such, are made into bytes', () => {
    const texts = 'select $1::text[], $2'
    for (const value of [[1, 2], [Buffer.from('a')], [['a']], Buffer.from('a'), 'a', 1, null, { a: 1 }]) assert.equal(sentValues(texts, [value, 1])[0], value)
    const list = ['a', null], [bytes, left] = sentValues(texts, [list, list])
    assert.ok(Buffer.isBuffer(bytes))
    assert.equal(left, list)
    assert.deepEqual(sentValues('select $12::text[], $1::inet[]', [list]), [list])
  })

  test('rows arrive as they were given, whatever a column holds', async () => {
    const columns = { id: 'text', at: 'bigint', granted: 'boolean', list: 'text[]', fact: 'json', tags: 'jsonb', secret: 'bytea' } as const
    const rows = [
      { id: 'plain', at: 1, granted: true, list: ['Ok', 'NotReady'], fact: { a: [1, { b: 'c' }] }, tags: ['x'], secret: Buffer.from([0, 255]) },
      { id: '', at: 0, granted: false, list: [], fact: [], tags: {}, secret: Buffer.alloc(0) },
      { id: '"übel", {边缘} \\ 😀\n', at: Number.MAX_SAFE_INTEGER, granted: null, list: ['a"b', 'c\\d', '{e,f}', 'NULL', '', '边'], fact: { 'k"\\': '"\\n😀' }, tags: '"', secret: null },
      { id: 'none', at: undefined, granted: undefined, list: undefined, fact: null, tags: undefined, secret: undefined },
    ]
    const { names, selected, source, values, next } = sentRows(columns, rows)
    const read = await opened.query<Record<string, unknown>>(`select ${selected}, ${next}::bigint as more from ${source} as sent (${names})`, [...values, 7])
    assert.deepEqual(read, rows.map(row => ({ ...Object.fromEntries(Object.keys(columns).map(name => [name, row[name as keyof typeof row] ?? null])), more: 7 })))
  })

  test('bytes that are no text are told as such, and keep nothing else from being written', async () => {
    const { names, selected, source, values } = sentRows({ id: 'text', list: 'text[]', fact: 'json' }, [{ id: 'a\0\ud800b', list: ['\0'], fact: { said: 'x\0\udfff\u001b', '\\u0000': 1 } }, { id: 'next', list: [], fact: 1 }])
    const read = await opened.query<object>(`select ${selected} from ${source} as sent (${names})`, values)
    assert.deepEqual(read, [{ id: 'a\uFFFD\uFFFDb', list: ['\uFFFD'], fact: { said: 'x\uFFFD\uFFFD\u001b', '\\u0000': 1 } }, { id: 'next', list: [], fact: 1 }])
  })

  test('the columns to which rows are sent are those of the tables', async () => {
    const own: Readonly<Record<string, readonly string[]>> = { status_change: ['ordinal', 'position'], ledger: ['spent'] }
    const typed = (type: string) => (type === 'ARRAY' ? 'text[]' : type)
    for (const [table, columns] of Object.entries(COLUMNS_OF)) {
      const there = await opened.query<{ name: string; type: string }>("select column_name as name, data_type as type from information_schema.columns where table_schema = 'public' and table_name = $1", [table])
      const sent = there.filter(({ name }) => !own[table]?.includes(name)).map(({ name, type }) => [name, typed(type)] as const)
      assert.deepEqual({ table, ...columns }, { table, ...Object.fromEntries(sent) })
    }
  })
})
