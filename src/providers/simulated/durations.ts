import type { Span } from './world/draw.ts'

/** How long things take in a world; each is drawn per thing. Whole ms. */
export interface Durations {
  /** From the start of a control plane to a usable API. */
  readonly controlPlane: Span
  /** From power-on until a machine's system is up. */
  readonly boot: Span
  /** From the script's line to the kubelet's first word. */
  readonly join: Span
  /** From a pod's place on a node until it runs, its image pulled. */
  readonly pod: Span
  /** An outside thing: a load balancer, a NAT, a disk. */
  readonly outside: Span
}

const SECOND = 1_000
/** Control planes and joins take what real ones took when their programs were at hand, and machines what virtual ones of a cloud take. */
export const USUAL_DURATIONS: Durations = {
  controlPlane: [8 * SECOND, 15 * SECOND], boot: [5 * SECOND, 12 * SECOND], join: [4 * SECOND, 8 * SECOND], pod: [SECOND, 4 * SECOND], outside: [SECOND, 3 * SECOND],
}

/** The parts of a join, of all its time; what comes before contact is counted with the preflight. The rest is the kubelet's own start. */
export const PREFLIGHT_SHARE = 0.1, DOWNLOAD_SHARE = 0.6

/** From silence until Kubernetes calls a node Unknown: its grace time, and up to one period of its monitor. */
export const GRACE: Span = [40 * SECOND, 45 * SECOND]
/** How old a node's last heartbeat is when it falls silent. */
export const HEARTBEAT_AGE: Span = [0, 10 * SECOND]
export const HEARTBEAT_MS = 10 * SECOND
/** From a healed link or a returned API until the kubelet is heard again. */
export const HEARD_AGAIN: Span = [500, 5 * SECOND]
