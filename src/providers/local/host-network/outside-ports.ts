import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { cidrOf, parseAddress } from '#model/cidr.ts'
import { HostNetworkFailure } from './choose.ts'
import { tableName, type HostNetworkSettings } from './settings.ts'
import { runTool } from './tool.ts'

/** The map in our table from host ports to API servers; a cluster is an element of it, with the cluster's id as its comment. */
export const OUTSIDE_MAP = 'api_servers'

/** A port of this host that leads to a cluster's API server. */
export interface OutsidePort {
  readonly clusterId: string
  /** On the region's network. */
  readonly address: string
  readonly port: number
}

/** Something else on this host has the port; the message says what and names the way out. */
export class OutsidePortTaken extends HostNetworkFailure {}

/**
 * The host port of a cluster: the base plus its address's place in the region's range. The address is kept with the cluster's record for as long as it
 * lives, so the port is as lasting, without a second thing to keep.
 */
export function outsidePort(settings: Pick<HostNetworkSettings, 'cidr'>, base: number, address: string): number {
  const number = parseAddress(address)
  if (number === undefined) throw new RangeError(`${address} is no IPv4 address`)
  return base + number - cidrOf(settings.cidr).first
}

/** As nft reads it. */
export function outsideElement({ clusterId, address, port }: OutsidePort): string {
  return `${port} comment ${JSON.stringify(clusterId)} : ${address}`
}

/** The ports that lead to clusters of this region now. */
export async function outsidePortsThere(settings: HostNetworkSettings): Promise<readonly OutsidePort[]> {
  return (await outsideMaps()).get(tableName(settings)) ?? []
}

/** Makes the port lead to the API server, at once and for everybody; safe to repeat. Throws OutsidePortTaken, or ToolFailed where our table is not there. */
export async function ensureOutsidePort(settings: HostNetworkSettings, port: OutsidePort): Promise<void> {
  const maps = await outsideMaps()
  if (maps.get(tableName(settings))?.some(other => isDeepStrictEqual(other, port))) return
  const taken = (await takenPorts(settings, maps)).get(port.port)
  if (taken !== undefined) throw new OutsidePortTaken(taken)
  const stale = (maps.get(tableName(settings)) ?? []).filter(other => other.clusterId === port.clusterId || other.port === port.port)
  await runTool('nft', ['-f', '-'], { stdin: [...stale.map(other => `delete element ${of(settings)} { ${other.port} }`), `add element ${of(settings)} { ${outsideElement(port)} }`].join('\n') })
}

/** Takes the cluster's port away; already gone is success. */
export async function removeOutsidePort(settings: HostNetworkSettings, clusterId: string): Promise<void> {
  const own = (await outsidePortsThere(settings)).filter(other => other.clusterId === clusterId)
  if (own.length > 0) await runTool('nft', ['-f', '-'], { stdin: own.map(other => `delete element ${of(settings)} { ${other.port} }`).join('\n') })
}

/** Ports of this host that others have, each with a sentence on who has it and what to do. */
export async function takenPorts(settings: HostNetworkSettings, maps?: ReadonlyMap<string, readonly OutsidePort[]>): Promise<ReadonlyMap<number, string>> {
  const wayOut = 'or give another first port by advertisePortBase (EDGEHOLD_ADVERTISE_PORT_BASE); it is tried again by itself.'
  const taken = new Map<number, string>()
  for (const [table, ports] of maps ?? await outsideMaps()) {
    if (table === tableName(settings)) continue
    for (const { port, clusterId } of ports) taken.set(port, `Port ${port} of this host leads to cluster ${clusterId} of another region here (nft table ${table}). Delete that cluster, ${wayOut}`)
  }
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const table = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      // A kernel without IPv6 has no such table.
      if (error.code === 'ENOENT') return ''
      throw error
    })
    for (const port of portsOpenToOthers(table)) taken.set(port, `Port ${port} of this host, by which a cluster would be reached from outside, is taken by another program. End it (ss -ltnp names it), ${wayOut}`)
  }
  return taken
}

/** The ports in state LISTEN (0A) of a `/proc/net/tcp` or `tcp6` table, those on loopback left out: nothing from outside was for them. */
export function portsOpenToOthers(table: string): ReadonlySet<number> {
  const ports = new Set<number>()
  for (const line of table.split('\n')) {
    const [, local, , state] = line.trim().split(/\s+/)
    const [address, port] = local?.split(':') ?? []
    if (state !== '0A' || address === undefined || port === undefined) continue
    const loopback = address.endsWith('7F') || address === '00000000000000000000000001000000'
    if (!loopback) ports.add(Number.parseInt(port, 16))
  }
  return ports
}

type ListedMap = { map?: { table: string; name: string; elem?: readonly (readonly [number | { elem: { val: number; comment?: string } }, string])[] } }

/** The map of each region of this host, table to ports. */
async function outsideMaps(): Promise<ReadonlyMap<string, readonly OutsidePort[]>> {
  const { nftables } = JSON.parse(await runTool('nft', ['-j', 'list', 'maps', 'inet'])) as { nftables: readonly ListedMap[] }
  return new Map(nftables.flatMap(({ map }) => map?.name === OUTSIDE_MAP ? [[map.table, (map.elem ?? []).map(portOf)] as const] : []))
}

function portOf([key, address]: NonNullable<NonNullable<ListedMap['map']>['elem']>[number]): OutsidePort {
  return typeof key === 'number' ? { port: key, clusterId: '', address } : { port: key.elem.val, clusterId: key.elem.comment ?? '', address }
}

const of = (settings: HostNetworkSettings): string => `inet ${tableName(settings)} ${OUTSIDE_MAP}`
