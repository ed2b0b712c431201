import type { Kubeconfig } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { nowIn } from './now-in.ts'
import { until } from './wait.ts'

const HOUR_MS = 3_600_000
const MADE_WITHIN_MS = 60_000

/** A new kubeconfig's text; it is made in the cluster a moment after the call. */
export async function makeKubeconfig(client: EdgeholdClient, clusterId: string, hours: number | undefined): Promise<string> {
  const { Id } = await client.call('CreateKubeconfig', { ClusterId: clusterId, Type: 'Private', ...hours !== undefined && { ValidDuration: hours } })
  return until(client, MADE_WITHIN_MS, `The kubeconfig ${Id} was not made`, async () => {
    const { Items: [kubeconfig] } = await client.call('ListKubeconfigs', { Filter: { Ids: [Id] } })
    return kubeconfig?.Kubeconfig ? textOf(kubeconfig) : undefined
  })
}

/** The text of one that holds for another hour, else of a new one. */
export async function anyKubeconfig(client: EdgeholdClient, clusterId: string): Promise<string> {
  const there = await client.all('ListKubeconfigs', { Filter: { ClusterIds: [clusterId] } })
  const now = await nowIn(client)
  const usable = there.filter(kubeconfig => kubeconfig.Kubeconfig && Date.parse(kubeconfig.ExpireTime) - now > HOUR_MS).toSorted((a, b) => a.ExpireTime < b.ExpireTime ? 1 : -1)[0]
  return usable ? textOf(usable) : makeKubeconfig(client, clusterId, undefined)
}

function textOf(kubeconfig: Kubeconfig): string {
  return Buffer.from(kubeconfig.Kubeconfig, 'base64').toString()
}
