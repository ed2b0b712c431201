import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusChange } from '#ports/store.ts'
import { firstState, play, toldToWire, type Stage } from './play.ts'

const AT = Date.UTC(2026, 0, 5, 8)

function told(key: string, request: string): unknown {
  const change: StatusChange = {
    position: 1, at: AT, resource: { kind: 'Cluster', id: 'c1', name: 'shop' }, status: { phase: 'Creating', conditions: ['Progressing'] }, rule: 'not usable yet', because: 'It is made',
    evidence: [
      { observer: `caller ${key}`, source: `CreateCluster ${request}`, observedAt: AT, fact: 'It was asked for.' },
      { observer: 'control-plane host', source: 'control-plane host', observedAt: AT, fact: 'Nothing of it is there.' },
    ],
  }
  return toldToWire({ at: AT, text: 'It is made.', change })
}

test('a story tells what was called, and neither by which key nor under which request id, so that two runs are the same byte for byte', () => {
  const one = told('AKLT1', '20261126000534'), other = told('AKLT2', '20261126000536')
  assert.equal(JSON.stringify(one), JSON.stringify(other))
  assert.deepEqual((one as { Evidence: { Source: string }[] }).Evidence.map(({ Source }) => Source), ['CreateCluster', 'control-plane host'])
})

/** A region in which its pool gets each status at its instant, ms after the beginning. */
function regionOf(happenings: readonly (readonly [at: number, phase: string])[]) {
  let now = 0, steps = 0
  const changes = () => happenings.filter(([at]) => at <= now).map(([at, phase], index): StatusChange => ({
    position: index + 1, at, resource: { kind: 'NodePool', id: 'p1', name: 'counters' }, status: { phase, conditions: ['Progressing'] }, rule: '', because: '', evidence: [],
  }) as unknown as StatusChange).toReversed()
  const scope = { accountId: '1', region: 'tiny' }
  const stage: Stage = {
    scope, now: () => now, quietUntil: () => happenings.find(([at]) => at > now)?.[0] ?? Number.POSITIVE_INFINITY, signal: new AbortController().signal, keep: () => Promise.resolve(),
    store: { listHistory: (_scope, _filter, { size }) => Promise.resolve({ items: changes().slice(0, size), totalCount: 0 }) },
    call: (_action, body) => {
      const { Step, Paused } = body as { Step: string; Paused?: true }
      now += Number.parseInt(Step, 10)
      if (!Paused) steps++
      return Promise.resolve({})
    },
  }
  return {
    async stoppedAt(phase: string) {
      const scenario = { Name: 'tiny', Title: { zh: '', en: '' }, Reaches: [], Steps: [{ Clock: '2h' }] }
      const { stopped } = await play(stage, scenario, { from: await firstState(stage.store, scope, {}), stopAt: { kind: 'NodePool', phase, condition: 'Progressing' } })
      return { stopped, now, steps }
    },
  }
}

test('two hours in which three things happen are three steps, and a fourth to their end', async () => {
  assert.deepEqual(await regionOf([[500, 'Creating'], [3_000, 'Scaling'], [7_000_000, 'Updating']]).stoppedAt('Failed'), { stopped: false, now: 7_200_000, steps: 4 })
})

test('it stops at a row that holds for a tenth of a second, and at none that is over by the end of its instant', async () => {
  assert.deepEqual(await regionOf([[500, 'Creating'], [600, 'Scaling']]).stoppedAt('Creating'), { stopped: true, now: 500, steps: 1 })
  assert.deepEqual(await regionOf([[500, 'Creating'], [500, 'Scaling']]).stoppedAt('Creating'), { stopped: false, now: 7_200_000, steps: 2 })
})
