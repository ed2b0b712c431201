/**
 * The encrypted network by which machines outside of a region's own network are part of it. A machine keeps its address in it for as long as its name is
 * reserved; its papers end by themselves and are renewed while it is a member.
 */
export interface Overlay {
  /** Whether a machine that calls from there is outside; callers on the region's network and on this host are not. */
  isOutside(address: string): boolean
  /** The addresses that machines get. */
  readonly pool: { readonly first: string; readonly last: string }
  /** What a machine must know before it has papers. */
  readonly entrance: OverlayEntrance
  /**
   * The papers of a member, recorded before they are answered; `same` where what it has (`have`, a word of ours) is still right. From then on the machine is
   * let in. Throws OverlayAway, OverlayKeyRefused, OverlayRangeTaken, ComponentMissing where the overlay's programs are not there.
   */
  papersFor(member: OverlayMember, have: string): Promise<OverlayPapers | 'same'>
}

export interface OverlayEntrance {
  /** `HOST:PORT` (UDP) of the region's end, as machines reach it. */
  readonly server: string
  /** Ranges to which the way leads through the overlay. Machines must not use them otherwise. */
  readonly ranges: readonly string[]
}

export interface OverlayMember {
  readonly clusterId: string
  /** From which its name in the overlay follows. */
  readonly secretHash: string
  /** Of the pool. */
  readonly address: string
  /** The cluster's pod ranges: packets of its pods keep their addresses. */
  readonly podCidrs: readonly string[]
  /** PEM; its private half never left the machine. */
  readonly publicKey: string
}

export interface OverlayPapers {
  /** The settings file of the overlay's program on the machine, certificates included; the private key is beside it as `key`. */
  readonly settings: string
  /** To be sent as `have` next time. */
  readonly have: string
}

/** It does not work yet, or not now; the message is a sentence. */
export class OverlayAway extends Error {
  readonly kind = 'OverlayAway'
}

/** The machine sent no public key that a certificate could be made of. */
export class OverlayKeyRefused extends Error {
  readonly kind = 'OverlayKeyRefused'
}

/** Another cluster with such pod addresses has machines in the overlay; the message is a sentence. */
export class OverlayRangeTaken extends Error {
  readonly kind = 'OverlayRangeTaken'
}
