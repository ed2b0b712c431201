import type { Cluster } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'
import { connect } from '../credentials.ts'
import { UsageError } from '../errors.ts'
import { collect, flag, own, withCommon, withWait, type Common, type Waiting } from '../flags.ts'
import { pickRanges } from '../free-ranges.ts'
import { nowIn } from '../now-in.ts'
import { parsePairs, parseSwitch, parseWhole } from '../parse.ts'
import { print, printJson, printResult, tell, terminalWidth } from '../print.ts'
import { reasonsOf } from '../reasons.ts'
import { findCluster } from '../resolve.ts'
import { details, table } from '../text/table.ts'
import { choiceOf, versionWords } from '../text/version.ts'
import { age, statusWords } from '../text/words.ts'
import { callWhenAccepted, waitForPhase, waitUntilGone } from '../wait.ts'
import type { Verbs } from './verbs.ts'

const CREATE_MS = 30 * 60_000
const DELETE_MS = 10 * 60_000
/** Ranges that the region keeps for itself are known to the server only; each refusal rules one out. */
const MOST_TRIES = 20

interface CreateFlags extends Common, Waiting {
  readonly description?: string; readonly kubernetesVersion?: string; readonly podCidr?: string; readonly serviceCidr?: string; readonly maxPodsPerNode?: number
  readonly subnet?: readonly string[]; readonly deleteProtection?: boolean; readonly tag?: readonly string[]
}
interface UpdateFlags extends Common, Waiting { readonly name?: string; readonly description?: string; readonly deleteProtection?: boolean }
interface DeleteFlags extends Common, Waiting { readonly force?: boolean; readonly cascade?: readonly string[]; readonly retain?: readonly string[] }

export function addClusterCommands(verbs: Verbs): void {
  withWait(withCommon(verbs.create.command('cluster <name>')), 'it is Running')
    .description('make a cluster; free pod and Service ranges are picked unless given')
    .addOption(flag('--description <text>', 'what it is for'))
    .addOption(flag('--kubernetes-version <version>', 'e.g. 1.34; by default the newest served. Of a version that is not served, the nearest newer one runs'))
    .addOption(flag('--pod-cidr <range>', 'range of its pods'))
    .addOption(flag('--service-cidr <range>', 'range of its Services'))
    .addOption(flag('--max-pods-per-node <n>', '16, 32, 64, 128 or 256').argParser(parseWhole))
    .addOption(flag('--subnet <id>', 'a subnet of the VPC; may be repeated').argParser(collect))
    .addOption(flag('--delete-protection <on|off>', 'refuse deletion without force').argParser(parseSwitch))
    .addOption(flag('--tag <key=value>', 'a tag; may be repeated').argParser(collect))
    .action(createCluster)

  withCommon(verbs.list.command('cluster').alias('clusters')).description('list clusters').action(async (flags: Common) => {
    const client = connect(flags)
    await printClusters(client, flags, await client.all('ListClusters'))
  })

  withWait(withCommon(verbs.get.command('cluster <name>')), 'it is Running').description('show one cluster').action(async (name: string, flags: Common & Waiting) => {
    const client = connect(flags)
    const cluster = await findCluster(client, name)
    if (flags.wait) await waitForPhase(client, `cluster ${name}`, cluster.Id, ['Running'], flags.timeout ?? CREATE_MS)
    const now = flags.wait ? await findCluster(client, cluster.Id) : cluster
    await printResult(flags, now, async () => clusterDetails(client, now))
  })

  withWait(withCommon(verbs.update.command('cluster <name>')), 'it is Running again')
    .description('change name, description or deletion protection')
    .addOption(own('--name <name>', 'new name'))
    .addOption(flag('--description <text>', 'what it is for'))
    .addOption(flag('--delete-protection <on|off>', 'refuse deletion without force').argParser(parseSwitch))
    .action(async (name: string, flags: UpdateFlags) => {
      if (flags.name === undefined && flags.description === undefined && flags.deleteProtection === undefined) throw new UsageError('say what to change: --name, --description or --delete-protection')
      const client = connect(flags)
      const { Id } = await findCluster(client, name)
      await client.call('UpdateClusterConfig', {
        Id, ...flags.name !== undefined && { Name: flags.name }, ...flags.description !== undefined && { Description: flags.description },
        ...flags.deleteProtection !== undefined && { DeleteProtectionEnabled: flags.deleteProtection },
      })
      if (flags.wait) await waitForPhase(client, `cluster ${name}`, Id, ['Running'], flags.timeout ?? CREATE_MS)
      if (flags.output === 'json') printJson({ Id })
    })

  withWait(withCommon(verbs.delete.command('cluster <name>')), 'it is gone')
    .description('delete a cluster with its pools and nodes')
    .addOption(own('--force', 'also if it has deletion protection'))
    .addOption(own('--cascade <resource>', 'All, NodePoolResource, DefaultNodePoolResource, Clb, Nat; may be repeated').argParser(collect))
    .addOption(own('--retain <resource>', 'what is to stay; may be repeated').argParser(collect))
    .action(async (name: string, flags: DeleteFlags) => {
      const client = connect(flags)
      const { Id } = await findCluster(client, name)
      const accept = { wait: flags.wait === true, timeoutMs: flags.timeout ?? DELETE_MS, what: `The deletion of cluster ${name}` }
      await callWhenAccepted(client, accept, () => client.call('DeleteCluster', { Id, Force: flags.force === true, CascadingDeleteResources: flags.cascade ?? [], RetainResources: flags.retain ?? [] }))
      if (flags.wait) await waitUntilGone(client, `cluster ${name}`, Id, flags.timeout ?? DELETE_MS)
      if (flags.output === 'json') printJson({ Id })
    })
}

