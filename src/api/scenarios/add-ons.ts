import { ARREARS, call, cause, fault, INGRESS, of, pass, row, RUNNING_CLUSTER, SCRIPT_NODE, slowed } from './building.ts'
import type { Row, Scenario, Step } from './scenario.ts'

const CREATE = call('CreateAddon', INGRESS)
const INSTALLED: readonly Step[] = [...SCRIPT_NODE, CREATE, pass('2m')]
const DELETE = call('DeleteAddon', { ...INGRESS, CascadingDeleteResources: ['Crd'] })
const ENDS = { Type: 'fail', Message: 'panic: cannot read the configuration' }

/** Every cluster has core-dns besides, which comes to some of the rows by itself. */
const ingress = (reached: Row, ...rest: Parameters<typeof of> extends [Row, ...infer Rest] ? Rest : never): Scenario => of({ ...reached, Name: INGRESS.Name }, ...rest)

/** One for each row of the add-on table (status-model.md 5). */
export const ADDON_SCENARIOS: readonly Scenario[] = [
  ingress(row('Addon', 'Creating', 'Progressing'), '安装中', 'an add-on is being installed', SCRIPT_NODE, { ...CREATE, Cause: true }),
  ingress(row('Addon', 'Running', 'Ok'), '已安装', 'all pods of an add-on are available', INSTALLED),
  ingress(row('Addon', 'Updating', 'Progressing'), '更新中', 'an add-on gets another version', SCRIPT_NODE, call('CreateAddon', { ...INGRESS, Version: 'v1.11.5' }), pass('2m'), cause('UpdateAddonVersion', { ...INGRESS, Version: 'v1.12.3' }), pass('2m')),
  ingress(row('Addon', 'Deleting', 'Progressing'), '卸载中', 'an add-on is being uninstalled, and its objects take a while to go', INSTALLED, slowed('addon-installer', 'ensureGone', '40s'), { ...DELETE, Cause: true }, pass('2m')),
  ingress(row('Addon', 'Failed', 'NameConflict'), '失败', 'a Deployment of its name is there already and is somebody else\'s', SCRIPT_NODE, cause('PutObject', { ClusterId: '<cluster>', Kind: 'Deployment', Namespace: 'kube-system', Name: 'ingress-nginx-controller' }), CREATE, pass('1m')),
  ingress(row('Addon', 'Failed', 'CrashLoopBackOff'), '异常', 'its containers end again and again', SCRIPT_NODE, fault('addon-installer', 'container', ENDS, { Target: { Name: 'ingress-nginx' } }), CREATE, pass('3m')),
  ingress(row('Addon', 'Failed', 'ImagePullBackOff'), '失败', 'its image is not in the registry', SCRIPT_NODE, cause('SetImage', { Name: 'ingress-nginx-controller', Present: false }), CREATE, pass('1m')),
  ingress(row('Addon', 'Failed', 'ClusterNotRunning'), '异常', 'the cluster is stopped for arrears, and its add-on with it', INSTALLED, ARREARS, pass('1m')),
  ingress(row('Addon', 'Failed', 'Degraded'), '异常', 'a new version\'s image is missing half-way through its rollout', INSTALLED, cause('SetImage', { Name: 'ingress-nginx-controller:broken', Present: false }), call('UpdateAddonConfig', { ...INGRESS, Config: '{"image":"ingress-nginx-controller:broken"}' }), pass('3m')),
  ingress(row('Addon', 'Failed', 'SchedulingFailed'), '失败', 'an add-on in a cluster without nodes', RUNNING_CLUSTER, cause('CreateAddon', INGRESS), pass('10s')),
  ingress(row('Addon', 'Failed', 'ResourceCleanupFailed'), '卸载失败', 'a custom resource waits for a finalizer that nobody serves', INSTALLED, cause('PutObject', { ClusterId: '<cluster>', Kind: 'IngressPolicy', Namespace: 'web', Name: 'edge', Finalizers: ['ingress.example.com/cleanup'] }), DELETE, pass('9m')),
  ingress(row('Addon', 'Failed', 'Unknown'), '失败', 'its installer fails three times with an error that fits nothing', SCRIPT_NODE, fault('addon-installer', 'ensure', { Type: 'fail', Message: 'the chart could not be rendered' }), CREATE, pass('2m')),
]

/** A user's pods that leave room for one of the add-on's on each node that they are on. */
const fills = (pods: number, size: { readonly Cpu?: string; readonly MemoryMiB?: number }): readonly Step[] => [cause('SetWorkload', { ClusterId: '<cluster>', Name: 'checkout', Pods: pods, ...size }), pass('30s')]
const NO_IMAGE = (name: string) => cause('SetImage', { Name: name, Present: false })
/** A second machine joins. A pod of the add-on that has waited for room comes to it, where no earlier one has left its image. */
const SECOND_NODE: readonly Step[] = [call('AddMachine', { Name: 'shop-2' }, 'second'), cause('SetMachine', { Id: '<second>', RunScript: '<script>' }), pass('2m')]
const AGENT = { ClusterId: '<cluster>', Name: 'prometheus-agent' } as const

/** Pods of one workload that do not run, each for a reason of its own. */
export const ADDON_UNIONS: readonly Scenario[] = [
  ingress(row('Addon', 'Failed', 'CrashLoopBackOff', 'ImagePullBackOff'), '容器反复退出且镜像拉取失败', 'one pod ends again and again; another one comes to a second node when the image is not in the registry any more',
    SCRIPT_NODE, fills(1, { Cpu: '3.8' }), fault('addon-installer', 'container', ENDS, { Target: { Name: INGRESS.Name } }), CREATE, pass('1m'), NO_IMAGE('ingress-nginx-controller'), SECOND_NODE),
  ingress(row('Addon', 'Failed', 'CrashLoopBackOff', 'SchedulingFailed'), '容器反复退出且调度失败', 'the only node has room for one of two pods, and that one ends again and again',
    SCRIPT_NODE, fills(1, { Cpu: '3.8' }), fault('addon-installer', 'container', ENDS, { Target: { Name: INGRESS.Name } }), CREATE, pass('1m')),
  ingress(row('Addon', 'Failed', 'ImagePullBackOff', 'SchedulingFailed'), '镜像拉取失败且调度失败', 'the only node has room for one of two pods, and its image is not in the registry',
    SCRIPT_NODE, fills(1, { Cpu: '3.8' }), NO_IMAGE('ingress-nginx-controller'), CREATE, pass('1m')),
  of({ ...row('Addon', 'Failed', 'CrashLoopBackOff', 'ImagePullBackOff', 'SchedulingFailed'), Name: AGENT.Name }, '容器反复退出、镜像拉取失败且调度失败', 'one of three pods ends again and again, one comes to a second node when the image is not in the registry any more, and for the third there is no room on either',
    SCRIPT_NODE, fills(2, { Cpu: '1', MemoryMiB: 7_800 }), fault('addon-installer', 'container', ENDS, { Target: { Name: AGENT.Name } }), call('CreateAddon', AGENT), pass('1m'), NO_IMAGE('prometheus-agent'), SECOND_NODE),
]
