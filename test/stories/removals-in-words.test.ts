import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ANY_CLUSTER, FreshRegions } from '#test/harness/fresh-regions.ts'

/** What cannot be removed names the thing and the call, whatever its provider says. */
describe('ResourceCleanupFailed says which thing and which call, and what was said of it', () => {
  const regions = new FreshRegions('words')
  const done = (action: string, body: object = {}) => regions.done(action, body)
  const because = async (Id: unknown) => {
    const { Because, Status } = await done('ExplainStatus', { Id })
    assert.match(JSON.stringify(Status), /"Failed".*"ResourceCleanupFailed"/)
    return String(Because)
  }
  interface Begun { readonly cluster: string; readonly pool: string; readonly node: string }
  const begin = async (): Promise<Begun> => {
    const { Id: cluster = '' } = await done('CreateCluster', ANY_CLUSTER)
    await regions.step('60s')
    const { Id: pool = '' } = await done('CreateEdgeNodePool', {
      ClusterId: cluster, Name: 'burst', NodePoolType: 'edge-machine-pool',
      ElasticConfig: { CloudServerIdentity: 'c1', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
    })
    await regions.step('90s')
    await done('CreateAddon', { ClusterId: cluster, Name: 'ingress-nginx' })
    await regions.step('60s')
    const [node] = (await done('ListEdgeNodes')).Items ?? []
    return { cluster, pool, node: String(node?.['Id']) }
  }
  const removals: Record<string, (begun: Begun) => Promise<string>> = {
    machines: async ({ cluster, pool, node }) => {
      await done('DeleteEdgeNodes', { ClusterId: cluster, NodePoolId: pool, Ids: [node], CascadingDeleteResources: ['Ecs'] })
      return node
    },
    outside: async ({ cluster }) => {
      await done('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] })
      return cluster
    },
    'addon-installer': async ({ cluster }) => {
      await done('DeleteAddon', { ClusterId: cluster, Name: 'ingress-nginx' })
      return `${cluster}:ingress-nginx`
    },
  }

  const MACHINE = String.raw`The machine burst-\w+ \(m\w+\)`, PLANE = String.raw`The control plane of shop \(c\w+\)`, ADDON = 'The add-on ingress-nginx', NODE = String.raw`The Node object burst-\w+`
  const BALANCER = String.raw`The load balancer shop-LoadBalancer \(clb-\w+\)`, GROUP = String.raw`The security group shop-SecurityGroup \(sg-\w+\)`
  const LOCKED = { Type: 'protected', Message: 'locked by audit' }, BUSY = { Type: 'fail', Message: 'busy' }, HANGS = { Type: 'hang' }, LIES = { Type: 'lie' }
  const not = (thing: string, what: string) => `${thing} could not be removed: ${what}`
  const locked = (thing: string, call: string) => `${thing} is protected against deletion: ${call} was refused: locked by audit`
  const UNTRUE = 'is still seen, though ensureGone says that it is gone'
  const SILENT = 'ensureGone: no answer'
  // oxfmt-ignore
  const rows: [port: string, call: string, effect: object, says: string][] = [
    ['machines',           'ensureGone',     LOCKED, locked(MACHINE, 'ReleaseMachine')],
    ['machines',           'ensureGone',     BUSY,   not(MACHINE, 'ensureGone failed: busy')],
    ['machines',           'ensureGone',     HANGS,  not(MACHINE, SILENT)],
    ['machines',           'ensureGone',     LIES,   not(MACHINE, 'ensureGone failed: it answered that the machine is gone, and the machine is still there')],
    ['machines',           'look',           BUSY,   not(MACHINE, 'look failed: busy')],
    ['outside',            'ensureGone',     LOCKED, `${locked(BALANCER, 'DeleteLoadBalancer')}; ${locked(GROUP, 'DeleteSecurityGroup')}`],
    ['outside',            'ensureGone',     BUSY,   `${not(BALANCER, 'ensureGone failed: busy')}; ${not(GROUP, 'ensureGone failed: busy')}`],
    ['outside',            'ensureGone',     HANGS,  `${not(BALANCER, SILENT)}; ${not(GROUP, SILENT)}`],
    ['outside',            'ensureGone',     LIES,   `${BALANCER} ${UNTRUE}; ${GROUP} ${UNTRUE}`],
    ['outside',            'look',           BUSY,   String.raw`The load balancer shop-LoadBalancer could not be looked at since \S+: look failed: busy`],
    ['control-plane-host', 'ensureGone',     LOCKED, locked(PLANE, 'DeleteControlPlane')],
    ['control-plane-host', 'ensureGone',     BUSY,   not(PLANE, 'ensureGone failed: busy')],
    ['control-plane-host', 'ensureGone',     HANGS,  not(PLANE, SILENT)],
    ['control-plane-host', 'ensureGone',     LIES,   String.raw`${PLANE} ${UNTRUE}: its network, etcd \(running\), kube-apiserver \(running\), kube-controller-manager \(running\), kube-scheduler \(running\)`],
    ['control-plane-host', 'look',           HANGS,  String.raw`${PLANE} could not be looked at since \S+: look: no answer`],
    ['tenant-cluster',     'ensureNodeGone', BUSY,   String.raw`${NODE} could not be removed since \S+: ensureNodeGone failed: busy`],
    ['tenant-cluster',     'ensureNodeGone', HANGS,  String.raw`${NODE} could not be removed since \S+: ensureNodeGone: no answer`],
    ['tenant-cluster',     'setSchedulable', BUSY,   String.raw`${NODE} could not be removed since \S+: setSchedulable failed: busy`],
    ['addon-installer',    'ensureGone',     LOCKED, locked('The load balancer that ingress-nginx asked for', 'DeleteLoadBalancer')],
    ['addon-installer',    'ensureGone',     BUSY,   not(ADDON, 'ensureGone failed: busy')],
    ['addon-installer',    'ensureGone',     HANGS,  not(ADDON, SILENT)],
    ['addon-installer',    'ensureGone',     { ...BUSY, Code: 'unreachable' }, `It was not gone 8 min after its removal was asked for: ${not(ADDON, 'ensureGone failed: busy')}`],
  ]
  for (const [Port, Call, Effect, says] of rows) {
    test(`${Port} ${Call} ${JSON.stringify(Effect)}`, async () => {
      const begun = await begin()
      await done('InjectFault', { Port, Call, Effect })
      const remove = Port === 'control-plane-host' ? removals['outside'] : Port === 'tenant-cluster' ? removals['machines'] : removals[Port]
      const id = await remove?.(begun)
      await regions.step('10m')
      const said = await because(id)
      assert.match(said, new RegExp(`^(Its resources were not gone 8 min after the deletion was asked for: )?${says}$`))
    })
  }

  test('several are all named, each once, up to their cluster', async () => {
    const { cluster, pool } = await begin()
    for (const Port of ['machines', 'outside', 'control-plane-host']) await done('InjectFault', { Port, Call: 'ensureGone', Effect: LOCKED })
    await done('DeleteCluster', { Id: cluster, CascadingDeleteResources: ['All'] })
    await regions.step('10m')
    const said = await because(cluster)
    for (const thing of [locked(MACHINE, 'ReleaseMachine'), locked(BALANCER, 'DeleteLoadBalancer'), locked(GROUP, 'DeleteSecurityGroup'), locked(PLANE, 'DeleteControlPlane')]) assert.equal(said.split(new RegExp(thing)).length, 2, `${thing} in ${said}`)
    assert.match(await because(pool), new RegExp(`^Node burst-\\w+ is still there: ${locked(MACHINE, 'ReleaseMachine')}$`))
  })
})
