/** Whatever is put on nodes and taken off again: what is said of a pod and a place is what a look at every pod on every node says, and what the scheduler's own filters say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { withAskedLabels } from '#controllers/node-pool/asked-labels.ts'
import { Places } from '#controllers/node-pool/places.ts'
import type { NodeObject, PodObject } from '#kubernetes/client/objects.ts'
import { seeRoom } from '#kubernetes/tenant-cluster/see-room.ts'
import { neighboursOf } from '#model/node-pool/neighbours.ts'
import { fits } from './oracle/kube-scheduler.ts'
import { SEED } from './size.ts'

const HOST = 'kubernetes.io/hostname', ZONE = 'topology.kubernetes.io/zone', INDEX = 'apps.kubernetes.io/pod-index'
const rarely = <Value>(value: fc.Arbitrary<Value>) => fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
const labelSelector = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b').map(app => ({ matchLabels: { app } })) }, { weight: 1, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.record({ key: fc.constantFrom('app', INDEX), operator: fc.constantFrom('In', 'NotIn'), values: fc.constant(['a', '1']) }).map(one => ({ matchExpressions: [one] })) },
)
const term = fc.record({ topologyKey: fc.constantFrom(HOST, ZONE), labelSelector, namespaces: rarely(fc.constant(['x', 'y'])) }).map(({ namespaces, ...one }) => ({ ...one, ...namespaces && { namespaces } }))
const terms = fc.array(term, { minLength: 1, maxLength: 2 }).map(some => ({ requiredDuringSchedulingIgnoredDuringExecution: some }))
const spreads = fc.array(fc.record({ topologyKey: fc.constantFrom(HOST, ZONE), labelSelector, maxSkew: fc.integer({ min: 1, max: 2 }), minDomains: fc.integer({ min: 1, max: 3 }), whenUnsatisfiable: fc.constant('DoNotSchedule') }), { minLength: 1, maxLength: 2 })
const pod = fc.record({ namespace: fc.constantFrom('x', 'y'), app: fc.constantFrom('a', 'b'), cpu: fc.constantFrom(100, 900), hostPort: rarely(fc.constantFrom(80, 81)), podAffinity: rarely(terms), podAntiAffinity: rarely(terms), spread: rarely(spreads), on: rarely(fc.nat(4)) })
const world = fc.record({
  nodes: fc.array(fc.record({ cpu: fc.constantFrom(1_000, 4_000), zone: rarely(fc.constantFrom('z1', 'z2')), pods: fc.integer({ min: 1, max: 6 }) }), { minLength: 1, maxLength: 4 }), pods: fc.array(pod, { minLength: 1, maxLength: 8 }),
  steps: fc.array(fc.record({ what: fc.constantFrom('put', 'put', 'put', 'undo', 'empty', 'add'), pod: fc.nat(7), place: fc.nat(4) }), { maxLength: 12 }),
})

test('what keeps a pod from a place is told as if all pods were looked at', () => {
  fc.assert(fc.property(world, given => {
    const nodes = given.nodes.map(({ cpu, zone, pods }, index): NodeObject => ({
      metadata: { name: `n${index}`, labels: { [HOST]: `n${index}`, ...zone !== undefined && { [ZONE]: zone } } }, spec: {}, status: { allocatable: { cpu: `${cpu}m`, memory: '64Gi', pods: String(pods) }, conditions: [{ type: 'Ready', status: 'True' }] },
    }))
    const pods = given.pods.map(({ namespace, app, cpu, hostPort, podAffinity, podAntiAffinity, spread, on }, index): PodObject => ({
      metadata: { name: `p${index}`, namespace, labels: { app, [INDEX]: String(index) } },
      spec: { containers: [{ resources: { requests: { cpu: `${cpu}m` } }, ...hostPort !== undefined && { ports: [{ hostPort }] } }], affinity: { ...podAffinity && { podAffinity }, ...podAntiAffinity && { podAntiAffinity } }, ...spread && { topologySpreadConstraints: spread }, ...on !== undefined && nodes[on] && { nodeName: nodes[on].metadata.name } },
      ...(on === undefined || !nodes[on]) && { status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] } },
    }))
    const room = withAskedLabels(seeRoom(pods, nodes)), { waiting } = room, places = Places.of(room.free), undo: (() => void)[] = []
    const on = new Map(places.all.map(place => [place, pods.filter(({ spec }) => spec?.nodeName === place.name)])), waits = pods.filter(({ spec }) => spec?.nodeName === undefined)
    if (waiting.length === 0) return
    let isOracleAble = true
    const check = () => {
      const all = places.all.map(place => ({ place, node: nodes.find(({ metadata }) => metadata.name === place.name)!, pods: on.get(place)! }))
      for (const [index, one] of waiting.entries()) {
        const judged = places.judge(one), plain = neighboursOf(one, places.all)
        for (const each of all) {
          const why = judged(each.place)
          if (why !== 'cordon' && why !== 'room') assert.equal(why, plain(each.place), `${one.name} on ${each.place.name}`)
          if (isOracleAble) assert.equal(why === undefined, fits(waits[index]!, each, all), `${one.name} on ${each.place.name}: ${why}`)
        }
      }
    }
    check()
    for (const step of given.steps) {
      const index = step.pod % waiting.length, place = places.all[step.place % places.all.length]!
      if (step.what === 'undo') undo.pop()?.()
      else if (step.what === 'put') {
        const takeOff = places.put(waiting[index]!, place)
        on.set(place, [...on.get(place) ?? [], waits[index]!])
        undo.push(() => {
          takeOff()
          on.set(place, on.get(place)!.slice(0, -1))
        })
      } else {
        // The scheduler's filters know no node that is thought of, or thought gone.
        isOracleAble = false
        undo.push(step.what === 'empty' ? places.empty(place) : places.add({ ...place, name: `new ${undo.length}`, labels: { ...place.labels, [HOST]: `new ${undo.length}` }, carries: [...place.carries], shut: false, goes: false }))
      }
      check()
    }
    for (const one of undo.toReversed()) one()
    assert.deepEqual(places.all, Places.of(room.free).all)
  }), { numRuns: SEED === undefined ? 20_000 : 1_000, ...SEED !== undefined && { seed: SEED } })
})
