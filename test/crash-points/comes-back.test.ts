import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { call, fault, of, pass, row, RUNNING_CLUSTER } from '#api/scenarios/building.ts'
import type { Scenario, Step } from '#api/scenarios/scenario.ts'
import { afterDeath, undisturbed } from './crash-points.ts'

const goes = (name: string, ...steps: readonly Step[]): Scenario => of(row('Cluster', 'Running', 'Ok'), name, name, RUNNING_CLUSTER, ...steps)

/** Scenarios end with the row that they reach; how it is left, and with how many rows, is told here. */
const STORIES = [
  goes('an API that ends once', fault('control-plane-host', 'kube-apiserver', { Type: 'fail' }, { Times: 1 }), pass('1m'), pass('10m')),
  goes('a datastore that does not start for two minutes', fault('control-plane-host', 'etcd', { Type: 'fail' }), pass('2m'), call('ClearFault', { All: true }), pass('10m')),
]

describe('what comes back tells the same history, wherever its server dies', () => {
  for (const story of STORIES) {
    test(story.Title.en, async () => {
      const { outcome, points } = await undisturbed(story)
      assert.deepEqual(outcome.wrong, [])
      assert.ok(points.length > 50, `${points.length}`)
      for (const point of points) assert.deepEqual(await afterDeath(story, point), outcome, `the server died ${point.where}`)
    })
  }
})
