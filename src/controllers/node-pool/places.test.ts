/** What a pass may cost is counted, not timed: judgements, and looks at what is on nodes. */
import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { NO_NODES } from '#model/counts.ts'
import type { Marks } from '#model/node-pool/neighbours.ts'
import type { NodePoolFacts, NodePoolSpec } from '#model/node-pool/record.ts'
import type { NodeRoom, PodNeed, RoomSeen } from '#ports/tenant-cluster.ts'
import { withAskedLabels } from './asked-labels.ts'
import { needOfPool } from './need-of-pool.ts'
import { keptFor, needIn } from './need.ts'
import { Places } from './places.ts'
import { shareOf } from './share-need.ts'

const HOSTNAME = 'kubernetes.io/hostname'
const spec = { name: 'p', taints: [], labels: [], scaling: { enabled: true, minReplicas: 0, maxReplicas: 300, desiredReplicas: 0, sentDesiredReplicas: 0, priority: 10 } } as unknown as NodePoolSpec
const pool = { id: 'p', spec, facts: { ready: true, obstacles: [], openClaims: 0 } as NodePoolFacts, counts: NO_NODES }
const host = (name: string, more: Partial<NodeRoom> = {}): NodeRoom => ({ name, labels: { [HOSTNAME]: name }, taints: [], cpuMillis: 100, memoryMiB: 9_999, pods: 84, ...more })
const alone = { antiAffinity: [{ topologyKey: HOSTNAME, labelSelector: { matchLabels: { app: 'es' } } }] }
/** Each with a label of its own, as a StatefulSet has it. */
const members = (count: number): PodNeed[] => Array.from({ length: count }, (_, index) => ({ name: `web/es-${index}`, labels: { 'app': 'es', 'apps.kubernetes.io/pod-index': String(index) }, cpuMillis: 2_000, memoryMiB: 64, ...alone }))
const seen = (more: Partial<RoomSeen>): RoomSeen => ({ waiting: [], perNode: { cpuMillis: 4_000, memoryMiB: 9_999 }, busy: [], light: [], free: [], ...more })

/** `judged`: how often a place was. */
function judgementsOf<Result>(work: () => Result): { readonly result: Result; readonly judgements: number; readonly judged: number } {
  let judged = 0
  const original = Object.getOwnPropertyDescriptor(Places.prototype, 'judge')?.value as (this: Places, pod: PodNeed) => ReturnType<Places['judge']>
  const judge = mock.method(Places.prototype, 'judge', function (this: Places, pod: PodNeed) {
    const judging = original.call(this, pod)
    return (place: Parameters<typeof judging>[0]) => {
      judged += 1
      return judging(place)
    }
  })
  try {
    return { result: work(), judgements: judge.mock.callCount(), judged }
  } finally {
    judge.mock.restore()
  }
}

describe('a pass over an autoscaler\'s need', () => {
  test('judges two times for each node that it thinks of, though each pod that waits has a label of its own', () => {
    const free = Array.from({ length: 300 }, (_, index) => host(`n${index}`, { carries: [{ name: `web/old-${index}`, labels: { app: 'old', index: String(index) } }] }))
    const room = seen({ waiting: members(100), busy: free.map(({ name }) => name), free })
    const { result, judgements } = judgementsOf(() => {
      const { needed, facts } = needOfPool(pool, { room, pools: [pool], nodes: new Map() }, 0)
      return [shareOf('p', [{ ...pool, facts }], needed!), keptFor(needed!, free.map(({ name }) => name)).size]
    })
    assert.deepEqual(result, [100, 0])
    assert.ok(judgements <= 2 * 100 + 10, `${judgements} judgements`)
  })

  test('looks at each pod that is on a node a few times at most, however many wait and whatever amounts each asks for', () => {
    let looks = 0
    const labels = { app: 'old' }, old = (name: string): Marks => ({ name, get labels() {
      looks += 1
      return labels
    } })
    const free = Array.from({ length: 50 }, (_, index) => host(`n${index}`, { carries: Array.from({ length: 26 }, (_none, number) => old(`web/old-${index}-${number}`)) }))
    const needed = needIn(seen({ waiting: members(100).map((pod, index) => ({ ...pod, cpuMillis: 1_000 + index, labels: { app: 'es' } })), busy: free.map(({ name }) => name), free }), [pool])
    assert.equal(shareOf('p', [pool], needed), 100)
    assert.ok(looks <= 3 * 50 * 26, `${looks} looks at ${50 * 26} pods`)
  })

  test('judges two times for each light node that may go', () => {
    const light = Array.from({ length: 100 }, (_, index) => ({ name: `n${String(index).padStart(3, '0')}`, pods: [{ name: `kube-system/x-${index}`, cpuMillis: 100, memoryMiB: 10 }] }))
    const free = light.map(({ name, pods }) => host(name, { cpuMillis: 3_000, carries: pods }))
    const { result, judgements } = judgementsOf(() => keptFor(seen({ light, free }), light.map(({ name }) => name)).size)
    assert.equal(result, 4)
    assert.ok(judgements <= 2 * 100, `${judgements} judgements`)
  })

  test('judges no place anew for pods that differ in amounts alone', () => {
    const light = Array.from({ length: 100 }, (_, index) => ({ name: `n${String(index).padStart(3, '0')}`, pods: [0, 1, 2].map(number => ({ name: `kube-system/x-${index}-${number}`, cpuMillis: 100 + (index * 3 + number) % 97, memoryMiB: 10 })) }))
    const free = light.map(({ name, pods }) => host(name, { cpuMillis: 3_600, carries: pods }))
    const { result, judged } = judgementsOf(() => keptFor(seen({ light, free }), light.map(({ name }) => name)).size)
    assert.equal(result, 15)
    // For each node that may go each place two times, and one for each pod that has moved.
    assert.ok(judged <= 100 * (2 * 100 + 3 * 100), `${judged} places`)
  })

  test('lets fifty pods move that mind their neighbours, and the others after them', () => {
    const names = (kind: string) => Array.from({ length: 80 }, (_, index) => `${kind}-${String(index).padStart(3, '0')}`)
    const light = members(80).map((pod, index) => ({ name: names('light')[index]!, pods: [{ ...pod, name: `kube-system/es-${index}` }] }))
    const room = withAskedLabels(seen({ light, busy: names('busy'), free: [...light.map(({ name, pods }) => host(name, { carries: pods })), ...names('busy').map(name => host(name, { cpuMillis: 4_000 }))] }))
    const { result: kept, judgements } = judgementsOf(() => keptFor(room, names('light')))
    assert.deepEqual([...kept], names('light').slice(50))
    assert.ok(judgements <= 50 * 51 / 2 + 2 * 80, `${judgements} judgements`)
    const stay = light.filter(({ name }) => kept.has(name)), moved = light.filter(({ name }) => !kept.has(name))
    const later = { ...room, light: stay, free: [...stay.map(({ name, pods }) => host(name, { carries: pods })), ...names('busy').map((name, index) => host(name, { cpuMillis: index < 50 ? 2_000 : 4_000, carries: moved[index]?.pods ?? [] }))] }
    assert.equal(keptFor(later, names('light')).size, 0)
  })
})
