import type { Command } from 'commander'
import type { Node, NodePool } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { connect } from '../credentials.ts'
import { UsageError } from '../errors.ts'
import { refuseForeign, type Kind } from '../given.ts'
import { collect, flag, own, parseNumber, withCommon, withWait, type Common, type Waiting } from '../flags.ts'
import { nowIn } from '../now-in.ts'
import { print, printJson, printResult, tell, terminalWidth } from '../print.ts'
import { reasonsOf } from '../reasons.ts'
import { readPassword } from '../read-password.ts'
import { findCluster, findNode, findPool } from '../resolve.ts'
import { details, table } from '../text/table.ts'
import { age, statusWords } from '../text/words.ts'
import { callWhenAccepted, waitForPhase, waitUntilGone } from '../wait.ts'
import type { Verbs } from './verbs.ts'

const JOIN_MS = 15 * 60_000
const DELETE_MS = 8 * 60_000

interface CreateFlags extends Common, Waiting { readonly cluster: string; readonly pool?: string; readonly instance?: readonly string[]; readonly address?: string; readonly user?: string; readonly sshPort?: number; readonly passwordFile?: string; readonly name?: string; readonly keepInstanceName?: boolean }
interface DeleteFlags extends Owned { readonly cascade?: readonly string[]; readonly retain?: readonly string[] }
interface Owned extends Common, Waiting { readonly cluster?: string; readonly pool?: string }

/** What each kind of machine takes besides its cluster and pool, which all have. */
const MACHINE_KINDS = {
  edge: { takes: ['--instance', '--name'], said: 'servers of an edge pool (--instance)' },
  central: { takes: ['--instance', '--keep-instance-name'], said: 'servers of a central pool (--instance)' },
  own: { takes: ['--address', '--name', '--user', '--ssh-port', '--password-file'], said: 'a machine of your own (--address)' },
} as const satisfies Readonly<Record<string, Kind>>

const clusterFlag = () => flag('--cluster <cluster>', 'its cluster, by name or id')

export function addNodeCommands(verbs: Verbs, program: Command): void {
  withWait(withCommon(verbs.create.command('node')), 'it is Running')
    .description('add servers to a pool by their ids: edge servers to an edge pool, servers of the centre to a central pool that does not scale by itself, without --pool to the default pool of the cluster; or a machine to a static edge pool by its address: it is logged in to once by SSH, with a password that is kept nowhere')
    .addOption(clusterFlag().makeOptionMandatory())
    .addOption(flag('--pool <pool>', 'its pool, by name or id'))
    .addOption(flag('--instance <id>', 'id of the server; may be repeated').argParser(collect))
    .addOption(flag('--address <address>', 'IPv4 address or host name of a machine of your own'))
    .addOption(flag('--user <user>', 'who logs in to it').default('root'))
    .addOption(flag('--ssh-port <port>', 'its SSH port').argParser(parseNumber('a port, e.g. 22')).default(22))
    .addOption(flag('--password-file <file>', 'file whose first line is the password; by default, or with -, standard input is read'))
    .addOption(own('--name <name>', 'name of the node, in edge pools'))
    .addOption(own('--keep-instance-name', 'the node is called as its server, in central pools'))
    .action(async (flags: CreateFlags, command: Command) => {
      if ((flags.instance === undefined) === (flags.address === undefined)) throw new UsageError('Say which machine: --instance ID for servers, or --address ADDRESS for a machine of your own.')
      if (flags.address !== undefined && flags.pool === undefined) throw new UsageError('say which pool: --pool POOL, a static one. Without it servers alone are added, to the default pool of the cluster')
      const client = connect(flags)
      const pool = flags.pool === undefined ? undefined : await findPool(client, flags.pool, flags.cluster), isCentral = pool === undefined || pool.Type === 'machine-set'
      if (flags.address !== undefined && isCentral) throw new UsageError('A machine with an address of its own becomes a node of a static edge pool; this is a central one.')
      refuseForeign(command, Object.values(MACHINE_KINDS), MACHINE_KINDS[flags.address !== undefined ? 'own' : isCentral ? 'central' : 'edge'])
      const { Ids } = await createNodes(client, pool, flags)
      if (flags.wait) for (const id of Ids) await waitForPhase(client, `node ${id}`, id, ['Running'], flags.timeout ?? JOIN_MS)
      if (flags.output === 'json') printJson({ Ids })
      else for (const id of Ids) print(id)
    })

  withCommon(verbs.list.command('node').alias('nodes')).description('list nodes').addOption(clusterFlag()).addOption(flag('--pool <pool>', 'its pool, by name or id')).action(async (flags: Owned) => {
    const client = connect(flags)
    const filter = {
      ...flags.cluster !== undefined && { ClusterIds: [(await findCluster(client, flags.cluster)).Id] },
      ...flags.pool !== undefined && { NodePoolIds: [(await findPool(client, flags.pool, flags.cluster)).Id] },
    }
    await printNodes(client, flags, await client.all('ListEdgeNodes', { Filter: filter }))
  })

  withWait(withCommon(verbs.get.command('node <name>')), 'it is Running').description('show one node').addOption(clusterFlag()).action(async (name: string, flags: Owned) => {
    const client = connect(flags)
    const { Id } = await findNode(client, name, flags.cluster)
    if (flags.wait) await waitForPhase(client, `node ${name}`, Id, ['Running'], flags.timeout ?? JOIN_MS)
    const node = await findNode(client, Id)
    await printResult(flags, node, async () => nodeDetails(client, node))
  })

  withWait(withCommon(verbs.delete.command('node <name>')), 'it is gone').description('take a node out of its cluster; a machine that ran a script cleans itself up').addOption(clusterFlag())
    .addOption(own('--cascade <resource>', 'Ecs: a machine that was ordered for it goes too').argParser(collect))
    .addOption(own('--retain <resource>', 'Ecs: it stays, as without either').argParser(collect))
    .action(async (name: string, flags: DeleteFlags) => {
    const client = connect(flags)
    const node = await findNode(client, name, flags.cluster)
    const accept = { wait: flags.wait === true, timeoutMs: flags.timeout ?? DELETE_MS, what: `The deletion of node ${name}` }
    await callWhenAccepted(client, accept, () => client.call('DeleteEdgeNodes', { ClusterId: node.ClusterId, NodePoolId: node.NodePoolId, Ids: [node.Id], CascadingDeleteResources: flags.cascade ?? [], RetainResources: flags.retain ?? [] }))
    if (flags.wait) await waitUntilGone(client, `node ${name}`, node.Id, flags.timeout ?? DELETE_MS)
    if (flags.output === 'json') printJson({ Id: node.Id })
  })

  for (const [verb, schedulable, text] of [['cordon', false, 'keep new pods off a node'], ['uncordon', true, 'let new pods onto a node again']] as const) {
    withCommon(program.command(`${verb} <node>`)).description(text).addOption(clusterFlag()).action(async (name: string, flags: Owned) => {
      const client = connect(flags)
      const { Id } = await findNode(client, name, flags.cluster)
      await client.call('SetNodeSchedulable', { Id, Schedulable: schedulable })
      if (flags.output === 'json') printJson({ Id })
    })
  }
}

