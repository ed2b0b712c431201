import { controlPlaneHostContract } from '#ports/control-plane-host.contract.ts'
import { machinesContract } from '#ports/machines.contract.ts'
import { outsideContract } from '#ports/outside.contract.ts'
import { tenantClusterContract } from '#ports/tenant-cluster.contract.ts'
import { TinyRegion } from './testing/tiny-region.harness.ts'

const close = async () => {}

machinesContract('simulated', async () => {
  const tiny = await TinyRegion.open()
  return {
    machines: tiny.region.machines, pass: ms => tiny.pass(ms), close,
    order: (number, power = 'on', link = 'up') => ({ id: `m${number}`, name: `shop-${number}`, address: `10.213.5.${number}`, power, link }),
  }
})

controlPlaneHostContract('simulated', async () => {
  const tiny = await TinyRegion.open()
  return {
    host: tiny.region.host, pass: ms => tiny.pass(ms), close,
    order: async number => ({ clusterId: `c${number}`, name: `shop-${number}`, version: 'v1.35.4', address: `10.213.4.${number}`, podCidr: '10.0.0.0/16', serviceCidr: '10.1.0.0/16', maxPodsPerNode: 64, pki: TinyRegion.pki }),
  }
})

outsideContract('simulated', async () => {
  const tiny = await TinyRegion.open()
  return {
    outside: tiny.region.outside, pass: ms => tiny.pass(ms), close,
    protect: async (token, on) => { await tiny.region.outside.protect((await tiny.region.outside.look(token))?.providerId ?? '', on) },
  }
})

tenantClusterContract('simulated', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster()
  return {
    tenant: tiny.region.tenant, cluster, base: { serviceCidr: '10.1.0.0/16', podCidr: '10.0.0.0/16', registry: '10.213.0.1:5000' }, unreachable: { ...cluster, clusterId: 'c-away' }, pass: ms => tiny.pass(ms), close,
    register: name => tiny.node(cluster, name, `m-${name}`),
  }
})
