import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { API_ERRORS, isRefusal } from '#model/errors/catalogue.ts'
import type { FaultOrder, RegionFaults, StandingFault } from '#ports/region-world.ts'
import { systemTime } from '#test/harness/waiting.ts'
import { answerFaultComplaint, ConnectionCut, sentTargetComplaint, underFaults } from './answer-faults.ts'

const NOON = Date.UTC(2026, 11, 1, 12)

function standing(order: Omit<FaultOrder, 'port'>): RegionFaults {
  const fault: StandingFault = { id: 'f', injectedAt: NOON, hits: 0, port: 'api', ...order }
  return {
    complaint: () => undefined, inject: async () => {}, list: () => [fault], clear: async () => true, clearAll: async () => {},
    strike: (port, call, { onlyNamed }) => (port === 'api' && (fault.call === undefined ? !onlyNamed : fault.call === call) ? fault : undefined),
  }
}

function play(order: Omit<FaultOrder, 'port'>, name = 'CreateCluster', result: object = { Id: 'c1' }, body: object = {}) {
  let runs = 0
  const answer = underFaults(standing(order), { action: { name, kind: 'write' }, body, requestId: 'r', now: NOON, realTime: systemTime }, async () => {
    runs += 1
    return result
  }).catch((error: unknown) => error)
  return { answer, runs: () => runs }
}

