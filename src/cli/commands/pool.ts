import type { NodePool } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { connect } from '../credentials.ts'
import { UsageError } from '../errors.ts'
import { collect, flag, withCommon, withWait, type Common, type Waiting } from '../flags.ts'
import { parsePairs, parseTaint } from '../parse.ts'
import { print, printJson, printResult, tell, terminalWidth } from '../print.ts'
import { reasonsOf } from '../reasons.ts'
import { findCluster, findPool } from '../resolve.ts'
import { details, table } from '../text/table.ts'
import { age, statusWords } from '../text/words.ts'
import { callWhenAccepted, waitForPhase, waitUntilGone } from '../wait.ts'
import type { Verbs } from './verbs.ts'

const CREATE_MS = 10 * 60_000
const DELETE_MS = 5 * 60_000

interface Owned extends Common, Waiting { readonly cluster?: string }
interface ConfigFlags extends Owned { readonly label?: readonly string[]; readonly taint?: readonly string[] }
interface UpdateFlags extends ConfigFlags { readonly name?: string; readonly clearLabels?: boolean; readonly clearTaints?: boolean }

const clusterFlag = () => flag('--cluster <cluster>', 'its cluster, by name or id')

export function addPoolCommands(verbs: Verbs): void {
  withWait(withCommon(verbs.create.command('pool <name>')), 'it is Running')
    .description('make a static pool, whose nodes are machines that run an onboarding script')
    .addOption(clusterFlag().makeOptionMandatory())
    .addOption(flag('--label <key=value>', 'label of its nodes; may be repeated').argParser(collect))
    .addOption(flag('--taint <key=value:Effect>', 'taint of its nodes; may be repeated').argParser(collect))
    .action(async (name: string, flags: ConfigFlags & { cluster: string }) => {
      const client = connect(flags)
      const cluster = await findCluster(client, flags.cluster)
      const { Id } = await client.call('CreateEdgeNodePool', { ClusterId: cluster.Id, Name: name, ...configOf(flags) })
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

  withWait(withCommon(verbs.update.command('pool <name>')), 'it is Running again')
    .description('change name, labels or taints; labels and taints given replace all there were')
    .addOption(clusterFlag())
    .addOption(flag('--name <name>', 'new name'))
    .addOption(flag('--label <key=value>', 'label of its nodes; may be repeated').argParser(collect))
    .addOption(flag('--taint <key=value:Effect>', 'taint of its nodes; may be repeated').argParser(collect))
    .addOption(flag('--clear-labels', 'take all labels off'))
    .addOption(flag('--clear-taints', 'take all taints off'))
    .action(async (name: string, flags: UpdateFlags) => {
      if ([flags.name, flags.label, flags.taint, flags.clearLabels, flags.clearTaints].every(given => given === undefined)) throw new UsageError('say what to change: --name, --label, --taint, --clear-labels or --clear-taints')
      const client = connect(flags)
      const pool = await findPool(client, name, flags.cluster)
      await client.call('UpdateEdgeNodePoolConfig', { ClusterId: pool.ClusterId, Id: pool.Id, ...flags.name !== undefined && { Name: flags.name }, ...configOf(flags) })
      if (flags.wait) await waitForPhase(client, `pool ${name}`, pool.Id, ['Running'], flags.timeout ?? CREATE_MS)
      if (flags.output === 'json') printJson({ Id: pool.Id })
    })

  withWait(withCommon(verbs.delete.command('pool <name>')), 'it is gone').description('delete a node pool with its nodes and onboarding scripts').addOption(clusterFlag()).action(async (name: string, flags: Owned) => {
    const client = connect(flags)
    const pool = await findPool(client, name, flags.cluster)
    const accept = { wait: flags.wait === true, timeoutMs: flags.timeout ?? DELETE_MS, what: `The deletion of pool ${name}` }
    await callWhenAccepted(accept, () => client.call('DeleteNodePool', { ClusterId: pool.ClusterId, Id: pool.Id }))
    if (flags.wait) await waitUntilGone(client, `pool ${name}`, pool.Id, flags.timeout ?? DELETE_MS)
    if (flags.output === 'json') printJson({ Id: pool.Id })
  })
}

function configOf(flags: UpdateFlags): object {
  const labels = flags.clearLabels ? [] : flags.label && parsePairs(flags.label, '--label').map(([Key, Value]) => ({ Key, Value }))
  const taints = flags.clearTaints ? [] : flags.taint?.map(parseTaint)
  return labels || taints ? { KubernetesConfig: { ...labels && { Labels: labels }, ...taints && { Taints: taints } } } : {}
}

async function printPools(client: EdgeholdClient, flags: Common, pools: readonly NodePool[]): Promise<void> {
  await printResult(flags, pools, async () => {
    if (pools.length === 0) tell('There are no node pools. Make one with "edgehold create pool NAME --cluster CLUSTER".')
    const [reasons, clusters] = await Promise.all([reasonsOf(client, pools.map(pool => pool.Id)), client.all('ListClusters')])
    const names = new Map(clusters.map(cluster => [cluster.Id, cluster.Name]))
    const now = Date.now()
    return table(['NAME', 'ID', 'CLUSTER', 'STATUS', 'SINCE', 'NODES', 'BECAUSE'], pools.map(pool => [
      pool.Name, pool.Id, names.get(pool.ClusterId) ?? pool.ClusterId, statusWords(pool.Status), age(reasons.get(pool.Id)?.At ?? pool.UpdateTime, now),
      `${pool.NodeStatistics.RunningCount}/${pool.NodeStatistics.TotalCount}`, reasons.get(pool.Id)?.Because ?? '',
    ]), terminalWidth())
  })
}

async function poolDetails(client: EdgeholdClient, pool: NodePool): Promise<string> {
  const reason = await client.call('ExplainStatus', { Id: pool.Id })
  return details([
    ['Name', pool.Name],
    ['Id', pool.Id],
    ['Cluster', pool.ClusterId],
    ['Status', `${statusWords(pool.Status)} since ${reason.Since}`],
    ['Because', reason.Because],
    ['Nodes', `${pool.NodeStatistics.TotalCount}, of them Running ${pool.NodeStatistics.RunningCount}, Failed ${pool.NodeStatistics.FailedCount}`],
    ['Labels', pool.KubernetesConfig.Labels.map(label => `${label.Key}=${label.Value}`).join(', ')],
    ['Taints', pool.KubernetesConfig.Taints.map(taint => `${taint.Key}=${taint.Value}:${taint.Effect}`).join(', ')],
    ['Created', pool.CreateTime],
  ])
}
