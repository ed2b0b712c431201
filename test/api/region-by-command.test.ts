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

/** As in a job that names its region once, by a variable, before it is made. */
suite('a region that is signed for and is not there', () => {
  let server: SimulatedServer
  before(async () => {
    const store = new MemoryStore(() => Date.now())
    server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore(), listen: true })
  })
  after(() => server.close())

  const run = (...args: readonly string[]): Promise<Ended> => runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', `${repository}/src/cli/edgehold.ts`, ...args], {
    environment: { PATH: process.env['PATH'], VOLCENGINE_ACCESS_KEY: KEY.accessKeyId, VOLCENGINE_SECRET_KEY: KEY.secretAccessKey, VOLCENGINE_ENDPOINT: server.endpoint, VOLCENGINE_REGION: 'sim-1', EDGEHOLD_REGION: 'ci-9' },
  })

  test('is listed beside, made and removed by the commands that are signed for it', async () => {
    const listed = await run('region', 'list', '--output', 'json')
    assert.deepEqual([listed.code, listed.stderr, (JSON.parse(listed.stdout) as { Region: string }[]).map(({ Region }) => Region)], [0, '', ['sim-1']])
    assert.deepEqual(await run('region', 'create', 'ci-9', '--seed', '7'), { code: 0, stdout: 'ci-9\n', stderr: '' })
    assert.equal((await run('list', 'cluster')).code, 0)
    assert.equal((await run('region', 'delete', 'ci-9')).code, 0)
    const again = await run('region', 'delete', 'ci-9')
    assert.deepEqual([again.code, again.stdout], [1, ''])
    assert.match(again.stderr, /There is no Region ci-9.*\(NotFound\.Region\)/)
  })

  test('is no place for clusters, and what says so leads to the commands that are answered', async () => {
    const { code, stderr } = await run('list', 'cluster')
    assert.equal(code, 1)
    assert.match(stderr, /^edgehold: The Credential cannot be used: this server has no region ci-9; its regions are sim-1 .*\(InvalidCredential\)\nSee the regions with "edgehold region list"/)
  })

  test('keeps no scenario from being shown or played', async () => {
    const shown = await run('scenario', 'show', 'cluster-running-ok')
    assert.deepEqual([shown.code, (JSON.parse(shown.stdout) as { Name: string }).Name], [0, 'cluster-running-ok'])
    const { code, stdout, stderr } = await run('scenario', 'run', 'cluster-running-ok')
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /\{Running,\[Ok\]\}/)
  })

  test('is made and removed by whoever signs for it, and no other call is answered before and after', async () => {
    for (const [action, body, status] of [['ListRegions', {}, 200], ['CreateRegion', { Region: 'ci-9' }, 200], ['ListClusters', {}, 200], ['DeleteRegion', { Region: 'ci-9' }, 200], ['ListScenarios', {}, 200], ['ListClusters', {}, 400], ['GetClock', {}, 400]] as const) {
      assert.equal((await server.call(action, body, 'ci-9')).status, status, action)
    }
  })
})
