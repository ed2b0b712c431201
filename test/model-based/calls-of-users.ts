import { idOf, type Item } from './oracle/view.ts'
import { nameOf, pick, type Player, type Step } from './player.ts'

/** How often it is drawn, and what it does; it answers with a sentence, or nothing where there was nothing to do it to. */
export interface Command { readonly weight: number; run(player: Player, step: Step): Promise<string | undefined> }

const RANGES = 6
const CASCADES = [['All'], [], ['NodePoolResource', 'Clb'], ['All', 'TryBest']] as const
const LABELS = [[], [{ Key: 'shop', Value: 'a' }], [{ Key: 'shop', Value: 'b' }, { Key: 'floor', Value: '2' }]] as const
const ADDONS = [['metrics-server', 'v0.8.0'], ['ingress-nginx', 'v1.11.5'], ['log-collector', 'v2.0.7'], ['prometheus-agent', 'v0.8.1']] as const
const NEWER: Readonly<Record<string, string>> = { 'metrics-server': 'v0.7.2', 'ingress-nginx': 'v1.12.3', 'log-collector': 'v2.1.0', 'prometheus-agent': 'v0.9.0' }

/** What callers of the product do, with all of its preconditions in the way. */
export const CALLS_OF_USERS: Readonly<Record<string, Command>> = {
  createCluster: {
    weight: 3,
    async run(player, { a, b }) {
      const number = a % RANGES, Name = `shop-${number}`
      const body = {
        Name, Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-1'], ...b % 3 === 1 && { ResourcePublicAccessDefaultEnabled: true } },
        PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`172.20.${number * 16}.0/20`] } }, ServicesConfig: { ServiceCidrsv4: [`172.30.${number * 16}.0/20`] },
      }
      const token = `cluster-${++player.names}`
      const answer = await player.call('CreateCluster', body, { token })
      // A client that did not get its answer sends the same again.
      const again = b % 2 === 1 ? await player.call('CreateCluster', body, { token }) : answer
      if (answer.status === 200 && again.result.Id !== answer.result.Id) player.wrong.push(`the same call with the same token was answered with ${answer.result.Id} and ${again.result.Id ?? again.code}`)
      return `the cluster ${Name} is created${b % 2 === 1 ? ', twice with one token' : ''}${player.outcome(answer)}`
    },
  },
  updateCluster: {
    weight: 1,
    async run(player, { a, b }) {
      const cluster = pick(player.view.clusters, a)
      if (!cluster) return undefined
      return `the description of ${nameOf(cluster)} is changed${player.outcome(await player.call('UpdateClusterConfig', { Id: idOf(cluster), Description: `number ${b}` }))}`
    },
  },
  deleteCluster: {
    weight: 1,
    async run(player, { a, b }) {
      const cluster = pick(player.view.clusters, a), cascading = pick(CASCADES, b)
      if (!cluster) return undefined
      return `the cluster ${nameOf(cluster)} is deleted with ${cascading?.join(' and ') || 'nothing else'}${player.outcome(await player.call('DeleteCluster', { Id: idOf(cluster), CascadingDeleteResources: cascading }))}`
    },
  },
  createStaticPool: {
    weight: 2,
    async run(player, { a, b }) {
      const cluster = pick(player.view.clusters, a)
      if (!cluster) return undefined
      const Name = player.newName('static')
      const answer = await player.call('CreateEdgeNodePool', { ClusterId: idOf(cluster), Name, KubernetesConfig: { Labels: pick(LABELS, b) } }, { token: Name })
      return `the static pool ${Name} is created in ${nameOf(cluster)}${player.outcome(answer)}`
    },
  },
  createElasticPool: {
    weight: 4,
    async run(player, { a, b, c }) {
      const cluster = pick(player.view.clusters, a)
      if (!cluster) return undefined
      const Name = player.newName('elastic'), MinReplicas = b % 3
      const AutoScaleConfig = { Enabled: c % 2 === 0, MinReplicas, MaxReplicas: MinReplicas + 1 + b % 4, DesiredReplicas: c % 4, Priority: 10 * (c % 3), ...b % 2 === 1 && { Mode: 'Recycle' } }
      const ElasticConfig = { CloudServerIdentity: 'cloudserver-abcdefghijklmno', AutoScaleConfig, InstanceArea: { ClusterName: 'bdcdn-zzcu02', VpcIdentity: 'vpc-edge1' } }
      const answer = await player.call('CreateEdgeNodePool', { ClusterId: idOf(cluster), Name, NodePoolType: 'edge-machine-pool', VpcId: 'vpc-edge1', ElasticConfig }, { token: Name })
      return `the elastic pool ${Name} (${sizes(AutoScaleConfig)}) is created in ${nameOf(cluster)}${player.outcome(answer)}`
    },
  },
  createCentralPool: {
    weight: 1,
    async run(player, { a, b, c }) {
      const cluster = pick(player.view.clusters, a)
      if (!cluster) return undefined
      const Name = player.newName('central'), AutoScaling = { Enabled: true, MinReplicas: b % 2, MaxReplicas: 3, DesiredReplicas: c % 3, Priority: 5, SubnetPolicy: 'ZoneBalance', ...c % 2 === 1 && { Mode: 'Recycle' } }
      const NodeConfig = { InstanceTypeIds: ['ecs.c1ie.xlarge'], SubnetIds: ['subnet-1'], Security: { Login: { Password: 'UHdkMTIzNDU2' }, SecurityGroupIds: ['sg-1'], SecurityStrategies: ['Hids'] } }
      const answer = await player.call('CreateNodePool', { ClusterId: idOf(cluster), Name, NodeConfig, AutoScaling }, { token: Name })
      return `the central pool ${Name} (${sizes(AutoScaling)}) is created in ${nameOf(cluster)}${player.outcome(answer)}`
    },
  },
  relabelPool: {
    weight: 1,
    async run(player, { a, b }) {
      const pool = pick(player.view.pools, a)
      if (!pool) return undefined
      const action = isCentral(pool) ? 'UpdateNodePoolConfig' : 'UpdateEdgeNodePoolConfig'
      return `the pool ${nameOf(pool)} gets ${pick(LABELS, b)?.length} labels${player.outcome(await player.call(action, { ...ofPool(pool), Id: idOf(pool), KubernetesConfig: { Labels: pick(LABELS, b) } }))}`
    },
  },
  resizePool: {
    weight: 3,
    async run(player, { a, b, c }) {
      const pool = pick(player.view.pools.filter(one => one['ElasticConfig']), a)
      if (!pool) return undefined
      const { AutoScaleConfig, ...rest } = pool['ElasticConfig'] as { AutoScaleConfig: { MinReplicas: number; MaxReplicas: number } }
      const MinReplicas = c % 3
      const next = { ...AutoScaleConfig, Enabled: c % 2 === 0, MinReplicas, MaxReplicas: MinReplicas + 1 + c % 3, DesiredReplicas: b % 5 }
      return `the pool ${nameOf(pool)} is to have ${sizes(next)}${player.outcome(await player.call('UpdateEdgeNodePoolConfig', { ClusterId: pool['ClusterId'], Id: idOf(pool), ElasticConfig: { ...rest, AutoScaleConfig: next } }))}`
    },
  },
  scaleUp: {
    weight: 2,
    async run(player, { a, b }) {
      const pool = pick(player.view.pools.filter(one => one['ElasticConfig']), a)
      if (!pool) return undefined
      return `the pool ${nameOf(pool)} is scaled up to ${b % 5}${player.outcome(await player.call('ScaleUpEdgeNodePool', { ...ofPool(pool), DesiredReplicas: b % 5 }))}`
    },
  },
  scaleDown: {
    weight: 1,
    async run(player, { a }) {
      const node = pick(player.view.nodes.filter(one => player.view.pools.some(pool => idOf(pool) === one['NodePoolId'] && pool['ElasticConfig'])), a)
      if (!node) return undefined
      return `the elastic pool of ${nameOf(node)} is scaled down by it${player.outcome(await player.call('ScaleDownEdgeNodePool', { ClusterId: node['ClusterId'], NodePoolId: node['NodePoolId'], NodeIds: [idOf(node)] }))}`
    },
  },
  addServer: {
    weight: 1,
    async run(player, { a }) {
      const pool = pick(player.view.pools, a), server = player.newName('server')
      if (!pool) return undefined
      const token = `node-${server}`
      const answer = isCentral(pool)
        ? await player.call('CreateNodes', { ...ofPool(pool), InstanceIds: [`i-${server}`] }, { token })
        : await player.call('CreateEdgeNode', { ...ofPool(pool), AutoCompleteConfig: { Enable: true, DirectAdd: true, DirectAddInstances: [{ InstanceIdentity: server, CloudServerIdentity: 'cloudserver-abcdefghijklmno' }] } }, { token })
      return `the server ${server} is added to ${nameOf(pool)}${player.outcome(answer)}`
    },
  },
  deletePool: {
    weight: 1,
    async run(player, { a, b }) {
      const pool = pick(player.view.pools, a)
      if (!pool) return undefined
      const words = b % 2 === 0 ? ['Ecs'] : []
      return `the pool ${nameOf(pool)} is deleted with ${words.join() || 'nothing else'}${player.outcome(await player.call('DeleteNodePool', { ClusterId: pool['ClusterId'], Id: idOf(pool), CascadingDeleteResources: words }))}`
    },
  },
  deleteNode: {
    weight: 2,
    async run(player, { a, b }) {
      const node = pick(player.view.nodes, a)
      if (!node) return undefined
      const words = b % 2 === 0 ? ['Ecs'] : []
      return `the node ${nameOf(node)} is deleted with ${words.join() || 'nothing else'}${player.outcome(await player.call('DeleteEdgeNodes', { ClusterId: node['ClusterId'], NodePoolId: node['NodePoolId'], Ids: [idOf(node)], CascadingDeleteResources: words }))}`
    },
  },
  cordon: {
    weight: 1,
    async run(player, { a, b }) {
      const node = pick(player.view.nodes, a)
      if (!node) return undefined
      return `the node ${nameOf(node)} is ${b % 2 === 0 ? 'cordoned' : 'uncordoned'}${player.outcome(await player.call('SetNodeSchedulable', { Id: idOf(node), Schedulable: b % 2 === 1 }))}`
    },
  },
  makeScript: {
    weight: 1,
    async run(player, { a, b }) {
      const pool = pick(player.view.pools.filter(one => !isCentral(one)), a)
      if (!pool) return undefined
      const answer = await player.call('CreateBatchEdgeMachine', { ...ofPool(pool), Name: player.newName('script'), TTLHours: 1 + 23 * (b % 2) })
      const [id] = answer.result.Ids ?? []
      if (id !== undefined) player.scripts.push({ id, poolId: idOf(pool), clusterId: String(pool['ClusterId']) })
      return `a script that joins ${nameOf(pool)} is made${player.outcome(answer)}`
    },
  },
  joinByScript: {
    weight: 4,
    async run(player, { a, b }) {
      const pool = pick(player.view.pools.filter(one => !isCentral(one) && !one['ElasticConfig']), a)
      if (!pool) return undefined
      const script = await player.call('CreateBatchEdgeMachine', { ...ofPool(pool), Name: player.newName('script'), TTLHours: 1 })
      const [id] = script.result.Ids ?? []
      if (id === undefined) return `a script for ${nameOf(pool)} is not to be had${player.outcome(script)}`
      const Name = `till-${b % 4}`
      const { result } = await player.call('AddMachine', { Name }, { token: `${Name}-${id}` })
      const machine = result.Id ?? String(player.view.machines.find(one => one['Name'] === Name)?.['Id'])
      return `the machine ${Name} runs a script that joins ${nameOf(pool)}${player.outcome(await player.call('SetMachine', { Id: machine, RunScript: id }))}`
    },
  },
  runScriptAgain: {
    weight: 1,
    async run(player, { a, b }) {
      const script = pick(player.scripts, a), machine = pick(player.view.machines.filter(one => !one['OwnedBy']), b)
      if (!script || !machine) return undefined
      return `the machine ${nameOf(machine)} runs an earlier script${player.outcome(await player.call('SetMachine', { Id: idOf(machine), RunScript: script.id }))}`
    },
  },
  joinByLogin: {
    weight: 2,
    async run(player, { a, b, c }) {
      const pool = pick(player.view.pools.filter(one => !isCentral(one)), a)
      if (!pool) return undefined
      const Name = `till-${b % 4}`
      await player.call('AddMachine', { Name }, { token: `${Name}-${player.newName('login')}` })
      const Address = c % 5 === 0 ? '10.99.0.1' : Name, token = `login-${Name}-${idOf(pool)}-${c}`
      const answer = await player.call('CreateEdgeNode', { ...ofPool(pool), Name, AutoCompleteConfig: { Enable: true, Address, MachineAuth: { AuthType: 'Password', User: c % 7 === 0 ? 'clerk' : 'root', Password: `password-${c}` } } }, { token })
      return `the machine at ${Address} is logged in to for ${nameOf(pool)}${player.outcome(answer)}`
    },
  },
  createAddon: {
    weight: 2,
    async run(player, { a, b }) {
      const cluster = pick(player.view.clusters, a), [Name = '', Version = ''] = pick(ADDONS, b) ?? []
      if (!cluster) return undefined
      return `the add-on ${Name} is installed in ${nameOf(cluster)}${player.outcome(await player.call('CreateAddon', { ClusterId: idOf(cluster), Name, Version }))}`
    },
  },
  updateAddon: {
    weight: 1,
    async run(player, { a, b }) {
      const addon = pick(player.view.addons, a)
      if (!addon) return undefined
      const Name = String(addon['Name']), Version = b % 2 === 0 ? NEWER[Name] : ADDONS.find(([name]) => name === Name)?.[1]
      return `the add-on ${nameOf(addon)} is brought to ${Version}${player.outcome(await player.call('UpdateAddonVersion', { ClusterId: addon['ClusterId'], Name, Version }))}`
    },
  },
  configureAddon: {
    weight: 1,
    async run(player, { a, b }) {
      const addon = pick(player.view.addons, a)
      if (!addon) return undefined
      return `the add-on ${nameOf(addon)} is configured anew${player.outcome(await player.call('UpdateAddonConfig', { ClusterId: addon['ClusterId'], Name: addon['Name'], Config: JSON.stringify({ round: b }) }))}`
    },
  },
  resizeCentralPool: {
    weight: 1,
    async run(player, { a, b, c }) {
      const pool = pick(player.view.central, a)
      if (!pool) return undefined
      const AutoScaling = { ...pool['AutoScaling'] as { MinReplicas: number; MaxReplicas: number }, Enabled: c % 2 === 0, MinReplicas: b % 2, MaxReplicas: 1 + b % 4, DesiredReplicas: c % 4 }
      return `the pool ${nameOf(pool)} is to have ${sizes(AutoScaling)}${player.outcome(await player.call('UpdateNodePoolConfig', { ClusterId: pool['ClusterId'], Id: idOf(pool), AutoScaling }))}`
    },
  },
  protectCluster: {
    weight: 1,
    async run(player, { a, b }) {
      const cluster = pick(player.view.clusters, a)
      if (!cluster) return undefined
      const DeleteProtectionEnabled = b % 3 === 0
      return `${nameOf(cluster)} is ${DeleteProtectionEnabled ? '' : 'no longer '}protected from deletion${player.outcome(await player.call('UpdateClusterConfig', { Id: idOf(cluster), DeleteProtectionEnabled }))}`
    },
  },
  makeKubeconfig: {
    weight: 1,
    async run(player, { a, b }) {
      const cluster = pick(player.view.clusters, a)
      if (!cluster) return undefined
      const answer = await player.call('CreateKubeconfig', { ClusterId: idOf(cluster), Type: 'Private' })
      if (answer.status === 200 && b % 2 === 0) await player.call('DeleteKubeconfigs', { ClusterId: idOf(cluster), Ids: [answer.result.Id] })
      return `a kubeconfig of ${nameOf(cluster)} is made${b % 2 === 0 ? ' and deleted' : ''}${player.outcome(answer)}`
    },
  },
  deleteAddon: {
    weight: 1,
    async run(player, { a, b }) {
      const addon = pick(player.view.addons, a)
      if (!addon) return undefined
      const words = b % 2 === 0 ? ['Crd'] : []
      return `the add-on ${nameOf(addon)} is deleted with ${words.join() || 'nothing else'}${player.outcome(await player.call('DeleteAddon', { ClusterId: addon['ClusterId'], Name: addon['Name'], CascadingDeleteResources: words }))}`
    },
  },
}

function ofPool(pool: Item): { ClusterId: unknown; NodePoolId: string } {
  return { ClusterId: pool['ClusterId'], NodePoolId: idOf(pool) }
}

function isCentral(pool: Item): boolean {
  return pool['Type'] === 'machine-set'
}

function sizes({ Enabled, MinReplicas, MaxReplicas, DesiredReplicas, Mode }: { Enabled?: boolean; MinReplicas: number; MaxReplicas: number; DesiredReplicas?: number; Mode?: string }): string {
  return `${DesiredReplicas} of ${MinReplicas} to ${MaxReplicas}${Enabled ? ', autoscaled' : ''}${Mode ? `, ${Mode}` : ''}`
}
