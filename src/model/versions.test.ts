import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRefusal } from './errors/catalogue.ts'
import { servedVersion } from './versions.ts'

const SERVED = ['v1.34.4', 'v1.35.2']

test('what was asked for runs where it is served', () => {
  for (const [text, version] of [['1.34', 'v1.34.4'], ['v1.34', 'v1.34.4'], ['v1.34.4', 'v1.34.4'], ['1.34.4-edgehold.1', 'v1.34.4'], ['v1.35.2', 'v1.35.2']] as const) assert.deepEqual(servedVersion(text, SERVED), { version, exact: true })
  assert.deepEqual(servedVersion(undefined, SERVED), { version: 'v1.35.2', exact: true })
})

test('another patch of the minor, or the nearest newer minor, is said', () => {
  assert.deepEqual(servedVersion('v1.24.15-veecp.1', SERVED), { version: 'v1.34.4', exact: false, says: 'v1.24.15-veecp.1 was asked for; v1.34.4 runs, the nearest newer version that is served' })
  assert.deepEqual(servedVersion('1.35.0', SERVED), { version: 'v1.35.2', exact: false, says: '1.35.0 was asked for; v1.35.2 runs, the patch of that minor that is served' })
  assert.equal(servedVersion('v1.20.10-vke.2', SERVED).version, 'v1.34.4')
  assert.equal(servedVersion('1.34', ['v1.35.2', 'v1.36.0']).version, 'v1.35.2')
})

test('what is newer than everything, or no version, is refused', () => {
  for (const text of ['1.36', '2.0', 'latest', 'v1', '1.34.4.5', '', 'v1.34.4-', '1.34 ']) {
    assert.throws(() => servedVersion(text, SERVED), error => isRefusal(error) && error.wireCode === 'InvalidParameter.KubernetesVersion', text)
  }
})
