/** CreateCluster → {Running,[Ok]} beside the same processes started by a plain shell script; one, and ten at once. */
import type { EdgeholdClient } from '#client/client.ts'
import { openComponents } from '#main/components.ts'
import { readConfiguration } from '#main/configuration.ts'
import { chooseHostNetwork } from '#providers/local/host-network/choose.ts'
import { ensureHostNetwork, removeHostNetwork } from '#providers/local/host-network/host-network.ts'
import { Installation } from '#test/harness/command.ts'
import { prepareBareControlPlane } from './bare-control-plane.ts'
import { start } from './client-of.ts'
import { clusterRuns, createCluster, deleteCluster } from './orders.ts'
import { median, printNote, printTable, verdict } from './table.ts'

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5)
const AT_ONCE = Number(process.env['BENCH_AT_ONCE'] ?? 10)
const AT_ONCE_ROUNDS = Number(process.env['BENCH_AT_ONCE_ROUNDS'] ?? 2)
const BAR = 1.15

const place = await Installation.make()
const components = openComponents(readConfiguration({ state: place.state }, place.environment))
const version = components.kubernetesVersions().at(-1) ?? ''
const network = await chooseHostNetwork('be0ca000')
try {
  await ensureHostNetwork(network)
  const client = await start(place)
  // What the page cache and the compilers of both learn with the first start is part of no number.
  await bareStarts(1)
  await ourStarts(client, 1)
  const one = { bare: [] as number[], ours: [] as number[] }
  const many = { bare: [] as number[], ours: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    one.bare.push(await bareStarts(1))
    one.ours.push(await ourStarts(client, 1))
  }
  for (let round = 0; round < AT_ONCE_ROUNDS; round++) {
    many.bare.push(await bareStarts(AT_ONCE))
    many.ours.push(await ourStarts(client, AT_ONCE))
  }
  const row = (what: string, { bare, ours }: typeof one) => ({ what, 'plain script': median(bare), Edgehold: median(ours), ratio: verdict(median(ours) / median(bare), BAR), each: `${bare.map(short).join(' ')} | ${ours.map(short).join(' ')}` })
  printTable(`create: CreateCluster → {Running,[Ok]} in ListClusters, Kubernetes ${version}, seconds (median)`, [row('one', one), row(`${AT_ONCE} at once, the last`, many)])
  printNote('The script starts the same programs with the same arguments and ends when the API is ready, scheduler and controller manager are healthy and the default ServiceAccount is there; its keys and files are made beforehand.')
  printNote('Ours includes making keys and files, roles, membership policy, cluster DNS and network, all of it checked.')
} finally {
  await place.remove()
  await removeHostNetwork(network)
}

async function bareStarts(count: number): Promise<number> {
  const planes = await Promise.all(Array.from({ length: count }, (_, index) => prepareBareControlPlane(index, version, network, components)))
  try {
    return Math.max(...await Promise.all(planes.map(plane => plane.start()))) / 1000
  } finally {
    for (const plane of planes) await plane.stop()
  }
}

async function ourStarts(client: EdgeholdClient, count: number): Promise<number> {
  const startedAt = performance.now()
  const ids = await Promise.all(Array.from({ length: count }, (_, index) => createCluster(client, { name: `bench-${index}`, pods: `172.${16 + (index % 8)}.${index < 8 ? 0 : 128}.0/17`, services: `172.30.${index * 16}.0/20` })))
  await clusterRuns(client, ...ids)
  const took = (performance.now() - startedAt) / 1000
  for (const id of ids) await deleteCluster(client, id)
  return took
}

function short(seconds: number): string {
  return seconds.toFixed(2)
}
