import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigurationError, readConfiguration } from './configuration.ts'
import { outsideUrl } from './local/reach-from-outside.ts'

const state = mkdtempSync(join(tmpdir(), 'edgehold-configuration-'))
after(() => rmSync(state, { recursive: true }))
const read = (environment: NodeJS.ProcessEnv): ReturnType<typeof readConfiguration> => readConfiguration({ state }, environment)
const network = { cidr: '10.213.16.0/20' }

test('nothing is advertised unless it is set', () => {
  const configuration = read({})
  assert.deepEqual([configuration.advertise, configuration.joinAdvertise, outsideUrl(configuration, network, '10.213.16.2')], [undefined, undefined, undefined])
})

test('what is advertised stands in the URL with the cluster’s port, and for machines too unless they are told another', () => {
  const configuration = read({ EDGEHOLD_ADVERTISE: 'Edge.example' })
  assert.deepEqual([configuration.joinAdvertise, outsideUrl(configuration, network, '10.213.16.2')], ['edge.example', 'https://edge.example:26002'])
  const other = read({ EDGEHOLD_ADVERTISE: '192.0.2.7', EDGEHOLD_ADVERTISE_PORT_BASE: '40000', EDGEHOLD_JOIN_ADVERTISE: 'join.example' })
  assert.deepEqual([other.joinAdvertise, outsideUrl(other, network, '10.213.31.254')], ['join.example', 'https://192.0.2.7:44094'])
})

for (const wrong of ['https://edge.example', 'edge.example:6443', '2001:db8::1', '127.0.0.1', '0.0.0.0', 'localhost', 'two words', '1.2.3', '-x.example', 'a..b']) {
  test(`${wrong} cannot be advertised`, () => assert.throws(() => read({ EDGEHOLD_ADVERTISE: wrong }), ConfigurationError))
}

test('machines outside enter at the port before the API servers’, or at another', () => {
  const { overlayPort, open } = read({ EDGEHOLD_ADVERTISE_PORT_BASE: '40000' })
  assert.deepEqual([overlayPort, open], [39_999, false])
  const other = read({ EDGEHOLD_OVERLAY_PORT: '4242', EDGEHOLD_OPEN: 'true' })
  assert.deepEqual([other.overlayPort, other.open], [4242, true])
  for (const wrong of ['0', '65536', 'x']) assert.throws(() => read({ EDGEHOLD_OVERLAY_PORT: wrong }), ConfigurationError)
})

test('what is yes or no is said in the words of switches, and nothing else is taken for either', () => {
  for (const [text, says] of [['true', true], ['1', true], ['on', true], ['false', false], ['0', false], ['off', false], ['', false]] as const) {
    const { open, releases, allowPlainHttp } = read({ EDGEHOLD_OPEN: text, EDGEHOLD_RELEASES: text, EDGEHOLD_ALLOW_PLAIN_HTTP: text })
    assert.deepEqual([open, releases, allowPlainHttp], [says, says, says], text)
  }
  assert.deepEqual([read({}).open, read({}).releases, read({}).allowPlainHttp], [false, true, false])
  for (const variable of ['EDGEHOLD_OPEN', 'EDGEHOLD_RELEASES', 'EDGEHOLD_ALLOW_PLAIN_HTTP']) assert.throws(() => read({ [variable]: 'maybe' }), { kind: 'UsageError', message: `${variable} is "maybe": write true, 1 or on for yes, and false, 0, off or nothing for no` })
  const file = join(state, 'settings.yaml')
  writeFileSync(file, 'open: perhaps\n')
  assert.throws(() => readConfiguration({ state, config: file }, {}), /open of the configuration file is "perhaps"/)
})

for (const wrong of ['0', '1023', '61441', '26000.5', 'many']) {
  test(`ports cannot begin at ${wrong}`, () => assert.throws(() => read({ EDGEHOLD_ADVERTISE_PORT_BASE: wrong }), ConfigurationError))
}

test('the grace time is in minutes, or parts of one', () => {
  assert.deepEqual([read({}).graceMs, read({ EDGEHOLD_GRACE_MINUTES: '0.25' }).graceMs], [7_200_000, 15_000])
  for (const wrong of ['0', '-1', 'soon', 'Infinity', '1e300', '']) assert.throws(() => read({ EDGEHOLD_GRACE_MINUTES: wrong }), ConfigurationError)
})
