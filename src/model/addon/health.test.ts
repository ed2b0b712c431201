import assert from 'node:assert/strict'
import { test } from 'node:test'
import { healthOf, type PodSeen, type WorkloadSeen } from './health.ts'
import type { AddonFacts } from './record.ts'

const MINUTE = 60_000, NOON = Date.UTC(2026, 11, 1, 12)
const LOOPS: Partial<PodSeen> = { node: 'n', waiting: { reason: 'CrashLoopBackOff', message: 'back-off' }, restarts: 3 }
const NO_IMAGE: Partial<PodSeen> = { node: 'm', waiting: { reason: 'ImagePullBackOff', message: 'no such image' }, restarts: 1 }

const runs = (since: number, ready = true): Partial<PodSeen> => ({ node: 'n', ready, runningSince: NOON + since * MINUTE, restarts: 3 })

/** One pod each of the workloads A and B, at each look by its minute; answers what is told of CrashLoopBackOff after each, and of which workloads it is held. */
function told(looks: readonly (readonly [minute: number, a: Partial<PodSeen>, b: Partial<PodSeen>])[]): readonly (string | undefined)[] {
  const workload = (name: string, pod: Partial<PodSeen>): WorkloadSeen => ({ name, desired: 1, available: pod.ready ? 1 : 0, updated: 1, pods: [{ name: `pod-${name}`, ready: false, current: true, restarts: 0, ...pod }] })
  let facts: AddonFacts = { applied: { version: 'v1', at: NOON }, reasons: {}, obstacles: [] } as unknown as AddonFacts
  return looks.map(([minute, a, b]) => {
    const { reasons, degraded, unavailable } = healthOf({ workloads: [workload('A', a), workload('B', b)], schedulableNodes: 2 }, facts, NOON + minute * MINUTE)
    facts = { ...facts, reasons, degraded, unavailable } as AddonFacts
    const { text, runsSince, workloads = {} } = reasons.CrashLoopBackOff ?? {}
    return text && `${text.replace(/ waits with .*/, ' waits')}${runsSince === undefined ? '' : `, runs since ${(runsSince - NOON) / MINUTE}`} (${Object.entries(workloads).map(([name, since]) => `${name} since ${(since - NOON) / MINUTE}`).toSorted().join(', ')})`
  })
}

test('a crash loop that is over is held no longer because a container of another workload ended once and waits for something else', () => {
  assert.deepEqual(told([[0, LOOPS, runs(0)], [1, runs(1), runs(0)], [2, runs(1), NO_IMAGE], [4, runs(1), NO_IMAGE]]), [
    'pod pod-A of A waits (A since 0)', 'pod pod-A of A waits, runs since 1 (A since 0)', 'pod pod-A of A waits, runs since 1 (A since 0)', undefined,
  ])
})

test('of two workloads in a crash loop each is held for as long as it is not cured, and told is one that is in it still', () => {
  assert.deepEqual(told([[0, LOOPS, runs(0)], [1, LOOPS, LOOPS], [2, runs(2), LOOPS], [5, runs(2), LOOPS], [6, runs(2), runs(6, false)], [7, runs(2), LOOPS], [8, runs(2), runs(8)], [10, runs(2), runs(8)]]), [
    'pod pod-A of A waits (A since 0)', 'pod pod-A of A waits (A since 0, B since 1)', 'pod pod-B of B waits (A since 0, B since 1)', 'pod pod-B of B waits (B since 1)',
    'pod pod-B of B waits, runs since 6 (B since 1)', 'pod pod-B of B waits (B since 1)', 'pod pod-B of B waits, runs since 8 (B since 1)', undefined,
  ])
})

test('what is held of a workload that was not told before is said of that one', () => {
  assert.deepEqual(told([[0, LOOPS, LOOPS], [1, runs(1), runs(2)], [3, runs(1), runs(2)], [4, runs(1), runs(2)]]), [
    'pod pod-A of A waits (A since 0, B since 0)', 'pod pod-A of A waits, runs since 2 (A since 0, B since 0)', 'a pod of B waited with CrashLoopBackOff, runs since 2 (B since 0)', undefined,
  ])
})