async function createCluster(name: string, flags: CreateFlags): Promise<void> {
  const client = connect(flags)
  const id = await createWithFreeRanges(client, name, flags)
  if (flags.kubernetesVersion !== undefined) await tellChoice(client, name, id)
  if (flags.wait) {
    tell(`cluster ${name}: asked for as ${id}`)
    await waitForPhase(client, `cluster ${name}`, id, ['Running'], flags.timeout ?? CREATE_MS)
  }
  if (flags.output === 'json') printJson({ Id: id })
  else print(id)
}

/** Whoever asked for a version that is not served learns at once which one runs. */
async function tellChoice(client: EdgeholdClient, name: string, id: string): Promise<void> {
  const [cluster] = await client.all('ListClusters', { Filter: { Ids: [id] } })
  const choice = cluster && choiceOf(cluster)
  if (choice !== undefined) tell(`cluster ${name}: ${choice}.`)
}

async function createWithFreeRanges(client: EdgeholdClient, name: string, flags: CreateFlags): Promise<string> {
  const clusters = await client.all('ListClusters')
  const refused: string[] = []
  for (let attempt = 1; ; attempt++) {
    const ranges = pickRanges(clusters, { pods: flags.podCidr, services: flags.serviceCidr }, refused)
    try {
      const made = await client.call('CreateCluster', {
        Name: name, Profile: 'Edge', Description: flags.description ?? '',
        ...flags.kubernetesVersion !== undefined && { KubernetesVersion: flags.kubernetesVersion },
        ...flags.deleteProtection !== undefined && { DeleteProtectionEnabled: flags.deleteProtection },
        ClusterConfig: { SubnetIds: flags.subnet ?? ['subnet-default'] },
        PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [ranges.pods], MaxPodsPerNode: flags.maxPodsPerNode ?? 64 } },
        ServicesConfig: { ServiceCidrsv4: [ranges.services] },
        Tags: parsePairs(flags.tag ?? [], '--tag').map(([Key, Value]) => ({ Key, Value })),
      })
      return made.Id
    } catch (error) {
      const next = error instanceof ApiError && attempt < MOST_TRIES ? takenRange(error, ranges, flags) : undefined
      if (next === undefined) throw error
      refused.push(next)
    }
  }
}

/** The range that was picked here and that the server says is taken, by the region itself or by a creation at the same moment. */
function takenRange(error: ApiError, ranges: { pods: string; services: string }, flags: CreateFlags): string | undefined {
  if (error.code === 'Conflict.PodCidrs' && flags.podCidr === undefined) return ranges.pods
  return error.code === 'Conflict.ServiceCidrsv4' && flags.serviceCidr === undefined ? ranges.services : undefined
}

async function printClusters(client: EdgeholdClient, flags: Common, clusters: readonly Cluster[]): Promise<void> {
  await printResult(flags, clusters, async () => {
    const reasons = await reasonsOf(client, clusters.map(cluster => cluster.Id))
    const now = await nowIn(client)
    if (clusters.length === 0) tell('There are no clusters. Make one with "edgehold create cluster NAME --wait".')
    return table(['NAME', 'ID', 'STATUS', 'SINCE', 'NODES', 'VERSION', 'BECAUSE'], clusters.map(cluster => [
      cluster.Name, cluster.Id, statusWords(cluster.Status), age(reasons.get(cluster.Id)?.At ?? cluster.UpdateTime, now),
      `${cluster.NodeStatistics.RunningCount}/${cluster.NodeStatistics.TotalCount}`, versionWords(cluster), reasons.get(cluster.Id)?.Because ?? '',
    ]), terminalWidth())
  })
}

async function clusterDetails(client: EdgeholdClient, cluster: Cluster): Promise<string> {
  const reason = await client.call('ExplainStatus', { Id: cluster.Id })
  const pods = 'FlannelConfig' in cluster.PodsConfig ? cluster.PodsConfig.FlannelConfig.PodCidrs : []
  return details([
    ['Name', cluster.Name],
    ['Id', cluster.Id],
    ['Status', `${statusWords(cluster.Status)} since ${reason.Since}`],
    ['Because', reason.Because],
    ['Version', versionWords(cluster)],
    ['Nodes', `${cluster.NodeStatistics.TotalCount}, of them Running ${cluster.NodeStatistics.RunningCount}, Failed ${cluster.NodeStatistics.FailedCount}`],
    ['Pods', pods.join(', ')],
    ['Services', cluster.ServicesConfig.ServiceCidrsv4.join(', ')],
    ['API', cluster.ClusterConfig.ApiServerEndpoints.PrivateIp.Ipv4 && `https://${cluster.ClusterConfig.ApiServerEndpoints.PrivateIp.Ipv4}:6443`],
    ['Protected', cluster.DeleteProtectionEnabled ? 'yes' : 'no'],
    ['Description', cluster.Description],
    ['Created', cluster.CreateTime],
  ])
}
