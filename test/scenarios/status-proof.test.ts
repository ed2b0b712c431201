/**
 * Every row of the status tables, and every set of conditions that may be shown together, is reached by public calls alone, and shown so in docs/generated/status-proof.md.
 * A scenario proves nothing by its own word: each is played again with the same story, replayed call by call by a client that somebody else wrote, and played without its
 * causes, all and each of them, which must then not lead there.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Played, Scenario } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { STATUS_TABLES } from '#model/status/kinds.ts'
import { allowedSets } from '#model/status/table.ts'
import { repository } from '#test/harness/command.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'
import { ForeignClient } from './foreign-replay.ts'
import { proofPage } from './proof-page.ts'
import { isPairOf, pairsOf, rowKeyText, sameRow } from './rows.ts'

const PAGE = join(repository, 'docs/generated/status-proof.md')
const KINDS = ['Cluster', 'NodePool', 'Node', 'Addon'] as const
/** Rows that stand for something gone wrong, or held back: they must not come without their cause. */
const NEEDS_A_CAUSE = new Set(['Failed', 'Stopped'])

const proofs: { scenario: Scenario; played: Played }[] = []
let server: RootlessServer
let client: EdgeholdClient
let foreign: ForeignClient

/** What each table allows, its rows and the sets beside it. */
const allowedIn = (kind: (typeof KINDS)[number]) => allowedSets(STATUS_TABLES[kind].rows, STATUS_TABLES[kind].together).map(([Phase, Conditions]) => rowKeyText({ Kind: kind, Phase, Conditions: [...Conditions] }))
const run = (Name: string, more: object = {}) => client.call('RunScenario', { Name, Seed: 1, ...more }, { timeoutMs: 120_000 })

describe('the proof of the status tables', () => {
  before(async () => {
    server = await RootlessServer.start()
    client = server.client()
    foreign = new ForeignClient(server.listen, server.keys)
  })
  after(() => server.remove())

  test('there is one scenario for each row that is emitted, the seed\'s 41 and their siblings, and for each set of conditions that may be shown together', async () => {
    const scenarios = await client.all('ListScenarios')
    assert.equal(KINDS.flatMap(kind => STATUS_TABLES[kind].rows).filter(([, , origin]) => origin === 'seed').length, 41)
    assert.deepEqual(scenarios.flatMap(scenario => scenario.Reaches.map(rowKeyText)).toSorted(), KINDS.flatMap(allowedIn).toSorted())
    assert.equal(new Set(scenarios.map(scenario => scenario.Name)).size, scenarios.length)
  })

  test('each leads to its row, and no set of conditions comes that no table allows', async context => {
    for (const [index, scenario] of (await client.all('ListScenarios')).entries()) {
      await context.test(scenario.Name, async () => {
        const played = await run(scenario.Name)
        assert.ok(played.Story.some(told => sameRow(scenario.Reaches[0], told)), `it does not come to ${rowKeyText(scenario.Reaches[0])}:\n${played.Story.map(told => `${told.At} ${told.Text}`).join('\n')}`)
        for (const { Resource, Status } of played.Story) {
          if (!Resource || !Status) continue
          const kind = Resource.Kind as (typeof KINDS)[number]
          assert.ok(allowedIn(kind).includes(rowKeyText({ Kind: kind, Phase: Status.Phase, Conditions: Status.Conditions.map(condition => condition.Type) })), JSON.stringify(Status))
        }
        proofs.push({ scenario, played })
        // The page below holds all of them to the same story; a few are told twice at once.
        if (index % 10 > 0) return
        const again = await run(scenario.Name)
        assert.deepEqual(again.Story.map(told => [told.At, told.Text]), played.Story.map(told => [told.At, told.Text]))
      })
    }
  })

  test('played by the official SDK, call by call, they give the same statuses in the same order', async context => {
    for (const [index, { scenario, played }] of proofs.entries())
      await context.test(scenario.Name, async () => assert.deepEqual(await foreign.replay(scenario, `replay-${index + 1}`, 1), pairsOf(played.Story)))
  })

  test('without their cause they do not lead there', async context => {
    for (const { scenario } of proofs) {
      const [reached] = scenario.Reaches
      const isNamed = scenario.Steps.some(step => step.Cause)
      if (!isNamed) {
        assert.ok(!NEEDS_A_CAUSE.has(reached?.Phase ?? '') && !reached?.Conditions.includes('Unschedulable'), `${scenario.Name} names no cause`)
        continue
      }
      await context.test(scenario.Name, async () => {
        const { Story: story } = await run(scenario.Name, { WithoutCause: true })
        assert.ok(!story.some(told => sameRow(reached, told)), `it comes to ${rowKeyText(reached)} without its cause`)
      })
    }
  })

  test('with any one of several causes left out they do not lead there either', async context => {
    let left = 0
    for (const { scenario } of proofs) {
      const { Name, Reaches: [reached], Steps } = scenario, causes = Steps.filter(step => step.Cause)
      if (causes.length < 2) continue
      for (const cause of causes) {
        const number = ++left
        await context.test(`${Name} without ${cause.Action} ${JSON.stringify(cause.Request)}`, async () => {
          const pairs = await foreign.replay({ ...scenario, Steps: Steps.filter(step => step !== cause) }, `left-out-${number}`, 1)
          assert.ok(pairs.length > 0 && !pairs.some(pair => isPairOf(reached, pair)), `it comes to ${rowKeyText(reached)} without it`)
        })
      }
    }
    assert.ok(left > 0)
  })

  test('the page shows all of it as it is', () => {
    const page = proofPage(proofs)
    if (process.env['EDGEHOLD_WRITE_PROOF']) writeFileSync(PAGE, page)
    assert.equal(readFileSync(PAGE, 'utf8'), page)
  })

  test('stopped at a row the world is left there, its clock paused', async () => {
    const played = await run('node-failed-not-ready', { StopAt: { Kind: 'Node', Phase: 'Failed', Condition: 'NotReady' } })
    assert.equal(played.Stopped, true)
    const clock = await foreign.call(played.Region, 'GetClock', {})
    const nodes = await foreign.call(played.Region, 'ListEdgeNodes', {}) as { Items: { Status: { Phase: string; Conditions: { Type: string }[] } }[] }
    assert.deepEqual(nodes.Items.map(node => node.Status), [{ Phase: 'Failed', Conditions: [{ Type: 'NotReady' }] }])
    assert.equal(clock['Paused'], true)
    await foreign.call('sim-1', 'DeleteRegion', { Region: played.Region })
  })
})
