import type { EdgeholdClient } from '#client/client.ts'
import type { Story } from './story.ts'

const MINUTE = 60_000

/** By id, as far as the demo came: a name may be another's by now. */
export interface Made { clusterId?: string; readonly machineIds: string[] }

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
