/** The local region's implementations keep the promises of the ports, by the same suites as the simulated region's. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiClient, ApiRefusal } from '#kubernetes/client/api-client.ts'
import { BaseAddons, CORE_DNS } from '#kubernetes/tenant-cluster/base-addons.ts'
import { COREDNS_VERSION } from '#kubernetes/tenant-cluster/base/cluster-dns.ts'
import { KubernetesTenantCluster } from '#kubernetes/tenant-cluster/kubernetes-tenant-cluster.ts'
import type { LocalParts } from '#main/local/parts.ts'
import { BEGINS_CORDONED } from '#model/node-pool/node-config.ts'
import { addonInstallerContract } from '#ports/addon-installer.contract.ts'
import { controlPlaneHostContract } from '#ports/control-plane-host.contract.ts'
import { machinesContract } from '#ports/machines.contract.ts'
import { outsideContract } from '#ports/outside.contract.ts'
import { tenantClusterContract } from '#ports/tenant-cluster.contract.ts'
import { machinesWithinQuota } from '#providers/local/quotas/machines-within-quota.ts'
import { RecordedQuotas } from '#providers/local/quotas/recorded-quotas.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { BoxWorld } from './boxes-harness.ts'
import { administrator, clock, missingForControlPlanes, Region, untilUsable } from './control-plane-harness.ts'

const skip = missingForControlPlanes() ?? false

machinesContract('boxes of this host, within quotas', () => {
  const world = new BoxWorld(), store = new MemoryStore(), region = 'local-1', now = () => 0
  return {
    machines: machinesWithinQuota(world.boxes(), { store, region, now }), order: (number, power, link) => world.order(number, power, link), close: () => world.dispose(),
    changeSupply: () => new RecordedQuotas(store, region, now).setQuota('Machine', '2100000001', 100),
  }
})

controlPlaneHostContract('this host', async () => {
  const region = await Region.make()
  return { host: region.host, order: number => region.order(`ccontract00000000000${number}`, 'v1.35.4'), close: () => region[Symbol.asyncDispose]() }
}, { skip })

tenantClusterContract('Kubernetes', async () => {
  const region = await Region.make()
  const order = await region.order('ccontract00000000003', 'v1.35.4')
  await region.host.ensure(order)
  await untilUsable(order)
  const admin: ApiClient = await administrator(order), tenant = new KubernetesTenantCluster(clock)
  const members: string[] = []
  return {
    tenant, cluster: order, base: { serviceCidr: order.serviceCidr, podCidr: order.podCidr, registry: '10.0.0.1:5000' }, unreachable: { ...order, clusterId: 'ccontract00000000004', address: order.address.replace(/\.\d+$/, '.250') },
    async register(name, cordoned) {
      members.push(name)
      await tenant.ensureMembers(order, members)
      // The API server's policy hears of the list a moment later.
      for (const patience = Date.now() + 20_000; ;) {
        try {
          await admin.json('POST', '/api/v1/nodes', { body: { metadata: { name }, ...cordoned && { spec: { taints: [BEGINS_CORDONED] } } } })
          return
        } catch (error) {
          if (!(error instanceof ApiRefusal) || error.httpStatus !== 403 || Date.now() > patience) throw error
          await sleep(50)
        }
      }
    },
    async takesPods(name) {
      const heard = new Date().toISOString()
      const Ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'posted by a test', lastHeartbeatTime: heard, lastTransitionTime: heard }
      await admin.json('PATCH', `/api/v1/nodes/${name}`, { body: { metadata: { labels: { 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': name } } }, contentType: 'application/merge-patch+json' })
      await admin.json('PATCH', `/api/v1/nodes/${name}/status`, { body: { status: { conditions: [Ready], allocatable: { cpu: '4', memory: '8Gi', pods: '64' }, capacity: { cpu: '4', memory: '8Gi', pods: '64' } } }, contentType: 'application/merge-patch+json' })
    },
    async run({ namespace, name, pods, cpuMillis, memoryMiB, kind = 'Deployment', nodeAffinity, affinity, antiAffinity, spread = [], hostPorts = [], ...order }) {
      const selector = { matchLabels: { app: name } }, collection = `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s`
      const ports = hostPorts.map(({ port, protocol }) => ({ containerPort: port, hostPort: port, protocol }))
      const container = { name: 'main', image: `${name}:v1`, resources: { requests: { cpu: `${cpuMillis}m`, memory: `${memoryMiB}Mi` } }, ports }
      const required = (terms: object | undefined) => terms && { requiredDuringSchedulingIgnoredDuringExecution: terms }
      const near = { nodeAffinity: required(nodeAffinity && { nodeSelectorTerms: nodeAffinity }), podAffinity: required(affinity), podAntiAffinity: required(antiAffinity) }
      // No kubelet ends its pods: they go at once.
      const podSpec = { terminationGracePeriodSeconds: 0, containers: [container], affinity: near, topologySpreadConstraints: spread.map(term => ({ ...term, whenUnsatisfiable: 'DoNotSchedule' })) }
      const spec = { ...kind === 'Deployment' && { replicas: pods }, selector, template: { metadata: { labels: { ...selector.matchLabels, ...order.labels } }, spec: podSpec } }
      if (await admin.find(`${collection}/${name}`)) await admin.json('PATCH', `${collection}/${name}`, { body: { spec: { replicas: pods } }, contentType: 'application/merge-patch+json' })
      else await admin.json('POST', collection, { body: { metadata: { name }, spec } })
    },
    async close() {
      await admin.close()
      await region[Symbol.asyncDispose]()
    },
  }
}, { skip })

addonInstallerContract('cluster DNS with the base', async () => {
  const region = await Region.make()
  const order = await region.order('ccontract00000000005', 'v1.35.4')
  await region.host.ensure(order)
  await untilUsable(order)
  const tenant = new KubernetesTenantCluster(clock)
  await tenant.ensureBase(order, { serviceCidr: order.serviceCidr, podCidr: order.podCidr, registry: '10.0.0.1:5000' })
  return {
    addons: new BaseAddons(tenant, () => ['1.34', '1.35']), cluster: order, unreachable: { ...order, clusterId: 'ccontract00000000006', address: order.address.replace(/\.\d+$/, '.250') },
    addon: { name: CORE_DNS, version: COREDNS_VERSION }, forUsers: 'a local region installs no add-ons for its users yet: cluster DNS comes and goes with the base of each cluster',
    close: () => region[Symbol.asyncDispose](),
  }
}, { skip })

/** Does not compile once a local region has such things: then they keep the promises, too. */
const nothingOutside: 'outside' extends keyof LocalParts ? never : string = 'a local region makes no load balancers, gateways, groups, addresses or disks, and leaves the port out'

outsideContract('this host', async () => { throw new Error(nothingOutside) }, { skip: nothingOutside })
