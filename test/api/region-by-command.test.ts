import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { repository, runProgram, type Ended } from '#test/harness/command.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { KEY, SimulatedServer } from '#test/harness/simulated-server.ts'

/** What becomes of a region that was made without a name, where the answer to that is lost. */
suite('region create without a name', () => {
  let server: SimulatedServer
  before(async () => {
    const store = new MemoryStore(() => Date.now())
    server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore(), listen: true })
  })
  after(() => server.close())

  const create = (): Promise<Ended> => runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', `${repository}/src/cli/edgehold.ts`, 'region', 'create', '--seed', '7', '--paused'], {
    environment: { PATH: process.env['PATH'], VOLCENGINE_ACCESS_KEY: KEY.accessKeyId, VOLCENGINE_SECRET_KEY: KEY.secretAccessKey, VOLCENGINE_ENDPOINT: server.endpoint, VOLCENGINE_REGION: 'sim-1' },
  })
  const others = async () => ((await server.done('ListRegions')).Items ?? []).map(item => String(item['Region'])).filter(region => region !== 'sim-1')

  test('prints the name that the region has', async () => {
    const { code, stdout, stderr } = await create()
    assert.deepEqual([code, stderr], [0, ''])
    assert.deepEqual(await others(), [stdout.trim()])
    await server.done('DeleteRegion', { Region: stdout.trim() })
  })

  test('names the region, and what takes it away, where the connection is cut', async () => {
    await server.done('InjectFault', { Port: 'api', Call: 'CreateRegion', Effect: { Type: 'half' }, Times: 1 })
    const { code, stdout, stderr } = await create(), [left = ''] = await others()
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, new RegExp(`^The region ${left} may have been made\\. It is taken away by: edgehold region delete ${left}\n`))
    await server.done('DeleteRegion', { Region: left })
  })
})
