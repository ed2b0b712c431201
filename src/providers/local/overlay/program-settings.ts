import { overlayAddresses, overlayPlaces, type OverlaySettings } from './places.ts'

/** Leaves room for the overlay's own headers in packets of 1500 bytes and of less, as on lines with a tunnel of their own. */
export const OVERLAY_MTU = 1_300

/** The group of the region's own end; machines have that of their cluster. */
export const REGION_GROUP = 'region'

/** Certificates and key as texts of PEM. */
export interface OwnPapers {
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

/** Who is let in now, by the names in their certificates; whose certificates are refused although they have not ended; and where pods are. */
export interface Admitted {
  readonly names: readonly string[]
  readonly refused: readonly string[]
  readonly routes: readonly { readonly podCidr: string; readonly via: string }[]
}

const ANY = { port: 'any', proto: 'any' } as const
/** Without it nebula's rules are for the own address alone, and not for those behind it. */
const FOR_ALL = { local_cidr: '0.0.0.0/0' } as const

/**
 * nebula's settings on this host: lighthouse, relay and router. It lets in, by name, only who is a member now, into the region's network; and leads to the
 * pods of each machine. JSON, which is YAML.
 */
export function regionSettings({ network, cidr, port }: OverlaySettings, papers: OwnPapers, { names, refused, routes }: Admitted): object {
  const { link } = overlayPlaces(network.hash)
  return {
    pki: { ca: papers.authority, cert: papers.certificate, key: papers.key, blocklist: refused, disconnect_invalid: true },
    // Nobody's way into the overlay leads through the region or the overlay itself.
    lighthouse: { am_lighthouse: true, remote_allow_list: { '0.0.0.0/0': true, [network.cidr]: false, [cidr]: false } },
    listen: { host: '0.0.0.0', port },
    punchy: { punch: true, respond: true },
    relay: { am_relay: true, use_relays: false },
    // The routes of the host itself are ours to make, in a table of their own: pods' ranges may be used elsewhere on this host.
    tun: { dev: link, mtu: OVERLAY_MTU, unsafe_routes: routes.map(({ podCidr, via }) => ({ route: podCidr, via, install: false })) },
    logging: { level: 'warning' },
    firewall: {
      outbound: [{ ...ANY, host: 'any', ...FOR_ALL }],
      inbound: [{ port: 'any', proto: 'icmp', host: 'any' }, ...names.map(name => ({ ...ANY, host: name, local_cidr: network.cidr }))],
    },
  }
}

/** nebula's settings on a machine: the region may reach it and its pods, machines of its own cluster may reach it itself, and it reaches the region. */
export function machineSettings({ network, cidr, host, port }: OverlaySettings, papers: Omit<OwnPapers, 'key'>, { clusterId, refused }: { clusterId: string; refused: readonly string[] }): object {
  const { own } = overlayAddresses(cidr)
  return {
    pki: { ca: papers.authority, cert: papers.certificate, key: '/etc/edgehold/overlay/key', blocklist: refused, disconnect_invalid: true },
    static_host_map: { [own]: [`${host}:${port}`] },
    lighthouse: {
      hosts: [own], interval: 30,
      remote_allow_list: { '0.0.0.0/0': true, [network.cidr]: false, [cidr]: false },
      // Addresses that pods have are nothing to tell others.
      local_allow_list: { interfaces: { 'edgehold.*': false, 'flannel.*': false, 'veth.*': false, 'cni.*': false, 'docker.*': false, 'br-.*': false } },
    },
    listen: { host: '0.0.0.0', port: 0 },
    punchy: { punch: true, respond: true },
    relay: { relays: [own], use_relays: true },
    tun: { dev: 'edgehold0', mtu: OVERLAY_MTU, unsafe_routes: [{ route: network.cidr, via: own }] },
    logging: { level: 'warning' },
    firewall: {
      outbound: [{ ...ANY, host: 'any', ...FOR_ALL }],
      inbound: [{ ...ANY, group: REGION_GROUP, ...FOR_ALL }, { ...ANY, group: clusterId }],
    },
  }
}
