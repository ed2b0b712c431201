/** `scenario run` in a region in which a call of the scenario is refused for longer than is waited for. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Played } from '#client/calls.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'

const NAME = 'node-failed-not-ready'
let server: RootlessServer
before(async () => { server = await RootlessServer.start() })
after(() => server.remove())

test('the command that failed says how to go on once the cause is gone, and that tells the whole story', async () => {
  const run = ['scenario', 'run', NAME, '--in', 'ci-1', '--output', 'json']
  await server.ok('region', 'create', 'ci-1', '--seed', '7', '--paused')
  await server.ok('call', 'InjectFault', '{"Port":"api","Call":"CreateEdgeNodePool","Effect":{"Type":"fail","Code":"500"}}', '--region', 'ci-1')
  const { code, stderr } = await server.run(run)
  assert.equal(code, 1, stderr)
  const [, token = ''] = /the same command with --client-token (\S+) goes on where it stands\./.exec(stderr) ?? []
  assert.notEqual(token, '', stderr)
  await server.ok('call', 'ClearFault', '{"All":true}', '--region', 'ci-1')
  const played = JSON.parse(await server.ok(...run, '--client-token', token)) as Played
  assert.ok(played.Story.some(({ Status }) => Status?.Phase === 'Failed' && Status.Conditions.some(({ Type }) => Type === 'NotReady')))
  assert.equal((await server.client('ci-1').all('ListClusters')).length, 1)
  assert.deepEqual(JSON.parse(await server.ok(...run, '--client-token', token)), played)
})
