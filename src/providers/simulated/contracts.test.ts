import { addonInstallerContract } from '#ports/addon-installer.contract.ts'
import { controlPlaneHostContract } from '#ports/control-plane-host.contract.ts'
import { machinesContract } from '#ports/machines.contract.ts'
import { outsideContract } from '#ports/outside.contract.ts'
import { quotasContract } from '#ports/quotas.contract.ts'
import { remoteShellContract } from '#ports/remote-shell.contract.ts'
import { tenantClusterContract } from '#ports/tenant-cluster.contract.ts'
import { onboardingLine } from './machines/onboarding-line.ts'
import { TinyRegion } from './testing/tiny-region.harness.ts'
import { DNS_OWNER, DNS_VERSION } from './workloads/cluster-dns.ts'

const close = async () => {}

machinesContract('simulated', async () => {
  const tiny = await TinyRegion.open()
  return {
    machines: tiny.region.machines, pass: ms => tiny.pass(ms), close, changeSupply: () => tiny.region.limits.setStock('Machine', undefined, 100),
    order: (number, power = 'on', link = 'up') => ({ id: `m${number}`, name: `shop-${number}`, address: `10.213.5.${number}`, power, link }),
    turnAway: async (id, text) => {
      await tiny.pass(30_000)
      await tiny.region.onboarding.refused(id, false, text)
    },
  }
})

quotasContract('simulated', async () => {
  const { region: { limits, machines } } = await TinyRegion.open()
  const own = (number: number, accountId: string) => ({ id: `m${number}`, name: `shop-${number}`, address: `10.213.5.${number}`, power: 'on', link: 'up', accountId }) as const
  return {
    quotas: limits, machines, close, noteMade: close, own: async (number, account) => own(number, account), order: async (number, account) => ({ ...own(number, account), template: {}, nodePoolId: 'p1' }),
    instead: async (old, number, account) => ({ ...own(number, account), template: { instanceId: 'i-1', replaces: old.id }, nodePoolId: 'p1' }),
    remove: ({ id }) => machines.ensureGone(id),
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
    register: (name, cordoned) => tiny.node(cluster, name, `m-${name}`, cordoned), takesPods: close,
    async run({ pods, kind = 'Deployment', labels, ...order }) {
      tiny.region.ground.workloads.apply(cluster.clusterId, order.namespace === 'default' ? undefined : order.name, { ...order, labels: { app: order.name, ...labels }, kind, ...kind === 'Deployment' && { replicas: pods }, image: `${order.name}:v1` })
      await tiny.pass(0)
    },
  }
})

addonInstallerContract('simulated', async () => {
  const tiny = await TinyRegion.open()
  const cluster = await tiny.cluster(), { clusterId } = cluster, { addons, ground: { objects } } = tiny.region
  const deployment = { clusterId, kind: 'Deployment', namespace: 'kube-system', name: 'ingress-nginx-controller' }
  const policy = { clusterId, kind: 'IngressPolicy', namespace: 'web', name: 'edge' }
  return {
    addons, cluster, unreachable: { ...cluster, clusterId: 'c-away' }, pass: ms => tiny.pass(ms), close,
    addon: { name: DNS_OWNER, version: DNS_VERSION },
    forUsers: {
      addon: { name: 'ingress-nginx', version: 'v1.11.5', newer: 'v1.12.3' }, other: { name: 'metrics-server', version: 'v0.8.0' }, onePod: '{"replicas":1}',
      squat: async there => {
        if (there) objects.put({ ...deployment, finalizers: [] })
        else objects.delete(deployment)
      },
      hold: async held => {
        objects.put({ ...policy, finalizers: held ? ['ingress.example.com/cleanup'] : [] })
        return 'IngressPolicy web/edge'
      },
      definitions: async () => objects.of(clusterId, 'CustomResourceDefinition').length,
    },
  }
})

remoteShellContract('simulated', async () => {
  const tiny = await TinyRegion.open()
  const machine = (number: number, more: { power?: 'on' | 'off'; link?: 'up' | 'cut'; nodePoolId?: string } = {}) => tiny.region.machines.ensure({ id: `m${number}`, name: `shop-${number}`, address: `10.213.5.${number}`, power: 'on', link: 'up', ...more })
  await Promise.all([machine(1), machine(2, { power: 'off' }), machine(3, { link: 'cut' }), machine(4, { nodePoolId: 'p1' }), machine(5)])
  await tiny.pass(30_000)
  await tiny.region.faults.inject('f1', { port: 'machines', call: 'login', target: { name: 'shop-5' }, effect: { type: 'fail', message: 'the key exchange failed' } })
  const at = (number: number) => ({ address: `10.213.5.${number}`, port: 22, user: 'root', password: 'sesame' }), line = onboardingLine('https://sim-1', 'token-1')
  return {
    shell: tiny.region.shell, machine: at(1), line, bad: { at: { ...at(1), user: 'clerk' }, line, says: /must be run as root/ },
    others: [
      ['Denied', { ...at(1), password: '' }], ['Denied', at(4)], ['Unreachable', at(2)], ['Unreachable', at(3)], ['Unreachable', at(77)], ['Refused', { ...at(1), port: 2222 }],
      ['NameUnknown', { ...at(1), address: 'till-1.invalid' }], ['Closed', at(5)],
    ],
    begun: async () => {
      await tiny.pass(30_000)
      return tiny.told.filter(({ change }) => change.kind === 'Join' && change.machineId === 'm1' && change.token === 'token-1').length
    },
    close: () => {},
  }
})
