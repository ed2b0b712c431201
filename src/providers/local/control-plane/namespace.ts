import { existsSync, readlinkSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { addressPool, hardwareAddress, type HostNetworkSettings } from '../host-network/settings.ts'
import { runTool } from '../host-network/tool.ts'
import type { ClusterPlaces } from './places.ts'

/** Marks the routes that are ours among those of a cluster's namespace. */
const ROUTE_PROTOCOL = '201'

export interface PodRoute { readonly podCidr: string; readonly via: string }

/** True if the cluster's namespace is there and its link hangs on the bridge. */
export function namespaceIsThere(places: ClusterPlaces, bridge: string): boolean {
  if (!existsSync(places.namespaceFile)) return false
  try {
    return basename(readlinkSync(`/sys/class/net/${places.link}/master`)) === bridge
  } catch {
    // No such link, or one that hangs on no bridge.
    return false
  }
}

/** Makes the cluster's namespace with its address on the bridge and the routes that were last ordered; safe to repeat. Answers whether it was there before. */
export async function ensureNamespace(places: ClusterPlaces, network: HostNetworkSettings, address: string): Promise<'found' | 'made'> {
  const { gateway, prefix } = addressPool(network)
  const found = (await namespacesThere()).includes(places.namespace)
  const linked = (await readdir('/sys/class/net')).includes(places.link)
  await runTool('ip', ['-batch', '-'], {
    stdin: [
      ...(found ? [] : [`netns add ${places.namespace}`]),
      ...(linked ? [] : [`link add name ${places.link} type veth peer name eth0 address ${hardwareAddress(address)} netns ${places.namespace}`]),
      `link set dev ${places.link} master ${network.bridge}`,
      `link set dev ${places.link} up`,
    ].join('\n'),
  })
  await runTool('ip', ['-netns', places.namespace, '-batch', '-'], {
    stdin: [
      'link set dev lo up',
      `address replace ${address}/${prefix} brd + dev eth0`,
      'link set dev eth0 up',
      `route replace default via ${gateway} dev eth0`,
    ].join('\n'),
  })
  const wanted = await rememberedRoutes(places)
  if (wanted.length > 0) await applyRoutes(places, wanted)
  return found ? 'found' : 'made'
}

/** Remembers the routes for every later namespace of the cluster, and sets them in the present one. */
export async function ensureNamespaceRoutes(places: ClusterPlaces, bridge: string, routes: readonly PodRoute[]): Promise<void> {
  await mkdir(dirname(places.routes), { recursive: true, mode: 0o700 })
  await writeFile(places.routes, JSON.stringify(routes))
  if (namespaceIsThere(places, bridge)) await applyRoutes(places, routes)
}

/** Removes namespace and link; already gone is success. */
export async function removeNamespace(places: ClusterPlaces): Promise<void> {
  if ((await readdir('/sys/class/net')).includes(places.link)) await runTool('ip', ['link', 'delete', 'dev', places.link])
  const namespaces = await namespacesThere()
  if (namespaces.includes(places.namespace)) await runTool('ip', ['netns', 'delete', places.namespace])
}

async function applyRoutes(places: ClusterPlaces, routes: readonly PodRoute[]): Promise<void> {
  const present = JSON.parse(await runTool('ip', ['-netns', places.namespace, '-4', '-j', 'route', 'show', 'proto', ROUTE_PROTOCOL]) || '[]') as { dst: string; gateway?: string }[]
  const wanted = new Map(routes.map(route => [route.podCidr, route.via]))
  const lines = [
    ...present.filter(route => !wanted.has(route.dst)).map(route => `route delete ${route.dst} proto ${ROUTE_PROTOCOL}`),
    ...routes.filter(route => !present.some(other => other.dst === route.podCidr && other.gateway === route.via)).map(route => `route replace ${route.podCidr} via ${route.via} dev eth0 proto ${ROUTE_PROTOCOL}`),
  ]
  if (lines.length > 0) await runTool('ip', ['-netns', places.namespace, '-batch', '-'], { stdin: lines.join('\n') })
}

async function rememberedRoutes(places: ClusterPlaces): Promise<readonly PodRoute[]> {
  const text = await readFile(places.routes, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]'
    throw error
  })
  return JSON.parse(text) as PodRoute[]
}

/** TCP ports on which something listens inside the namespace. */
export async function listeningPorts(places: ClusterPlaces): Promise<ReadonlySet<number>> {
  const text = await runTool('nsenter', [`--net=${places.namespaceFile}`, 'cat', '/proc/net/tcp', '/proc/net/tcp6'])
  return portsThatListen(text)
}

/** As `listeningPorts`, of the namespace that a process is in, without starting a program; empty if it has gone. */
export async function listeningPortsBeside(pid: number): Promise<ReadonlySet<number>> {
  return portsThatListen(await readFile(`/proc/${pid}/net/tcp`, 'utf8').catch(() => ''))
}

/** The ports in state LISTEN (0A) of a `/proc/net/tcp` table. */
export function portsThatListen(table: string): ReadonlySet<number> {
  const ports = new Set<number>()
  for (const line of table.split('\n')) {
    const [, local, , state] = line.trim().split(/\s+/)
    if (state === '0A' && local !== undefined) ports.add(Number.parseInt(local.split(':')[1] ?? '', 16))
  }
  return ports
}

/** Names of all network namespaces of this host that have one; the folder is made with the first. */
async function namespacesThere(): Promise<readonly string[]> {
  return readdir('/run/netns').catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}
