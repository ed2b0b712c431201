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
const rows: [what: string, record: Omit<KubeconfigSeen['record'], 'createdAt'>, cluster: KubeconfigSeen['cluster'], step: string | undefined, lookAgainAt: number | undefined][] = [
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
  test(`a kubeconfig: ${what}`, () => assert.deepEqual(decideKubeconfig({ now: 0, record: { createdAt: 0, ...record }, cluster }), { step, lookAgainAt }))
}

const MINUTE = 60_000, HOUR = 60 * MINUTE, YEAR = 8_760 * HOUR
// oxfmt-ignore
const pauses: [what: string, waited: number, tellsAll: boolean | undefined, pauseOfNew: number, pauseOfDeleted: number][] = [
  ['at the beginning',                          0,          undefined, 1_000,      2_000],
  ['half of what it waited',                    10 * MINUTE, undefined, 5 * MINUTE, 5 * MINUTE],
  ['an hour at most',                           YEAR,       undefined, HOUR,       HOUR],
  ['no more where everything is told',          0,          true,      1_000,      2_000],
  ['without a bound where everything is told',  YEAR,       true,      YEAR / 2,   YEAR / 2],
]
for (const [what, waited, tellsAll, pauseOfNew, pauseOfDeleted] of pauses) {
  test(`a kubeconfig that waits is looked at again: ${what}`, () => {
    const now = YEAR + waited
    assert.equal(decideKubeconfig({ now, record: { createdAt: YEAR }, cluster: away, tellsAll }).lookAgainAt, now + pauseOfNew)
    assert.equal(decideKubeconfig({ now, record: { createdAt: 0, text: 'x', deletionRequestedAt: YEAR }, cluster: away, tellsAll }).lookAgainAt, now + pauseOfDeleted)
  })
}
