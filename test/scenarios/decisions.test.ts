/**
 * Nothing but what was seen decides. While each scenario runs, all that its controllers and rules were handed is turned into bytes, with what they answered; afterwards the same functions
 * decide again from the bytes, the last first, so that neither the time, nor an object that somebody holds, nor anything decided before has a part in it.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { deserialize, serialize } from 'node:v8'
import { SCENARIOS } from '#api/scenarios/all.ts'
import { call, fault, pass, RUNNING_CLUSTER, SCRIPT_NODE } from '#api/scenarios/building.ts'
import type { Row, Scenario, Step } from '#api/scenarios/scenario.ts'
import { decideAddon } from '#controllers/addon/decide.ts'
import { decideBlind } from '#controllers/cluster/decide-blind.ts'
import { decideCluster } from '#controllers/cluster/decide.ts'
import { decideKubeconfig } from '#controllers/kubeconfig/decide.ts'
import { decideMachine, decideOrdered } from '#controllers/machine/decide.ts'
import { decideNodePool } from '#controllers/node-pool/decide.ts'
import { planScaling } from '#controllers/node-pool/plan-scaling.ts'
import { decideNode } from '#controllers/node/decide.ts'
import { obstacleOf } from '#controllers/node/note-obstacle.ts'
import { decideAccount } from '#model/account/arrears.ts'
import { settle, type HistoryRow, type Settled, type SettleInput } from '#model/settle.ts'
import type { DecisionName } from '#ports/decisions.ts'
import { ScenarioClient } from '#test/crash-points/scenario-client.ts'
import { RegionUnderTest } from '#test/model-based/region-under-test.ts'

const DECIDE = {
  decideCluster, decideBlind, decideNodePool, planScaling, decideNode, obstacleOf, decideAddon, decideKubeconfig, decideMachine, decideOrdered, decideAccount, settle,
} as unknown as Readonly<Record<DecisionName | 'settle', (seen: unknown) => unknown>>

/** Those whose decisions are facts of the record that they are about; others' evidence is of what a provider answered, or of what was asked for. */
const DECIDES: readonly (readonly [observer: RegExp, by: readonly DecisionName[]])[] = [
  [/^cluster controller$/, ['decideCluster']], [/^node pool controller$/, ['decideNodePool', 'planScaling']], [/^add-on controller$/, ['decideAddon']], [/^(watch on cluster |machines of region )/, ['decideNode']],
]

interface Kept { readonly by: DecisionName | 'settle'; readonly about: string; readonly seen: Uint8Array; readonly decided: Uint8Array }

/** Decisions that no row of the tables needs, each with a story in which it is made. */
const OTHERS: readonly { readonly by: DecisionName; readonly title: string; readonly steps: readonly Step[] }[] = [
  { by: 'decideBlind', title: 'the host of a control plane cannot be looked at', steps: [...RUNNING_CLUSTER, fault('control-plane-host', 'look', { Type: 'fail', Message: 'no route to host' }), pass('10m')] },
  {
    by: 'obstacleOf', title: 'a node object cannot be taken off', steps: [
      ...SCRIPT_NODE, fault('tenant-cluster', 'ensureNodeGone', { Type: 'fail', Code: 'Forbidden', Message: 'a webhook denied the request' }),
      call('DeleteEdgeNodes', { ClusterId: '<cluster>', NodePoolId: '<pool>', Ids: ['<node>'] }), pass('10m'),
    ],
  },
  {
    by: 'decideKubeconfig', title: 'a kubeconfig is taken back', steps: [
      ...RUNNING_CLUSTER, call('CreateKubeconfig', { ClusterId: '<cluster>', Type: 'Private' }, 'kubeconfig'), pass('10s'), call('DeleteKubeconfigs', { ClusterId: '<cluster>', Ids: ['<kubeconfig>'] }), pass('10s'),
    ],
  },
]

describe('every decision that leads to a row of the status tables', () => {
  const counts = new Map<string, number>()
  after(() => process.stdout.write(`decided again: ${[...counts].map(([by, count]) => `${by} ${count}`).sort().join(', ')}\n`))

  for (const scenario of SCENARIOS) {
    test(`${scenario.Name} is decided again, and comes out the same`, { timeout: 120_000 }, async () => {
      const kept = await whatIsDecided(scenario)
      decideAgain(kept)
      for (const row of scenario.Reaches) assertDecided(row, kept)
    })
  }

  for (const { by, title, steps } of OTHERS) {
    test(`so is ${by}: ${title}`, { timeout: 120_000 }, async () => {
      const kept = await whatIsDecided({ Name: title, Title: { zh: title, en: title }, Reaches: [], Steps: steps })
      decideAgain(kept)
      assert.ok(kept.some(one => one.by === by && deserialize(one.decided) !== undefined), 'it decided something')
    })
  }

  test('none is left out', () => assert.deepEqual(Object.keys(DECIDE).filter(name => !counts.has(name)), []))

  function decideAgain(kept: readonly Kept[]): void {
    for (const { by, about, seen, decided } of kept.toReversed()) {
      assert.deepEqual(DECIDE[by](deserialize(seen)), deserialize(decided), `${by} of ${about}`)
      counts.set(by, (counts.get(by) ?? 0) + 1)
    }
  }
})

async function whatIsDecided(scenario: Scenario): Promise<readonly Kept[]> {
  const kept: Kept[] = [], wrong: unknown[] = []
  const keep = (by: Kept['by'], about: string, seen: unknown, decided: unknown) => {
    try {
      kept.push({ by, about, seen: serialize(seen), decided: serialize(decided) })
    } catch (error) {
      wrong.push(`${by} of ${about} is handed something else than data: ${String(error)}`)
    }
  }
  const region = await RegionUnderTest.open(1, {
    onDecision: ({ by, about, seen, decided }) => keep(by, about, seen, decided),
    onSettled: (input, settled) => keep('settle', input.cluster?.id ?? 'a cluster that is gone', input, settled),
  })
  try {
    const client = new ScenarioClient(region, scenario)
    while (await client.next());
  } finally {
    await region.close()
  }
  assert.deepEqual(wrong, [])
  return kept
}

/** One settlement made the row come to hold; and where it holds by what a controller decided of its own record, that was decided right then. */
function assertDecided(row: Row, kept: readonly Kept[]): void {
  const at = kept.findIndex(({ by, decided }) => by === 'settle' && rowIn(row, deserialize(decided) as Settled))
  const made = kept[at]
  assert.ok(made, 'no settlement made its row')
  const { now, touched } = deserialize(made.seen) as SettleInput
  const again = rowIn(row, settle(deserialize(made.seen) as SettleInput))
  assert.ok(again)
  const by = DECIDES.find(([observer]) => again.evidence.some(evidence => observer.test(evidence.observer)))?.[1]
  if (!by || !touched.has(again.resource.id)) return
  const decision = kept.slice(0, at).findLast(one => one.about === again.resource.id || touched.has(one.about))
  assert.ok(decision && by.includes(decision.by as DecisionName), `its facts are of ${by.join(' or ')}, and ${decision?.by} came before it`)
  assert.equal((deserialize(decision.seen) as { now: number }).now, now)
}

function rowIn({ Kind, Name, Phase, Conditions }: Row, { history }: Settled): HistoryRow | undefined {
  return history.find(({ resource, status }) => resource.kind === Kind && (Name === undefined || resource.name === Name) && status?.phase === Phase && status.conditions.join() === Conditions.join())
}
