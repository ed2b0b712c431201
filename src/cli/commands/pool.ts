import type { Command } from 'commander'
import type { NodePool } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { connect } from '../credentials.ts'
import { UsageError } from '../errors.ts'
import { collect, flag, own, withCommon, withWait, type Common, type Waiting } from '../flags.ts'
import { refuseBoth, refuseForeign } from '../given.ts'
import { nowIn } from '../now-in.ts'
import { parsePairs, parseTaint } from '../parse.ts'
import { print, printJson, printResult, tell, terminalWidth } from '../print.ts'
import { reasonsOf } from '../reasons.ts'
import { findCluster, findPool } from '../resolve.ts'
import { details, table } from '../text/table.ts'
import { age, statusWords } from '../text/words.ts'
import { callWhenAccepted, waitForPhase, waitUntilGone } from '../wait.ts'
import { kindOf, POOL_KINDS } from './pool-kinds.ts'
import { changePool, checkDesired, isScalingGiven, KINDS, scalingOf, scalingText, withScaling, type ScalingFlags } from './pool-scaling.ts'
import type { Verbs } from './verbs.ts'

const CREATE_MS = 10 * 60_000
const DELETE_MS = 5 * 60_000

interface Owned extends Common, Waiting { readonly cluster?: string }
interface ConfigFlags extends Owned { readonly label?: readonly string[]; readonly taint?: readonly string[] }
interface CreateFlags extends ConfigFlags, ScalingFlags { readonly cluster: string; readonly elastic?: boolean; readonly central?: boolean; readonly cloudServer?: string; readonly area?: string; readonly serverType?: readonly string[]; readonly subnet?: readonly string[] }
interface DeleteFlags extends Owned { readonly cascade?: readonly string[]; readonly retain?: readonly string[] }
interface UpdateFlags extends ConfigFlags, ScalingFlags { readonly name?: string; readonly clearLabels?: boolean; readonly clearTaints?: boolean }

const clusterFlag = () => flag('--cluster <cluster>', 'its cluster, by name or id')

export function addPoolCommands(verbs: Verbs): void {
  withScaling(withWait(withCommon(verbs.create.command('pool <name>')), 'it is Running'))
    .description('make a pool: a static one, whose nodes are machines that run an onboarding script, or one that orders machines (--elastic at the edge, --central in the centre)')
    .addOption(own('--elastic', 'an elastic pool of edge servers'))
    .addOption(own('--central', 'a central pool; the name default makes the default pool of the cluster, listed as vke-default-nodepool and found by either name'))
    .addOption(flag('--cloud-server <id>', 'elastic: the edge service whose servers it orders').default('cloudserver-default'))
    .addOption(flag('--area <name>', 'elastic: the area in which it orders them'))
    .addOption(flag('--server-type <type>', 'central: type of its servers; may be repeated').argParser(collect))
    .addOption(flag('--subnet <id>', 'central: subnet of its servers; may be repeated').argParser(collect))
    .addOption(clusterFlag().makeOptionMandatory())
    .addOption(flag('--label <key=value>', 'label of its nodes; may be repeated').argParser(collect))
    .addOption(flag('--taint <key=value:Effect>', 'taint of its nodes; may be repeated').argParser(collect))
    .action(async (name: string, flags: CreateFlags, command: Command) => {
      const kind = kindOf(name, flags)
      refuseForeign(command, Object.values(POOL_KINDS), POOL_KINDS[kind])
      if (kind === 'elastic' || kind === 'central') checkDesired(flags)
      const client = connect(flags)
      const cluster = await findCluster(client, flags.cluster)
      const { Id } = await createPool(client, cluster.Id, name, flags)
      if (flags.wait) await waitForPhase(client, `pool ${name}`, Id, ['Running'], flags.timeout ?? CREATE_MS)
      if (flags.output === 'json') printJson({ Id })
      else print(Id)
    })

  withCommon(verbs.list.command('pool').alias('pools')).description('list node pools').addOption(clusterFlag()).action(async (flags: Owned) => {
    const client = connect(flags)
    const filter = flags.cluster === undefined ? {} : { ClusterIds: [(await findCluster(client, flags.cluster)).Id] }
    await printPools(client, flags, await client.all('ListEdgeNodePools', { Filter: filter }))
  })

  withWait(withCommon(verbs.get.command('pool <name>')), 'it is Running').description('show one node pool').addOption(clusterFlag()).action(async (name: string, flags: Owned) => {
    const client = connect(flags)
    const { Id } = await findPool(client, name, flags.cluster)
    if (flags.wait) await waitForPhase(client, `pool ${name}`, Id, ['Running'], flags.timeout ?? CREATE_MS)
    const pool = await findPool(client, Id)
    await printResult(flags, pool, async () => poolDetails(client, pool))
  })

  withScaling(withWait(withCommon(verbs.update.command('pool <name>')), 'it is Running again'))
    .description('change name, labels, taints or scaling; labels and taints given replace all there were')
    .addOption(clusterFlag())
    .addOption(own('--name <name>', 'new name'))
    .addOption(flag('--label <key=value>', 'label of its nodes; may be repeated').argParser(collect))
    .addOption(flag('--taint <key=value:Effect>', 'taint of its nodes; may be repeated').argParser(collect))
    .addOption(own('--clear-labels', 'take all labels off'))
    .addOption(own('--clear-taints', 'take all taints off'))
    .action(async (name: string, flags: UpdateFlags, command: Command) => {
      refuseBoth(command, '--label', '--clear-labels')
      refuseBoth(command, '--taint', '--clear-taints')
      if ([flags.name, flags.label, flags.taint, flags.clearLabels, flags.clearTaints].every(given => given === undefined) && !isScalingGiven(flags)) throw new UsageError('say what to change: --name, --label, --taint, --clear-labels, --clear-taints, --desired, --min, --max, --priority, --auto-scaling or --mode')
      const client = connect(flags)
      const pool = await findPool(client, name, flags.cluster)
      await changePool(client, pool, { ...flags.name !== undefined && { Name: flags.name }, ...configOf(flags) }, flags)
      if (flags.wait) await waitForPhase(client, `pool ${name}`, pool.Id, ['Running'], flags.timeout ?? CREATE_MS)
      if (flags.output === 'json') printJson({ Id: pool.Id })
    })

  withWait(withCommon(verbs.delete.command('pool <name>')), 'it is gone').description('delete a node pool with its nodes and onboarding scripts').addOption(clusterFlag())
    .addOption(own('--cascade <resource>', 'Ecs: the machines that it ordered go too').argParser(collect))
    .addOption(own('--retain <resource>', 'Ecs: they stay, as without either').argParser(collect))
    .action(async (name: string, flags: DeleteFlags) => {
    const client = connect(flags)
    const pool = await findPool(client, name, flags.cluster)
    const accept = { wait: flags.wait === true, timeoutMs: flags.timeout ?? DELETE_MS, what: `The deletion of pool ${name}` }
    await callWhenAccepted(client, accept, () => client.call('DeleteNodePool', { ClusterId: pool.ClusterId, Id: pool.Id, CascadingDeleteResources: flags.cascade ?? [], RetainResources: flags.retain ?? [] }))
    if (flags.wait) await waitUntilGone(client, `pool ${name}`, pool.Id, flags.timeout ?? DELETE_MS)
    if (flags.output === 'json') printJson({ Id: pool.Id })
  })
}

