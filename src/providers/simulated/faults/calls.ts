/**
 * Every call of a port, and every happening behind it, at which a fault may strike. `look` only reads; `act` brings something about; `removal` takes something
 * away; `happening` is what the world does by itself: a component's process, a machine's boot, a step of its script, its kubelet.
 */
export type CallKind = 'look' | 'act' | 'removal' | 'happening'

type Calls = Readonly<Record<string, CallKind>>

const CONTROL_PLANE_HOST: Calls = {
  look: 'look', ensure: 'act', ensureStopped: 'act', ensureGone: 'removal', ensureRoutes: 'act',
  etcd: 'happening', 'kube-apiserver': 'happening', 'kube-controller-manager': 'happening', 'kube-scheduler': 'happening', data: 'happening',
}
const TENANT_CLUSTER: Calls = {
  probe: 'look', getNode: 'look', leaseRenewedAt: 'look', room: 'look',
  ensureBase: 'act', ensureMembers: 'act', ensureNodeConfig: 'act', setSchedulable: 'act', evict: 'act', issueBootstrapToken: 'act', issueKubeconfig: 'act',
  ensureNodeGone: 'removal', revokeKubeconfig: 'removal',
}
/** Those of tenant-cluster that are about one node. */
export const NODE_CALLS: ReadonlySet<string> = new Set(['getNode', 'leaseRenewedAt', 'ensureNodeConfig', 'setSchedulable', 'evict', 'ensureNodeGone', 'issueBootstrapToken'])
const MACHINES: Calls = {
  look: 'look', ensure: 'act', crash: 'act', runScript: 'act', ensureGone: 'removal',
  boot: 'happening', preflight: 'happening', contact: 'happening', download: 'happening', start: 'happening', kubelet: 'happening', login: 'happening',
}
const OUTSIDE: Calls = { look: 'look', ensure: 'act', protect: 'act', ensureGone: 'removal' }

const ADDON_INSTALLER: Calls = { look: 'look', ensure: 'act', ensureGone: 'removal', container: 'happening' }

/** Ports by the names that faults use. The calls of `api` are known by those who make them. */
export const PORT_CALLS: Readonly<Record<string, Calls | undefined>> = {
  'control-plane-host': CONTROL_PLANE_HOST, 'tenant-cluster': TENANT_CLUSTER, machines: MACHINES, outside: OUTSIDE, 'addon-installer': ADDON_INSTALLER, api: undefined,
}

export function callKind(port: string, call: string): CallKind | undefined {
  return PORT_CALLS[port]?.[call]
}
