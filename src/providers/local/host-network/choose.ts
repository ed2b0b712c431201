import { canonicalCidr, cidrOf, cidrText, freeRange, nthAddress, type Cidr } from '#model/cidr.ts'
import { overlayLink, RANGE_PREFIX as PREFIX, stateHash, type HostNetworkSettings } from './settings.ts'
import { runTool } from './tool.ts'

/** In the order they are tried. The first block is little used by container engines, home routers and the pod ranges of examples. */
const BLOCKS = ['10.192.0.0/11', '10.64.0.0/10', '172.28.0.0/14', '192.168.0.0/16'] as const

/** A region with fewer addresses would be full after some clusters. */
const SMALLEST_PREFIX = 26

/** No private range is free on this host; the message says which blocks were tried. */
export class HostNetworkFailure extends Error {
  readonly kind = 'HostNetworkFailure'
}

/** Chooses names and a range that nothing on this host uses now. `avoid`: ranges to leave alone beside those; `within`: the one block to look in. */
export async function chooseHostNetwork(hash: string, options: { open?: boolean; avoid?: readonly string[]; within?: string } = {}): Promise<HostNetworkSettings> {
  const taken = [...await rangesInUse(), ...(options.avoid ?? [])]
  return { hash, bridge: `eh${hash}`, cidr: options.within === undefined ? chooseRange(hash, taken) : chooseWithin(options.within, taken), open: options.open ?? false }
}

/** A range for the overlay of a region that has its own network already; `avoid`: ranges of its clusters. Named and unnamed blocks as there. */
export async function chooseOverlayRange(settings: Pick<HostNetworkSettings, 'hash' | 'cidr'>, avoid: readonly string[], within?: string): Promise<string> {
  const taken = [...await rangesInUse(overlayLink(settings.hash)), settings.cidr, ...avoid]
  return within === undefined ? chooseRange(stateHash(`${settings.hash}/overlay`), taken) : chooseWithin(within, taken)
}

/** The first free range of a block that the operator named; a block no larger than a region's range is taken whole. */
export function chooseWithin(block: string, taken: readonly string[]): string {
  const canonical = canonicalCidr(block)
  if (canonical === undefined || cidrOf(canonical).prefix > SMALLEST_PREFIX)
    throw new HostNetworkFailure(`The range ${block} that the configuration names for the region's network must be a block such as 10.213.0.0/16, at least a /${SMALLEST_PREFIX}.`)
  const within = cidrOf(canonical)
  const free = freeRange(within, Math.max(PREFIX, within.prefix), taken.map(cidrOf))
  if (!free) throw new HostNetworkFailure(`The range ${block} that the configuration names for the region's network is in use on this host. Name another, or none.`)
  return cidrText(free)
}

/** A free range for that hash. Two state folders that choose at the same moment start looking in different places. */
export function chooseRange(hash: string, taken: readonly string[]): string {
  const inUse = taken.map(cidrOf)
  const home = cidrOf(BLOCKS[0])
  const start = Number.parseInt(hash.slice(0, 4), 16) % 2 ** (PREFIX - home.prefix)
  const own: Cidr = { first: cidrOf(`${nthAddress(home, start * 2 ** (32 - PREFIX))}/${PREFIX}`).first, prefix: PREFIX }
  for (const block of [own, ...BLOCKS.map(cidrOf)]) {
    const free = freeRange(block, PREFIX, inUse)
    if (free) return cidrText(free)
  }
  throw new HostNetworkFailure(`No free /${PREFIX} was found for the region's network in ${BLOCKS.join(', ')}: all of them overlap routes or addresses of this host. Remove an unused route or name a range in the configuration.`)
}

/** Ranges that this host routes or has addresses in, the default route left out; `except`: an interface that does not count. */
export async function rangesInUse(except?: string): Promise<readonly string[]> {
  const routes = JSON.parse(await runTool('ip', ['-4', '-j', 'route', 'show', 'table', 'all'])) as { dst?: string; dev?: string; type?: string }[]
  const links = JSON.parse(await runTool('ip', ['-4', '-j', 'address', 'show'])) as { ifname: string; addr_info?: { local?: string; prefixlen?: number }[] }[]
  const ranges = [
    ...routes.filter(route => route.dev !== except && route.dst !== undefined && route.dst !== 'default').map(route => route.dst as string),
    ...links.filter(link => link.ifname !== except).flatMap(link => (link.addr_info ?? []).map(address => `${address.local}/${address.prefixlen}`)),
  ]
  return [...new Set(ranges.flatMap(range => canonicalCidr(range.includes('/') ? range : `${range}/32`) ?? []))]
}
