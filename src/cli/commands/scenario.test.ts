import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { run } from '../run.ts'

const REGIONS = [{ Region: 'local-1', Kind: 'Local', Ready: true, Default: true, Aliases: [] }, { Region: 'sim-0', Kind: 'Simulated', Ready: false, Default: false, Aliases: [] }, { Region: 'sim-1', Kind: 'Simulated', Ready: true, Default: false, Aliases: [] }, { Region: 'sim-2', Kind: 'Simulated', Ready: true, Default: false, Aliases: [] }]

/** The regions for which the command signed its ListScenarios, of a server with these. */
async function asked(t: TestContext, usual: string, args: readonly string[]): Promise<readonly string[]> {
  const signedFor: string[] = []
  const server = createServer((request, response) => {
    if (request.url?.includes('ListScenarios')) signedFor.push(/Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '')
    const Items = request.url?.includes('ListRegions') ? REGIONS : []
    response.end(JSON.stringify({ ResponseMetadata: { RequestId: 'r' }, Result: { Items, TotalCount: Items.length } }))
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.mock.method(process.stderr, 'write', () => true)
  const environment = { VOLCENGINE_ACCESS_KEY: 'k', VOLCENGINE_SECRET_KEY: 's', VOLCENGINE_REGION: usual, VOLCENGINE_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  const before = Object.fromEntries(Object.keys(environment).map(name => [name, process.env[name]]))
  Object.assign(process.env, environment)
  try {
    assert.equal(await run(['scenario', 'show', 'moon-landing', ...args]), 1, 'there is no such scenario')
    return signedFor
  } finally {
    for (const [name, value] of Object.entries(before)) if (value === undefined) delete process.env[name]; else process.env[name] = value
    server.closeAllConnections()
    server.close()
  }
}

// oxfmt-ignore
const CASES: readonly (readonly [what: string, usual: string, args: readonly string[], region: string])[] = [
  ['the first simulated one that is ready, where the usual one is real', 'local-1',    [],                      'sim-1'],
  ['the same, where the usual one is reached by an alias',               'cn-beijing', [],                      'sim-1'],
  ['the usual one, where that is simulated',                             'sim-2',      [],                      'sim-2'],
  ['the one that is named, whatever it is',                              'sim-2',      ['--region', 'local-1'], 'local-1'],
  ['the first simulated one, where the one that is named is not there',  'sim-2',      ['--region', 'ci-9'],    'sim-1'],
]
for (const [what, usual, args, region] of CASES) test(`scenarios are asked for in ${what}`, async t => assert.deepEqual(await asked(t, usual, args), [region]))
