import { ARREARS, call, cause, createCluster, ELASTIC_NODE, elasticPool, fault, INGRESS, pass, RUN_SCRIPT, RUNNING_CLUSTER, SCRIPT, SCRIPT_NODE } from '#api/scenarios/building.ts'
import type { CallStep, Step } from '#api/scenarios/scenario.ts'

export interface Chapter { readonly says: string; readonly steps: readonly Step[] }

/** A story that the demo tells in a simulated region of its own: public calls and steps of the clock, as scenarios have them, with a sentence before each part. */
export interface DemoStory { readonly name: string; readonly title: string; readonly chapters: readonly Chapter[] }

const LEDGER = call('ListLedger', {}), LOAD = { ClusterId: '<cluster>', Name: 'checkout', Cpu: '2', MemoryMiB: 512 }
const DELETE_ALL = call('DeleteCluster', { Id: '<cluster>', CascadingDeleteResources: ['All'] })
const link = (Link: 'cut' | 'up'): CallStep => call('SetMachine', { Id: '<machine>', Link })
const chapter = (says: string, ...steps: readonly (Step | readonly Step[])[]): Chapter => ({ says, steps: steps.flat() })
const FLAPS = Array.from({ length: 4 }, (): readonly Step[] => [link('cut'), pass('15s'), link('up'), pass('35s')]).flat()

export const DEMO_STORIES: readonly DemoStory[] = [
  { name: 'arrears', title: 'the money runs out: two hours of grace, everything is shut down, a payment brings it back', chapters: [
    chapter('A cluster with a pool that ordered one machine.', ELASTIC_NODE),
    chapter('The balance is set to nothing. For two hours nothing happens; then the control plane and the machine are shut down.', ARREARS, pass('2m')),
    chapter('Who asks for something now is told why not, and since when.', { ...call('CreateEdgeNodePool', { ClusterId: '<cluster>', Name: 'more' }), Refused: 'OperationDenied.Balance' }),
    chapter('It is paid.', call('SetBalance', { Amount: 1_000_000 }), pass('3m')),
  ] },
  { name: 'stockout', title: 'two of three machines, then none are left, then there are some again', chapters: [
    chapter('Two machines can still be had.', createCluster(), pass('60s'), call('SetStock', { Kind: 'Machine', Count: 2 })),
    chapter('A pool wants three. It works with two, says why it has no third, and goes on asking.', elasticPool({ DesiredReplicas: 3 }), pass('2m')),
    chapter('An hour later nothing has changed, and no node hangs around half made.', pass('1h')),
    chapter('Machines are back in stock; nobody has to ask again.', call('SetStock', { Kind: 'Machine', Count: 5 }), pass('60s')),
  ] },
  { name: 'stuck-deletion', title: 'a protected load balancer stands in the way of a deletion', chapters: [
    chapter('A cluster; somebody protects its load balancer.', RUNNING_CLUSTER, fault('outside', 'ensureGone', { Type: 'protected' }, { Target: { Kind: 'LoadBalancer' } })),
    chapter('DeleteCluster with everything in it. What can go goes; what stands in the way is named.', DELETE_ALL, pass('9m')),
    chapter('The ledger still has what is held:', LEDGER),
    chapter('It is protected no more. Nobody retries for ever behind one\'s back: the same call again ends it.', call('ClearFault', { All: true }), DELETE_ALL, pass('1m')),
    chapter('And the ledger:', LEDGER),
  ] },
  { name: 'autoscaler', title: 'load comes and goes; machines are ordered, switched off, and started first when it comes back', chapters: [
    chapter('A pool of one to three machines that keeps what it does not need, switched off.', RUNNING_CLUSTER, elasticPool({ Enabled: true, MinReplicas: 1, MaxReplicas: 3, Mode: 'Recycle' }), pass('2m')),
    chapter('Three pods of two processors each: they find no room on one machine.', call('SetWorkload', { ...LOAD, Pods: 3 }), pass('5m')),
    chapter('The pods go. After ten quiet minutes the spare machine is switched off.', call('SetWorkload', { ...LOAD, Pods: 0 }), pass('20m')),
    chapter('They come back: what is off is started before anything is ordered.', call('SetWorkload', { ...LOAD, Pods: 3 }), pass('5m')),
  ] },
  { name: 'flapping', title: 'a network that flaps is no outage; seventy seconds of silence are', chapters: [
    chapter('A machine ran its script and is a node.', SCRIPT_NODE),
    chapter('Its network goes away for fifteen seconds, four times. Kubernetes has a grace time of forty, and so nothing is told.', FLAPS),
    chapter('Now for seventy seconds: exactly one transition, and one back.', link('cut'), pass('70s'), link('up'), pass('2m')),
  ] },
  { name: 'no-nodes', title: 'an add-on on a cluster without nodes says so, and runs by itself once there is one', chapters: [
    chapter('A cluster, a pool, a machine that is not a node yet.', SCRIPT),
    chapter('An add-on is asked for.', cause('CreateAddon', INGRESS), pass('10s')),
    chapter('The machine runs its script.', RUN_SCRIPT, pass('2m')),
  ] },
]
