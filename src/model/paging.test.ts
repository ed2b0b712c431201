import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRefusal } from './errors/catalogue.ts'
import { parsePage } from './paging.ts'
import { membersOf } from './request.ts'

test('pages are numbered from 1 and hold 1 to 100, by default 10', () => {
  assert.deepEqual(parsePage(membersOf('ListClusters', {})), { number: 1, size: 10 })
  assert.deepEqual(parsePage(membersOf('ListClusters', { PageNumber: 3, PageSize: 100 })), { number: 3, size: 100 })
  for (const body of [{ PageNumber: 0 }, { PageNumber: 1.5 }, { PageNumber: '1' }, { PageSize: 0 }, { PageSize: 101 }, { PageSize: Number.MAX_VALUE }]) {
    assert.throws(() => parsePage(membersOf('ListClusters', body)), error => isRefusal(error) && error.code === 'ParameterOutOfRange.{Parameter}' && error.httpStatus === 400, JSON.stringify(body))
  }
})

test('an empty body counts as an empty object, anything but an object is refused', () => {
  assert.deepEqual(membersOf('ListClusters', undefined).values, {})
  for (const body of [null, [], 'text', 7, true]) assert.throws(() => membersOf('ListClusters', body), error => isRefusal(error) && error.code === 'MalformedBody')
})
