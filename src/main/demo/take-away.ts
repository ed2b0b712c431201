import type { EdgeholdClient } from '#client/client.ts'
import { CLUSTER, MACHINES, removal } from './names.ts'
import type { Story } from './story.ts'

const MINUTE = 60_000

/** By id, as far as the demo came: a name may be another's by now. */
export interface Made { /** The cluster was asked for, though its id may not be known. */ begun?: true; clusterId?: string; readonly machineIds: string[] }

/** What stays, how to look at it and how to take it away; commands only for what there is. */
export function keptText(made: Made, region: string): string {
  const { clusterId, machineIds } = made, cluster = clusterId !== undefined, machines = MACHINES.slice(0, machineIds.length)
  if (!cluster) return made.begun ? leftText(made, region) : 'Nothing was made yet.'
  const looks = [
    `./edgehold list node --cluster ${CLUSTER} --region ${region}`, `./edgehold explain cluster ${CLUSTER} --region ${region}`, ...machines.slice(0, 1).map(name => `./edgehold machine power-off ${name} --region ${region}`),
  ]
  return `Kept. Look around: ${looks.join('; ')}\nIt is taken away by: ${removal(region, { cluster, machines }).join('; ')}`
}

/** What may be left where the server gave no answer, also to what was asked for last. */
export function leftText({ begun, machineIds }: Made, region: string): string {
  if (!begun) return 'Nothing was made yet.'
  const commands = removal(region, { cluster: true, machines: MACHINES.slice(0, machineIds.length + 1) })
  return `What was made may be left in ${region}. Once the server runs again (./edgehold up --detach), what is there is taken away by:\n${commands.map(command => `  ${command}`).join('\n')}`
}

/** Takes away what the demo made, and nothing else; tells what is left, also where it cannot go on. */
export async function takeAwayOrTell(client: Pick<EdgeholdClient, 'call' | 'all'>, story: Story, made: Made, region: string): Promise<void> {
  try {
    await takeAway(client, story, made)
    // Asked for, and never answered: nobody but its owner can tell whether a cluster of that name is it.
    if (made.begun && made.clusterId === undefined) story.say(leftText(made, region))
  } catch (error) {
    story.say(leftText(made, region))
    throw error
  }
}

/** Takes away what the demo made, and nothing else; tells what is left. */
export async function takeAway(client: Pick<EdgeholdClient, 'call' | 'all'>, story: Story, { clusterId, machineIds }: Made): Promise<void> {
  story.tidies()
  if (clusterId !== undefined && (await story.asked(() => client.all('ListClusters', { Filter: { Ids: [clusterId] } }))).length > 0) {
    story.say('DeleteCluster with everything in it; the machines are released, then removed.')
    await story.accepted(() => client.call('DeleteCluster', { Id: clusterId, CascadingDeleteResources: ['All'] }), 16 * MINUTE)
    await story.until('Cluster', clusterId, 'gone', 10 * MINUTE)
  }
  if (machineIds.length > 0) {
    for (const { Id } of await story.asked(() => client.all('ListMachines', { Filter: { Ids: machineIds } }))) await story.accepted(() => client.call('RemoveMachine', { Id }), MINUTE)
    await story.machinesGone(machineIds, 2 * MINUTE)
  }
  if (clusterId === undefined) return
  const ledger = await story.asked(() => client.all('ListLedger', { Filter: { ClusterIds: [clusterId] } }))
  story.say(ledger.length === 0 ? 'The ledger has nothing of it left.' : `Still in the ledger: ${ledger.map(entry => `${entry.Kind} ${entry.State}`).join(', ')}`)
}
