import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterRecord } from '#model/cluster/record.ts'
import { decideKubeconfig, type KubeconfigSeen } from './decide.ts'

const usable = clusterWith({ controlPlane: 'usable' }), away = clusterWith({ controlPlane: 'starting' })
const going = clusterWith({ controlPlane: 'usable', deletion: { requestedAt: 0, cascading: [], retain: [], force: false } })
const deletion = { requestedAt: 0, cascading: [], retain: [], force: false }
const goingAway = clusterWith({ controlPlane: 'unkept', deletion }), stripped = clusterWith({ controlPlane: 'absent', deletion }), hollow = clusterWith({ controlPlane: 'usable', deletion: { ...deletion, controlPlaneGone: true } })
function clusterWith(facts: Partial<ClusterRecord['facts']>): Pick<ClusterRecord, 'facts'> {
  return { facts: { obstacles: [], unpaid: false, controlPlane: 'absent', ...facts } }
}

// oxfmt-ignore
const rows: [what: string, record: KubeconfigSeen['record'], cluster: KubeconfigSeen['cluster'], step: string | undefined, lookAgainAt: number | undefined][] = [
  ['a new one is made',                               {},                                        usable,    'issue',   undefined],
  ['once the API is usable',                          {},                                        away,      undefined, 1_000],
  ['one that is made rests',                          { text: 'x' },                             usable,    undefined, undefined],
  ['one that is not wanted is revoked',               { text: 'x', deletionRequestedAt: 0 },     usable,    'revoke',  undefined],
  ['also before it was made',                         { deletionRequestedAt: 0 },                usable,    'revoke',  undefined],
  ['as soon as the API can be asked',                 { text: 'x', deletionRequestedAt: 0 },     away,      undefined, 2_000],
  ['while its cluster goes, too: its API may live on', { text: 'x', deletionRequestedAt: 0 },    going,     'revoke',  undefined],
  ['or as soon as that can be asked',                 { text: 'x', deletionRequestedAt: 0 },     goingAway, undefined, 2_000],
  ['where no API is left, it is only forgotten',      { text: 'x', deletionRequestedAt: 0 },     stripped,  'forget',  undefined],
  ['also where a load balancer keeps its cluster listed', { text: 'x', deletionRequestedAt: 0 }, hollow,   'forget',  undefined],
  ['one that nobody deleted is left to its cluster',  { text: 'x' },                             going,     undefined, undefined],
  ['none is made for a cluster that goes',            {},                                        going,     undefined, undefined],
  ['one whose cluster is gone goes too',              { text: 'x' },                             undefined, 'forget',  undefined],
]
for (const [what, record, cluster, step, lookAgainAt] of rows) {
  test(`a kubeconfig: ${what}`, () => assert.deepEqual(decideKubeconfig({ now: 0, record, cluster }), { step, lookAgainAt }))
}
