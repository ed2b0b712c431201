import type { Command } from 'commander'
import type { Node } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { connect } from '../credentials.ts'
import { flag, withCommon, withWait, type Common, type Waiting } from '../flags.ts'
import { printJson, printResult, tell, terminalWidth } from '../print.ts'
import { reasonsOf } from '../reasons.ts'
import { findCluster, findNode, findPool } from '../resolve.ts'
import { details, table } from '../text/table.ts'
import { age, statusWords } from '../text/words.ts'
import { callWhenAccepted, waitForPhase, waitUntilGone } from '../wait.ts'
import type { Verbs } from './verbs.ts'

const JOIN_MS = 15 * 60_000
const DELETE_MS = 8 * 60_000

interface Owned extends Common, Waiting { readonly cluster?: string; readonly pool?: string }

const clusterFlag = () => flag('--cluster <cluster>', 'its cluster, by name or id')

export function addNodeCommands(verbs: Verbs, program: Command): void {
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

  withWait(withCommon(verbs.delete.command('node <name>')), 'it is gone').description('take a node out of its cluster; its machine cleans itself up').addOption(clusterFlag()).action(async (name: string, flags: Owned) => {
    const client = connect(flags)
    const node = await findNode(client, name, flags.cluster)
    const accept = { wait: flags.wait === true, timeoutMs: flags.timeout ?? DELETE_MS, what: `The deletion of node ${name}` }
    await callWhenAccepted(accept, () => client.call('DeleteEdgeNodes', { ClusterId: node.ClusterId, NodePoolId: node.NodePoolId, Ids: [node.Id] }))
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

async function printNodes(client: EdgeholdClient, flags: Common, nodes: readonly Node[]): Promise<void> {
  await printResult(flags, nodes, async () => {
    if (nodes.length === 0) tell('There are no nodes. Make an onboarding script with "edgehold create onboarding" and run it on a machine.')
    const [reasons, pools] = await Promise.all([reasonsOf(client, nodes.map(node => node.Id)), client.all('ListEdgeNodePools')])
    const names = new Map(pools.map(pool => [pool.Id, pool.Name]))
    const now = Date.now()
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
