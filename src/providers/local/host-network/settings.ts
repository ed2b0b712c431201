import { createHash } from 'node:crypto'
import { cidrOf, nthAddress } from '#model/cidr.ts'

/** Of every region's range: room for 4,093 clusters and machines. */
export const RANGE_PREFIX = 20

/** The region's own network on this host. Chosen once, then remembered by the caller: names and addresses outlive restarts and reboots. */
export interface HostNetworkSettings {
  /** Eight hexadecimal digits that stand for the state folder in every name we give on the host. */
  readonly hash: string
  /** At most 15 characters, the kernel's limit. */
  readonly bridge: string
  readonly cidr: string
  /** Machines and clusters may reach the world outside by address translation; false keeps them inside. */
  readonly open: boolean
  /** The range of the overlay by which machines outside are part of the network; undefined until something was advertised for the first time. */
  readonly overlay?: string
}

/** Addresses of the network. The gateway is the bridge's own: registry and join listener answer there; clusters and machines get first to last. */
export interface AddressPool {
  readonly gateway: string
  readonly first: string
  readonly last: string
  readonly prefix: number
}

/** The hash of a state folder's absolute path. */
export function stateHash(stateFolder: string): string {
  return createHash('sha256').update(stateFolder).digest('hex').slice(0, 8)
}

/** The nftables table in which all rules of one state folder stand. */
export function tableName(settings: Pick<HostNetworkSettings, 'hash'>): string {
  return `edgehold_${settings.hash}`
}

export function addressPool(settings: HostNetworkSettings): AddressPool {
  const range = cidrOf(settings.cidr)
  return { gateway: nthAddress(range, 1), first: nthAddress(range, 2), last: nthAddress(range, -2), prefix: range.prefix }
}

/** A name of at most 15 characters for the host's end of something's link to the bridge; the same owner gets the same name. */
export function linkName(hash: string, owner: string): string {
  return `e${hash.slice(0, 6)}${createHash('sha256').update(`${hash}/${owner}`).digest('hex').slice(0, 7)}`
}

/** The overlay's device on this host. */
export function overlayLink(hash: string): string {
  return linkName(hash, 'overlay')
}

/**
 * The hardware address that belongs to an address of the network. Whoever gets the address next, or again, has the same one: else everyone's neighbour
 * table would be wrong for up to a minute, and connections would hang for as long.
 */
export function hardwareAddress(address: string): string {
  return ['02', '65', ...address.split('.').map(part => Number(part).toString(16).padStart(2, '0'))].join(':')
}
