import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, test } from 'node:test'
import { ConfigurationError, readConfiguration } from './configuration.ts'
import { rememberedNetwork, rememberNetwork } from './local/remembered-network.ts'
import { upArguments } from './up.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgehold-up-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a server in the background is started with the configuration file that was named', () => {
  const file = join(folder, 'edgehold.yaml')
  writeFileSync(file, 'databaseUrl: postgres://example\n')
  const configuration = readConfiguration({ state: join(folder, 'state'), listen: '127.0.0.1:7481', config: relative(process.cwd(), file) }, {})
  assert.deepEqual(upArguments(configuration), ['up', '--state', configuration.stateDir, '--listen', '127.0.0.1:7481', '--config', file])
  assert.deepEqual(upArguments(readConfiguration({ state: join(folder, 'state') }, {})), ['up', '--state', configuration.stateDir, '--listen', '127.0.0.1:7420'])
  assert.deepEqual(upArguments(readConfiguration({ state: join(folder, 'state'), open: true }, { EDGEHOLD_OPEN: 'false' })).slice(-1), ['--open'])
})

test('a state folder whose path cannot be a mount option is refused in a sentence', () => {
  for (const name of ['my state', 'a,b', 'a:b', "it's", 'a*']) assert.throws(() => readConfiguration({ state: join(folder, name) }, {}), ConfigurationError, name)
})

test('the network that is remembered is whole, and is not written when nothing changed', () => {
  const network = { hash: '1234abcd', bridge: 'eh1234abcd', cidr: '10.213.16.0/20', open: false }
  rememberNetwork(folder, network)
  assert.deepEqual(rememberedNetwork(folder), network)
  writeFileSync(join(folder, 'network.json.new'), 'what an earlier start that found the disk full left')
  rememberNetwork(folder, network)
  assert.match(readFileSync(join(folder, 'network.json.new'), 'utf8'), /disk full/)
  rememberNetwork(folder, { ...network, open: true })
  assert.deepEqual(rememberedNetwork(folder), { ...network, open: true })
})
