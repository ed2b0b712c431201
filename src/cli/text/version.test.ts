import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choiceOf, versionWords } from './version.ts'

test('the version that runs is shown, and the one asked for where that is another', () => {
  const rows: readonly (readonly [asked: string, shown: string])[] = [
    ['v1.34.4', 'v1.34.4'], ['1.34', 'v1.34.4'], ['1.34.4-edgehold.1', 'v1.34.4'], ['1.20', 'v1.34.4 (1.20 was asked for)'], ['v1.34.1', 'v1.34.4 (v1.34.1 was asked for)'],
  ]
  for (const [KubernetesVersion, shown] of rows) assert.equal(versionWords({ KubernetesVersion, ServedVersion: 'v1.34.4' }), shown)
  assert.equal(choiceOf({ KubernetesVersion: '1.20', ServedVersion: 'v1.34.4' }), '1.20 was asked for; v1.34.4 runs, the nearest newer version that is served')
})
