/** Stopped at a row, a scenario leaves a world in which the lists show that row, whatever its story says: for every scenario's own row, by public calls. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { SCENARIOS } from '#api/scenarios/all.ts'
import type { Played, Scenario } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'
import { rowKeyText, sameRow } from './rows.ts'

type Row = Scenario['Reaches'][number]

const LISTS = { Cluster: 'ListClusters', NodePool: 'ListEdgeNodePools', Node: 'ListEdgeNodes', Addon: 'ListAddons' } as const

describe('a scenario that is stopped at a row', () => {
  let server: RootlessServer, client: EdgeholdClient
  before(async () => {
    server = await RootlessServer.start()
    client = server.client()
  })
  after(() => server.remove())

  for (const { Name, Reaches } of SCENARIOS) {
    const [row] = Reaches
    test(`${Name}: the lists show ${rowKeyText(row)}, and the clock is paused`, async () => {
      assert.ok(row)
      const played = await run(Name, row)
      assert.deepEqual([played.Stopped, await shownIn(played.Region, row), await isPaused(played.Region)], [true, true, true], story(played))
      await client.call('DeleteRegion', { Region: played.Region })
    })
  }

  test('a row that is passed within one instant is no stop, and the answer does not say that it is one', async () => {
    const row: Row = { Kind: 'NodePool', Phase: 'Creating', Conditions: ['Progressing'] }
    const played = await run('node-running-ok', row)
    assert.equal(played.Stopped, false)
    assert.ok(played.Story.some(told => sameRow(row, told)), 'it came to it, and its story tells so')
    assert.equal(await shownIn(played.Region, row), false)
    await client.call('DeleteRegion', { Region: played.Region })
    const said = await server.run(['scenario', 'run', 'node-running-ok', '--stop-at', 'NodePool:Creating/Progressing'])
    assert.match(said.stderr, /^It came to NodePool:Creating\/Progressing and left it within one instant, 2026-01-05T08:01:00\.000Z, in which no clock can stand; the region node-running-ok-1 is as it was at the end\. Look with --region node-running-ok-1; take it away with "edgehold region delete node-running-ok-1"\.$/m)
    assert.equal(said.code, 3, 'waited in vain')
    const never = await server.run(['scenario', 'run', 'cluster-running-ok', '--stop-at', 'Failed/Unknown'])
    assert.match(never.stderr, /^It never came to Failed\/Unknown; /m)
    assert.equal(never.code, 3)
  })

  test('several conditions that are to hold together are named on the command line joined by +', async () => {
    const name = 'addon-failed-crash-loop-back-off-image-pull-back-off', stopped = await server.run(['scenario', 'run', name, '--stop-at', 'Failed/CrashLoopBackOff+ImagePullBackOff'])
    const [, region = ''] = /^Stopped there: the region (\S+) is as it was at that moment/m.exec(stopped.stderr) ?? assert.fail(stopped.stderr)
    assert.equal(stopped.code, 0)
    assert.equal(await shownIn(region, { Kind: 'Addon', Phase: 'Failed', Conditions: ['CrashLoopBackOff', 'ImagePullBackOff'] }), true)
    await client.call('DeleteRegion', { Region: region })
    const never = await server.run(['scenario', 'run', 'addon-failed-crash-loop-back-off', '--stop-at', 'Failed/CrashLoopBackOff+SchedulingFailed'])
    assert.match(never.stderr, /^It never came to Failed\/CrashLoopBackOff\+SchedulingFailed; /m)
  })

  function run(Name: string, { Kind, Phase, Conditions }: Row): Promise<Played> {
    return client.call('RunScenario', { Name, Seed: 1, StopAt: { Kind, Phase, Condition: Conditions.join('+') } }, { timeoutMs: 120_000 })
  }

  async function shownIn(region: string, row: Row): Promise<boolean> {
    const items = await server.client(region).all(LISTS[row.Kind as keyof typeof LISTS])
    return items.some(({ Name, Status }) => (row.Name === undefined || row.Name === Name) && Status.Phase === row.Phase && Status.Conditions.map(condition => condition.Type).join() === row.Conditions.join())
  }

  async function isPaused(region: string): Promise<boolean> {
    return (await server.client(region).call('GetClock', {})).Paused
  }
})

function story({ Story }: Played): string {
  return Story.slice(-8).map(({ At, Text }) => `${At} ${Text}`).join('\n')
}
