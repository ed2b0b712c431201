/** `scenario run` of somebody without root, whose server is killed in the middle of it and started again: what is printed is what is printed where nothing happens. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Played } from '#client/calls.ts'
import { until, type Ended } from '#test/harness/command.ts'
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
