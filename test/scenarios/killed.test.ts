/** `scenario run` of somebody without root, whose server is killed in the middle of it and started again: what is printed is what is printed where nothing happens. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Played } from '#client/calls.ts'
import { until, type Ended } from '#test/harness/command.ts'
import { distributionPostgres, startOwnPostgres, type OwnPostgres } from '#test/harness/own-postgres.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'

const NAME = 'node-failed-not-ready', STOP = ['--stop-at', 'Failed/NotReady']

describe('a scenario whose server is killed with kill -9', () => {
  let server: RootlessServer
  before(async () => { server = await RootlessServer.start() })
  after(() => server.remove())

  const run = async (...more: string[]): Promise<Ended> => server.run(['scenario', 'run', NAME, '--seed', '7', '--output', 'json', ...more])
  const regions = async () => (await server.client().all('ListRegions')).map(({ Region }) => Region).filter(name => name !== 'sim-1')
  const played = ({ code, stdout, stderr }: Ended) => {
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as Played
  }

  /** Runs it, and kills the server as soon as the region's history has so many changes; they come in one by one. */
  async function killedAt(changes: number, region: string, ...more: string[]): Promise<Played> {
    const running = run(...more)
    let ended = false
    void running.then(() => { ended = true })
    const client = server.client(region)
    await until(`${changes} changes of ${region}`, async () => {
      assert.ok(!ended, 'it was at its end before it could be killed')
      return await client.call('ListStatusHistory', {}).then(({ TotalCount }) => TotalCount >= changes, () => false)
    }, 30_000, 5)
    await server.kill()
    assert.ok(!ended)
    await server.up()
    const answer = await running
    assert.match(answer.stderr, /The server gives no answer for now/)
    return played(answer)
  }

  test('without a row to stop at the story is the same byte for byte, and no region stays', async () => {
    const whole = played(await run())
    for (const changes of [1, 9]) {
      assert.deepEqual(await killedAt(changes, `${NAME}-1`), whole)
      await until('its region to be gone', async () => (await regions()).length === 0, 10_000)
    }
  })

  test('with one the region comes to stand at it, with the same ids, and there is no second one', async () => {
    const whole = played(await run(...STOP))
    await server.ok('region', 'delete', whole.Region)
    assert.deepEqual(await killedAt(6, whole.Region, ...STOP), whole)
    assert.deepEqual(await regions(), [whole.Region])
    const clock = JSON.parse(await server.ok('clock', 'show', '--region', whole.Region, '--output', 'json')) as { Now: string; Paused: boolean }
    assert.deepEqual(clock, { Now: whole.Story.at(-1)?.At, Speed: 1, Paused: true })
    await server.ok('region', 'delete', whole.Region)
  })

  test('in a region that the user named it goes on where it stood, and makes nothing twice', async () => {
    const made = ['region', 'create', 'ci-1', '--seed', '7', '--paused']
    await server.ok(...made)
    const whole = played(await run('--in', 'ci-1', ...STOP))
    await server.ok('region', 'delete', 'ci-1')
    await server.ok(...made)
    const { Story, Stopped } = await killedAt(6, 'ci-1', '--in', 'ci-1', ...STOP)
    // Ids and what is drawn by them are others after a start; who came to what is the same.
    const told = (story: Played['Story']) => story.map(({ Text, Resource, Status }) => (Resource ? `${Resource.Kind} ${Resource.Name} ${Status?.Phase} ${Status?.Conditions.map(({ Type }) => Type).join('+')}` : Text))
    assert.deepEqual([told(Story), Stopped], [told(whole.Story), true])
    const client = server.client('ci-1')
    assert.deepEqual([(await client.all('ListClusters')).length, (await client.all('ListMachines')).length], [1, 1])
  })
})

const binaries = distributionPostgres()

describe('a scenario whose server is killed while another one is there', { skip: binaries === undefined && 'the distribution\'s PostgreSQL is not installed (Debian: apt-get install postgresql)' }, () => {
  const body = { Name: NAME, Seed: 7, StopAt: { Kind: 'Node', Phase: 'Failed', Condition: 'NotReady' } }
  let database: OwnPostgres, one: RootlessServer, other: RootlessServer, whole: Played
  before(async () => {
    database = await startOwnPostgres(binaries ?? '')
    const settings = { DATABASE_URL: database.url, EDGEHOLD_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') }
    one = await RootlessServer.start(settings)
    other = await RootlessServer.start(settings)
    whole = await one.client().call('RunScenario', body)
    await one.ok('region', 'delete', whole.Region)
  })
  after(async () => {
    await one.remove()
    await other.remove()
    await database.stop()
  })

  async function killedInTheMiddle(server: RootlessServer): Promise<void> {
    await until('the play to be under way', () => server.client(whole.Region).call('ListStatusHistory', {}).then(({ TotalCount }) => TotalCount >= 6, () => false), 30_000, 5)
    await server.kill()
  }

  test('the command line, which speaks to the other one, prints the story as if nothing had happened', async () => {
    const running = other.run(['scenario', 'run', NAME, '--seed', '7', '--stop-at', 'Failed/NotReady', '--output', 'json'])
    await killedInTheMiddle(one)
    const { code, stdout, stderr } = await running
    assert.equal(code, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), whole)
    await other.client().call('DeleteRegion', { Region: whole.Region })
  })

  test('a call without a token that is sent again to the one that is left is known, too, and makes no second region', async () => {
    // It was the other one that took over.
    await one.up()
    const tokenless = { ...body, ClientToken: '' }
    const lost = other.client().call('RunScenario', tokenless).then(() => 'answered', () => 'lost')
    await killedInTheMiddle(other)
    assert.equal(await lost, 'lost')
    let told: Played | undefined
    await until('the story', async () => (told = await one.client().call('RunScenario', tokenless).catch(() => undefined)) !== undefined, 60_000, 200)
    assert.deepEqual(told, whole)
    assert.deepEqual((await one.client().all('ListRegions')).map(({ Region }) => Region).toSorted(), [whole.Region, 'sim-1'])
  })
})
