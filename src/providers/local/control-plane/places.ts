import type { ControlPlaneComponent } from '#ports/control-plane-host.ts'
import { linkName } from '../host-network/settings.ts'

/** In the order in which they start; they stop the other way round. */
export const COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const satisfies readonly ControlPlaneComponent[]

/** Every name and path of one cluster's control plane on this host, all derived from state folder and cluster id. */
export interface ClusterPlaces {
  readonly clusterId: string
  readonly namespace: string
  readonly namespaceFile: string
  /** The host's end of the link to the bridge. */
  readonly link: string
  /** In memory, private: keys, kubeconfigs, the supervisors' files. */
  readonly run: string
  readonly pki: string
  /** One file a component; watched. */
  readonly status: string
  readonly lock: string
  /** On disk: what outlives a reboot. */
  readonly data: string
  readonly etcdData: string
  /** Written once the datastore was seen to exist; with it, an empty datastore is a loss and not a beginning. */
  readonly begun: string
  readonly routes: string
  /** Path of the cluster's folder inside each cgroup hierarchy. */
  readonly cgroup: string
  supervision(component: ControlPlaneComponent): string
  statusFile(component: ControlPlaneComponent): string
  cgroupOf(component: ControlPlaneComponent): string
}

/** Where the control planes of one state folder live. `runFolder` is in memory, e.g. `/run/edgehold/<hash>`. */
export interface HostFolders {
  readonly hash: string
  readonly stateFolder: string
  readonly runFolder: string
}

export const clustersFolder = (folders: HostFolders): string => `${folders.runFolder}/clusters`

export function clusterPlaces(folders: HostFolders, clusterId: string): ClusterPlaces {
  const namespace = `eh-${folders.hash}-${clusterId}`
  const run = `${clustersFolder(folders)}/${clusterId}`
  const data = `${folders.stateFolder}/clusters/${clusterId}`
  const cgroup = `edgehold-${folders.hash}/${clusterId}`
  return {
    clusterId, namespace, namespaceFile: `/run/netns/${namespace}`, link: linkName(folders.hash, clusterId),
    run, pki: `${run}/pki`, status: `${run}/status`, lock: `${folders.runFolder}/locks/${clusterId}`,
    data, etcdData: `${data}/etcd`, begun: `${data}/begun`, routes: `${data}/routes.json`,
    cgroup,
    supervision: component => `${run}/${component}`,
    statusFile: component => `${run}/status/${component}`,
    cgroupOf: component => `${cgroup}/${component}`,
  }
}
