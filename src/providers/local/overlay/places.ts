import { cidrOf, nthAddress } from '#model/cidr.ts'
import { overlayLink, type HostNetworkSettings } from '../host-network/settings.ts'

/** One region's overlay on its own host. */
export interface OverlaySettings {
  readonly network: HostNetworkSettings
  /** The overlay's own range. */
  readonly cidr: string
  /** Name or address of this host by which machines outside reach it. */
  readonly host: string
  /** UDP, on this host. */
  readonly port: number
}

/** Addresses of an overlay: the first is the region's own end. */
export function overlayAddresses(cidr: string): { readonly own: string; readonly first: string; readonly last: string; readonly prefix: number } {
  const range = cidrOf(cidr)
  return { own: nthAddress(range, 1), first: nthAddress(range, 2), last: nthAddress(range, -2), prefix: range.prefix }
}

/** What of the host belongs to the overlay of one state folder: the device, and the table of routes that only packets from the bridge look into. */
export function overlayPlaces(hash: string): { readonly link: string; readonly bridge: string; readonly table: string; readonly priority: string } {
  return { link: overlayLink(hash), bridge: `eh${hash}`, table: String(1_000 + (Number.parseInt(hash, 16) % 2 ** 30)), priority: '7400' }
}
