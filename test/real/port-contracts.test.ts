/** The local region's implementations keep the promises of the ports, by the same suites as the simulated region's. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiClient, ApiRefusal } from '#kubernetes/client/api-client.ts'
import { KubernetesTenantCluster } from '#kubernetes/tenant-cluster/kubernetes-tenant-cluster.ts'
import { controlPlaneHostContract } from '#ports/control-plane-host.contract.ts'
import { machinesContract } from '#ports/machines.contract.ts'
import { tenantClusterContract } from '#ports/tenant-cluster.contract.ts'
import { BoxWorld } from './boxes-harness.ts'
import { administrator, clock, missingForControlPlanes, Region, untilUsable } from './control-plane-harness.ts'

const skip = missingForControlPlanes() ?? false

machinesContract('boxes of this host', () => {
  const world = new BoxWorld()
  return { machines: world.boxes(), order: (number, power, link) => world.order(number, power, link), close: () => world.dispose() }
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
    async register(name) {
      members.push(name)
      await tenant.ensureMembers(order, members)
      // The API server's policy hears of the list a moment later.
      for (const patience = Date.now() + 20_000; ;) {
        try {
          await admin.json('POST', '/api/v1/nodes', { body: { metadata: { name } } })
          return
        } catch (error) {
          if (!(error instanceof ApiRefusal) || error.httpStatus !== 403 || Date.now() > patience) throw error
          await sleep(50)
        }
      }
    },
    async close() {
      await admin.close()
      await region[Symbol.asyncDispose]()
    },
  }
}, { skip })
