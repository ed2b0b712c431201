import type { CallStep, ClockStep, Row, Scenario, Step } from './scenario.ts'

/** Short ways to write steps that many scenarios begin with. */
export function call(Action: string, Request: CallStep['Request'], As?: string): CallStep {
  return { Action, Request, ...(As !== undefined && { As }) }
}

export function cause(Action: string, Request: CallStep['Request'], As?: string): CallStep {
  return { ...call(Action, Request, As), Cause: true }
}

export function pass(span: string): ClockStep {
  return { Clock: span }
}

export function row(Kind: Row['Kind'], Phase: string, ...Conditions: string[]): Row {
  return { Kind, Phase, Conditions }
}

/** The scenario of one row; its name is that of the row. */
export function of(reaches: Row, zh: string, en: string, ...steps: readonly (Step | readonly Step[])[]): Scenario {
  const { Kind, Phase, Conditions } = reaches
  return { Name: [Kind, Phase, ...Conditions].map(hyphened).join('-'), Title: { zh, en }, Reaches: [reaches], Steps: steps.flat() }
}

/** `NodePool` → `node-pool`, `InitializeFailed` → `initialize-failed`. */
function hyphened(word: string): string {
  return word.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()
}

export function createCluster(more: Readonly<Record<string, unknown>> = {}): CallStep {
  return call('CreateCluster', {
    Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-1'], ...more },
    PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] },
  }, 'cluster')
}

export const RUNNING_CLUSTER: readonly Step[] = [createCluster(), pass('60s')]

export const STATIC_POOL: readonly Step[] = [...RUNNING_CLUSTER, call('CreateEdgeNodePool', { ClusterId: '<cluster>', Name: 'counters' }, 'pool'), pass('10s')]

export const SCRIPT: readonly Step[] = [
  ...STATIC_POOL, call('CreateBatchEdgeMachine', { ClusterId: '<cluster>', NodePoolId: '<pool>', Name: 'counters-script', TTLHours: 24 }, 'script'), call('AddMachine', { Name: 'shop-1' }, 'machine'), pass('30s'),
]

export const RUN_SCRIPT: CallStep = call('SetMachine', { Id: '<machine>', RunScript: '<script>' })

/** A machine has run its script and is a Running node. */
export const SCRIPT_NODE: readonly Step[] = [...SCRIPT, RUN_SCRIPT, pass('90s'), call('ListEdgeNodes', { Filter: { ClusterIds: ['<cluster>'] } }, 'node')]

interface Scaling { readonly Enabled?: boolean; readonly MinReplicas?: number; readonly MaxReplicas?: number; readonly DesiredReplicas?: number; readonly Priority?: number; readonly Mode?: string }

export function elasticPool(scaling: Scaling = {}): CallStep {
  return call('CreateEdgeNodePool', {
    ClusterId: '<cluster>', Name: 'burst', NodePoolType: 'edge-machine-pool',
    ElasticConfig: { CloudServerIdentity: 'cloudserver-edge', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 1, Priority: 10, ...scaling }, InstanceArea: { AreaName: 'beijing', Isp: 'CMCC' } },
  }, 'pool')
}

/** A pool that made one machine itself, which is a Running node. */
export const ELASTIC_NODE: readonly Step[] = [...RUNNING_CLUSTER, elasticPool(), pass('120s'), call('ListEdgeNodes', { Filter: { ClusterIds: ['<cluster>'] } }, 'node')]

/** The account's money is gone, and so is its grace time. */
export const ARREARS: readonly Step[] = [cause('SetBalance', { Amount: 0 }), pass('121m')]

export function fault(Port: string, Call: string, Effect: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}): CallStep {
  return cause('InjectFault', { Port, Call, Effect, ...more }, 'fault')
}

/**
 * A call of a port takes so much longer than usual, each time for one thing: what waits for it lasts, so that its row holds for somebody to look at. It is no cause: the row comes without it, too, but goes
 * within the same instant.
 */
export function slowed(Port: string, Call: string, For: string): CallStep {
  return call('InjectFault', { Port, Call, Effect: { Type: 'slow', For } })
}

export const INGRESS = { ClusterId: '<cluster>', Name: 'ingress-nginx' } as const