describe('faults of our own answers', () => {
  for (const [code, status] of [[undefined, 500], ['429', 429], ['503', 503], ['504', 504], ['AccessDenied', 403]] as const) {
    test(`a call fails with ${code ?? 'no code'} and does nothing`, async () => {
      const { answer, runs } = play({ effect: { type: 'fail', ...code !== undefined && { code } } })
      const refusal = await answer
      assert.ok(isRefusal(refusal))
      assert.deepEqual([refusal.httpStatus, runs()], [status, 0])
    })
  }

  test('what an ordered refusal says is true: by whose order, and no limit that nobody passed', async () => {
    const said = async (code: string, message?: string) => String((await play({ effect: { type: 'fail', code, ...message !== undefined && { message }, for: 3_000 } }).answer as Error).message)
    assert.equal(await said('429'), 'The fault f refuses CreateCluster with FlowLimitExceeded. Try again in 3 s.')
    assert.equal(await said('503'), 'Not ready yet: the fault f orders it. It may be sent again.')
    assert.equal(await said('500'), 'Something went wrong here. Quote request r.')
    assert.equal(await said('500', 'not now'), 'not now')
    for (const [code] of API_ERRORS) if (!code.includes('{')) assert.doesNotMatch(await said(code), /\{\w+\}|undefined/, code)
  })

  test('a code of the catalogue that names a thing or a parameter is answered as it would be of the call, or names the order', async () => {
    const answered = async (name: string, code: string, body: object) => {
      const refusal = await play({ effect: { type: 'fail', code } }, name, {}, body).answer
      assert.ok(isRefusal(refusal))
      return [refusal.httpStatus, refusal.wireCode, refusal.message]
    }
    const gone = 'it does not exist, or belongs to another account or region.'
    assert.deepEqual(await answered('DeleteCluster', 'NotFound.Cluster', { Id: 'c1' }), [404, 'NotFound.Cluster', `There is no Cluster c1: ${gone}`])
    assert.deepEqual(await answered('DeleteNodePool', 'NotFound.Cluster', { ClusterId: 'c1', Id: 'p1' }), [404, 'NotFound.Cluster', `There is no Cluster c1: ${gone}`])
    assert.deepEqual(await answered('DeleteEdgeNodes', 'NotFound.Node', { ClusterId: 'c1', Ids: ['n1', 'n2'] }), [404, 'NotFound.Node', `There is no Node n1: ${gone}`])
    assert.deepEqual(await answered('CreateCluster', 'Conflict.Name', { Name: 'shop' }), [409, 'Conflict.Name', 'The Name shop is taken: the fault f orders it.'])
    assert.deepEqual(await answered('CreateCluster', 'InvalidParameter.PodsConfig.PodNetworkMode', {}), [400, 'InvalidParameter.PodsConfig.PodNetworkMode', 'The parameter PodsConfig.PodNetworkMode is not valid: the fault f orders it.'])
    assert.deepEqual(await answered('ListClusters', 'NotFound.Cluster', {}), [404, 'NotFound.Cluster', 'The fault f refuses ListClusters with NotFound.Cluster.'])
    assert.deepEqual(await answered('UpdateClusterConfig', 'Conflict.Name', {}), [409, 'Conflict.Name', 'The fault f refuses UpdateClusterConfig with Conflict.Name.'])
  })

  test('a call that is half done did everything and is given no answer', async () => {
    const { answer, runs } = play({ effect: { type: 'half' } })
    assert.ok(await answer instanceof ConnectionCut)
    assert.equal(runs(), 1)
  })

  test('a silent one does nothing, and a hanging one neither, when its time is over', async () => {
    for (const effect of [{ type: 'silent' as const }, { type: 'hang' as const, for: 5 }]) {
      const { answer, runs } = play({ effect })
      assert.ok(await answer instanceof ConnectionCut)
      assert.equal(runs(), 0)
    }
  })

  test('a slow one is answered after its time', async () => {
    const began = performance.now()
    assert.deepEqual(await play({ effect: { type: 'slow', for: 60 } }).answer, { Id: 'c1' })
    assert.ok(performance.now() - began >= 59)
  })

  test('one that is delivered twice is done twice', async () => {
    const { answer, runs } = play({ effect: { type: 'double' } })
    assert.deepEqual(await answer, { Id: 'c1' })
    assert.equal(runs(), 2)
  })

  test('a stale list is read as of before what was made lately', async () => {
    const readAsOf = async (effect: FaultOrder['effect']) => {
      let asOf: number | undefined
      await underFaults(standing({ call: 'ListClusters', effect }), { action: { name: 'ListClusters', kind: 'read' }, body: {}, requestId: 'r', now: NOON, realTime: systemTime }, async ({ until } = {}) => {
        asOf = until
        return {}
      })
      return asOf === undefined ? undefined : NOON - asOf
    }
    assert.deepEqual([await readAsOf({ type: 'lie' }), await readAsOf({ type: 'lie', for: 1_000 }), await readAsOf({ type: 'slow', for: 1 })], [10_000, 1_000, undefined])
  })

  test('faults of every call leave open the way to clear them', async () => {
    const effect = { type: 'fail' as const }
    for (const name of ['ClearFault', 'SetClock']) assert.deepEqual(await play({ effect }, name).answer, { Id: 'c1' })
    assert.ok(isRefusal(await play({ effect, call: 'ClearFault' }, 'ClearFault').answer))
  })

  test('a fault of the call by which faults are taken away ends by itself', () => {
    const member = (order: Omit<FaultOrder, 'port' | 'effect'>) => answerFaultComplaint({ port: 'api', effect: { type: 'fail' }, ...order })?.member
    assert.deepEqual([member({ call: 'ClearFault' }), member({ call: 'ClearFault', target: { id: 'f1' } }), member({ call: 'ClearFault', times: 2 }), member({ call: 'ClearFault', until: NOON }), member({}), member({ call: 'SetClock' })], ['Times', 'Times', undefined, undefined, undefined, undefined])
  })

  test('what is no fault of an answer is refused', () => {
    const member = (order: Omit<FaultOrder, 'port'>) => answerFaultComplaint({ port: 'api', ...order })?.member
    assert.deepEqual([
      member({ effect: { type: 'protected' } }), member({ effect: { type: 'fail', code: '418' } }), member({ effect: { type: 'fail', code: 'NotFound.{Resource}' } }), member({ effect: { type: 'fail', code: 'NotFound.' } }), member({ effect: { type: 'fail', code: 'Gone.Cluster' } }), member({ effect: { type: 'fail', code: 'NotFound.Cluster' } }),
      member({ call: 'CreateCluster', effect: { type: 'lie' } }), member({ call: 'ListClusters', effect: { type: 'lie' } }), member({ effect: { type: 'fail', code: '429' } }),
      member({ effect: { type: 'lie' } }), member({ call: 'ListScenarios', effect: { type: 'lie' } }),
      member({ call: 'CreateCluster', effect: { type: 'half', for: 1 } }), member({ effect: { type: 'silent', code: '500' } }), member({ effect: { type: 'slow', for: 1, message: 'no' } }), member({ effect: { type: 'fail', code: '429', for: 1 } }),
    ], ['Effect.Type', 'Effect.Code', 'Effect.Code', 'Effect.Code', 'Effect.Code', undefined, 'Effect.Type', undefined, undefined, 'Call', 'Effect.Type', 'Effect.For', 'Effect.Code', 'Effect.Message', undefined])
  })

  test('a fault of every call is at what some call names', () => {
    const complaint = (kind: string) => sentTargetComplaint({ port: 'api', target: { id: 'x' }, effect: { type: 'fail' } }, kind, undefined)?.why
    assert.deepEqual([complaint('Addon'), complaint('Kubeconfig'), complaint('LoadBalancer')], [undefined, undefined, 'the id is of kind LoadBalancer, and no call sends ids of that kind'])
  })
})