/** Without a pool in the default one of the cluster. */
async function createNodes(client: EdgeholdClient, pool: NodePool | undefined, flags: CreateFlags): Promise<{ readonly Ids: readonly string[] }> {
  const place = pool ? { ClusterId: pool.ClusterId, NodePoolId: pool.Id } : { ClusterId: (await findCluster(client, flags.cluster)).Id }, name = flags.name !== undefined && { Name: flags.name }
  if (pool === undefined || pool.Type === 'machine-set') return client.call('CreateNodes', { ...place, InstanceIds: flags.instance ?? [], KeepInstanceName: flags.keepInstanceName === true })
  if (flags.address !== undefined) {
    const MachineAuth = { AuthType: 'Password', User: flags.user ?? 'root', SSHPort: flags.sshPort ?? 22, Password: readPassword(flags.passwordFile) }
    return client.call('CreateEdgeNode', { ...place, ...name, AutoCompleteConfig: { Enable: true, Address: flags.address, MachineAuth } })
  }
  const instances = (flags.instance ?? []).map(InstanceIdentity => ({ InstanceIdentity }))
  return client.call('CreateEdgeNode', { ...place, ...name, AutoCompleteConfig: { Enable: true, DirectAdd: true, DirectAddInstances: instances } })
}

async function printNodes(client: EdgeholdClient, flags: Common, nodes: readonly Node[]): Promise<void> {
  await printResult(flags, nodes, async () => {
    if (nodes.length === 0) tell('There are no nodes. Make an onboarding script with "edgehold create onboarding" and run it on a machine, or a pool that orders machines with "edgehold create pool NAME --cluster CLUSTER --elastic --desired 2".')
    const [reasons, pools] = await Promise.all([reasonsOf(client, nodes.map(node => node.Id)), client.all('ListEdgeNodePools')])
    const names = new Map(pools.map(pool => [pool.Id, pool.Name]))
    const now = await nowIn(client)
    return table(['NAME', 'ID', 'POOL', 'STATUS', 'SINCE', 'BECAUSE'], nodes.map(node => [
      node.Name, node.Id, names.get(node.NodePoolId) ?? node.NodePoolId, statusWords(node.Status), age(reasons.get(node.Id)?.At ?? node.UpdateTime, now), reasons.get(node.Id)?.Because ?? '',
    ]), terminalWidth())
  })
}

async function nodeDetails(client: EdgeholdClient, node: Node): Promise<string> {
  const reason = await client.call('ExplainStatus', { Id: node.Id })
  return details([
    ['Name', node.Name],
    ['Id', node.Id],
    ['Cluster', node.ClusterId],
    ['Pool', node.NodePoolId],
    ['Status', `${statusWords(node.Status)} since ${reason.Since}`],
    ['Because', reason.Because],
    ['Machine', node.InstanceId],
    ['Created', node.CreateTime],
  ])
}
