/** CreateCluster → {Running,[Ok]} beside the same processes started by a plain shell script; one, and ten at once. */
import { ComponentCache } from '#kubernetes/components/component-cache.ts'
import { chooseHostNetwork } from '#providers/local/host-network/choose.ts'
import { ensureHostNetwork, removeHostNetwork } from '#providers/local/host-network/host-network.ts'
import { join } from 'node:path'
import { homedir } from 'node:os'
import { Installation, repository, until } from '#test/harness/command.ts'
import { prepareBareControlPlane } from './bare-control-plane.ts'
import { start } from './client-of.ts'
import { median, printTable, verdict } from './table.ts'

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3)
const AT_ONCE = Number(process.env['BENCH_AT_ONCE'] ?? 10)
const components = new ComponentCache({ cacheDir: process.env['EDGEHOLD_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'edgehold', 'components'), releases: false, repositoryDir: repository })
const version = components.kubernetesVersions().at(-1) ?? ''
const network = await chooseHostNetwork('be0ca000')
const place = await Installation.make()
try {
  await ensureHostNetwork(network)
  const client = await start(place)
  const bare: number[] = []
  const ours: number[] = []
  const bareTen: number[] = []
  const oursTen: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await bareStarts(1))
    ours.push(await ourStarts(client, 1))
  }
  bareTen.push(await bareStarts(AT_ONCE))
  oursTen.push(await ourStarts(client, AT_ONCE))
  printTable(`create: CreateCluster → {Running,[Ok]}, Kubernetes ${version}, seconds (median of ${ROUNDS})`, [
    { what: 'one', 'plain script': median(bare) / 1000, Edgehold: median(ours) / 1000, ratio: verdict(median(ours) / median(bare), 1.15) },
    { what: `${AT_ONCE} at once, the last`, 'plain script': median(bareTen) / 1000, Edgehold: median(oursTen) / 1000, ratio: verdict(median(oursTen) / median(bareTen), 1.15) },
  ])
} finally {
  await place.remove()
  await removeHostNetwork(network)
}

async function bareStarts(count: number): Promise<number> {
  const planes = await Promise.all(Array.from({ length: count }, (_, index) => prepareBareControlPlane(index, version, network, components)))
  try {
    return Math.max(...await Promise.all(planes.map(plane => plane.start())))
  } finally {
    for (const plane of planes) await plane.stop()
  }
}

async function ourStarts(client: EdgeholdClient, count: number): Promise<number> {
  const startedAt = performance.now()
  const ids = await Promise.all(Array.from({ length: count }, async (_, index) => (await client.call('CreateCluster', {
    Name: `bench-${index}`, Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-bench'] },
    PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`172.${16 + (index % 8)}.${index < 8 ? 0 : 128}.0/17`] } }, ServicesConfig: { ServiceCidrsv4: [`172.30.${index * 16}.0/20`] },
  })).Id))
  await until('all clusters to be Running', async () => {
    const clusters = await client.all('ListClusters', { Filter: { Ids: ids } })
    return clusters.length === count && clusters.every(cluster => cluster.Status.Phase === 'Running')
  }, 300_000, 20)
  const took = performance.now() - startedAt
  for (const id of ids) await client.call('DeleteCluster', { Id: id, CascadingDeleteResources: ['All'] })
  await until('all clusters to be gone', async () => (await client.all('ListClusters')).length === 0, 120_000)
  return took
}
