import type { EdgeholdClient } from '#client/client.ts'
import { CLUSTER, MACHINES, removal } from './names.ts'
import type { Story } from './story.ts'

const MINUTE = 60_000

/** By id, as far as the demo came: a name may be another's by now. */
export interface Made { clusterId?: string; readonly machineIds: string[] }

/** What stays, how to look at it and how to take it away; commands only for what there is. */
export function keptText({ clusterId, machineIds }: Made, region: string): string {
  const cluster = clusterId !== undefined, machines = MACHINES.slice(0, machineIds.length)
  if (!cluster) return 'Nothing was made yet.'
  const looks = [
    `./edgehold list node --cluster ${CLUSTER} --region ${region}`, `./edgehold explain cluster ${CLUSTER} --region ${region}`, ...machines.slice(0, 1).map(name => `./edgehold machine power-off ${name} --region ${region}`),
  ]
  return `Kept. Look around: ${looks.join('; ')}\nIt is taken away by: ${removal(region, { cluster, machines }).join('; ')}`
}

/** Takes away what the demo made, and nothing else; tells what is left. */
export async function takeAway(client: Pick<EdgeholdClient, 'call' | 'all'>, story: Story, { clusterId, machineIds }: Made): Promise<void> {
  story.tidies()
  if (clusterId !== undefined && (await client.all('ListClusters', { Filter: { Ids: [clusterId] } })).length > 0) {
    story.say('DeleteCluster with everything in it; the machines are released, then removed.')
    await story.accepted(() => client.call('DeleteCluster', { Id: clusterId, CascadingDeleteResources: ['All'] }), 16 * MINUTE)
    await story.until('Cluster', clusterId, 'gone', 10 * MINUTE)
  }
  if (machineIds.length > 0) {
    for (const { Id } of await client.all('ListMachines', { Filter: { Ids: machineIds } })) await client.call('RemoveMachine', { Id })
    await story.machinesGone(machineIds, 2 * MINUTE)
  }
  if (clusterId === undefined) return
  const ledger = await client.all('ListLedger', { Filter: { ClusterIds: [clusterId] } })
  story.say(ledger.length === 0 ? 'The ledger has nothing of it left.' : `Still in the ledger: ${ledger.map(entry => `${entry.Kind} ${entry.State}`).join(', ')}`)
}
