import type { SupportedAddon } from '#model/addon/record.ts'
import { DNS, DNS_VERSION } from '../workloads/cluster-dns.ts'
import type { WorkloadOrder } from '../workloads/workload.ts'

/** An add-on of the world: what may be asked for, and what it consists of once it is applied. */
export interface WorldAddon extends SupportedAddon {
  /** `tag`: the version as an image has it. */
  workloads(tag: string): readonly WorkloadOrder[]
  /** The kinds of custom resources that it defines. */
  readonly kinds: readonly string[]
}

const MINORS = ['1.34', '1.35']
const IN_SYSTEM = { namespace: 'kube-system' } as const
const EVERYWHERE = [{}] as const
const both = { podNetworkModes: ['Flannel'], deployNodeTypes: ['Node', 'EdgeNode'] } as const

/** What the simulated regions offer; names and versions as clients of the closed product know them, requests of pods as the real ones have them. */
export const WORLD_ADDONS: readonly WorldAddon[] = [
  {
    ...both, name: 'core-dns', versions: versions(DNS_VERSION), deployModes: ['Unmanaged'], necessary: 'Required', categories: ['Dns'], kinds: [],
    workloads: () => [DNS],
  },
  {
    ...both, name: 'metrics-server', versions: versions('v0.7.2', 'v0.8.0'), deployModes: ['Unmanaged'], necessary: 'Recommended', categories: ['Monitor'], kinds: [],
    workloads: tag => [{ ...IN_SYSTEM, kind: 'Deployment', name: 'metrics-server', replicas: 1, cpuMillis: 100, memoryMiB: 200, image: `metrics-server:${tag}` }],
  },
  {
    ...both, name: 'ingress-nginx', versions: versions('v1.11.5', 'v1.12.3'), deployModes: ['Unmanaged'], necessary: 'OnDemand', categories: ['Network'], kinds: ['IngressPolicy'],
    workloads: tag => [{ ...IN_SYSTEM, kind: 'Deployment', name: 'ingress-nginx-controller', replicas: 2, cpuMillis: 100, memoryMiB: 90, image: `ingress-nginx-controller:${tag}` }],
  },
  {
    ...both, name: 'log-collector', versions: versions('v2.0.7', 'v2.1.0'), deployModes: ['Unmanaged'], necessary: 'OnDemand', categories: ['Monitor'], kinds: ['LogConfig'],
    workloads: tag => [{ ...IN_SYSTEM, kind: 'DaemonSet', name: 'log-collector', cpuMillis: 100, memoryMiB: 128, image: `log-collector:${tag}`, tolerations: EVERYWHERE }],
  },
  {
    ...both, name: 'nvidia-device-plugin', versions: versions('v0.44.0'), deployModes: ['Unmanaged'], necessary: 'OnDemand', categories: ['Gpu'], kinds: [],
    workloads: tag => [{ ...IN_SYSTEM, kind: 'Deployment', name: 'nvidia-device-plugin', replicas: 1, cpuMillis: 50, memoryMiB: 50, image: `nvidia-device-plugin:${tag}`, nodeSelector: { 'nvidia.com/gpu.present': 'true' } }],
  },
  {
    ...both, name: 'prometheus-agent', versions: versions('v0.8.1', 'v0.9.0'), deployModes: ['Managed', 'Unmanaged'], necessary: 'OnDemand', categories: ['Monitor'], kinds: ['ServiceMonitor', 'PodMonitor'],
    workloads: tag => [{ ...IN_SYSTEM, kind: 'Deployment', name: 'prometheus-agent', replicas: 3, cpuMillis: 200, memoryMiB: 256, image: `prometheus-agent:${tag}` }],
  },
]

function versions(...all: readonly string[]): SupportedAddon['versions'] {
  return all.map(version => ({ version, kubernetes: MINORS }))
}