const DEFAULT_SERVER_TYPE = 'ecs.c1ie.xlarge'

function createPool(client: EdgeholdClient, ClusterId: string, name: string, flags: CreateFlags): Promise<{ readonly Id: string }> {
  if (flags.central && name === 'default') return client.call('CreateDefaultNodePool', { ClusterId, ...configOf(flags) })
  if (flags.central) {
    const NodeConfig = { InstanceTypeIds: flags.serverType ?? [DEFAULT_SERVER_TYPE], SubnetIds: flags.subnet ?? ['subnet-default'], Security: {} }
    return client.call('CreateNodePool', { ClusterId, Name: name, NodeConfig, AutoScaling: scalingOf(flags), ...configOf(flags) })
  }
  const elastic = flags.elastic && {
    NodePoolType: 'edge-machine-pool',
    ElasticConfig: { CloudServerIdentity: flags.cloudServer, AutoScaleConfig: scalingOf(flags), InstanceArea: { ...flags.area !== undefined && { AreaName: flags.area } } },
  }
  return client.call('CreateEdgeNodePool', { ClusterId, Name: name, ...elastic, ...configOf(flags) })
}

function configOf(flags: ConfigFlags & Pick<UpdateFlags, 'clearLabels' | 'clearTaints'>): object {
  const labels = flags.clearLabels ? [] : flags.label && parsePairs(flags.label, '--label').map(([Key, Value]) => ({ Key, Value }))
  const taints = flags.clearTaints ? [] : flags.taint?.map(parseTaint)
  return labels || taints ? { KubernetesConfig: { ...labels && { Labels: labels }, ...taints && { Taints: taints } } } : {}
}

async function printPools(client: EdgeholdClient, flags: Common, pools: readonly NodePool[]): Promise<void> {
  await printResult(flags, pools, async () => {
    if (pools.length === 0) tell('There are no node pools. Make one with "edgehold create pool NAME --cluster CLUSTER".')
    const [reasons, clusters] = await Promise.all([reasonsOf(client, pools.map(pool => pool.Id)), client.all('ListClusters')])
    const names = new Map(clusters.map(cluster => [cluster.Id, cluster.Name]))
    const now = await nowIn(client)
    return table(['NAME', 'ID', 'CLUSTER', 'KIND', 'STATUS', 'SINCE', 'NODES', 'BECAUSE'], pools.map(pool => [
      pool.Name, pool.Id, names.get(pool.ClusterId) ?? pool.ClusterId, KINDS[pool.Type] ?? pool.Type, statusWords(pool.Status), age(reasons.get(pool.Id)?.At ?? pool.UpdateTime, now),
      `${pool.NodeStatistics.RunningCount}/${pool.NodeStatistics.TotalCount}`, reasons.get(pool.Id)?.Because ?? '',
    ]), terminalWidth())
  })
}

async function poolDetails(client: EdgeholdClient, pool: NodePool): Promise<string> {
  const [reason, scaling] = await Promise.all([client.call('ExplainStatus', { Id: pool.Id }), scalingText(client, pool)])
  return details([
    ['Name', pool.Name],
    ['Id', pool.Id],
    ['Cluster', pool.ClusterId],
    ['Kind', KINDS[pool.Type] ?? pool.Type],
    ['Status', `${statusWords(pool.Status)} since ${reason.Since}`],
    ['Because', reason.Because],
    ['Nodes', `${pool.NodeStatistics.TotalCount}, of them Running ${pool.NodeStatistics.RunningCount}, Failed ${pool.NodeStatistics.FailedCount}`],
    ...scaling === undefined ? [] : [['Machines', scaling] as const],
    ['Labels', pool.KubernetesConfig.Labels.map(label => `${label.Key}=${label.Value}`).join(', ')],
    ['Taints', pool.KubernetesConfig.Taints.map(taint => `${taint.Key}=${taint.Value}:${taint.Effect}`).join(', ')],
    ['Created', pool.CreateTime],
  ])
}
