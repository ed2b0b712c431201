import { canonicalCidr, cidrContains, cidrOf, cidrsOverlap, parseCidr, type Cidr } from '../cidr.ts'
import { refuse } from '../errors/catalogue.ts'
import { missing, optionalTexts, refuseMember, type Members } from '../request.ts'

/** Ranges that no cluster can use for pods or Services: they mean something to every kernel. */
const SPECIAL: readonly { readonly range: Cidr; readonly what: string }[] = [
  { range: cidrOf('0.0.0.0/8'), what: 'this network' },
  { range: cidrOf('127.0.0.0/8'), what: 'loopback' },
  { range: cidrOf('169.254.0.0/16'), what: 'link-local addresses' },
  { range: cidrOf('224.0.0.0/3'), what: 'multicast and reserved addresses' },
]

/** Network address, the bridge's own and broadcast are no pod addresses. */
const NO_POD_ADDRESSES = 3

/** The prefix of each node's pod range: the smallest with room for 2 × MaxPodsPerNode pods, e.g. 24 for 64. */
export function nodeRangePrefix(maxPodsPerNode: number): number {
  return 32 - Math.ceil(Math.log2(2 * maxPodsPerNode + NO_POD_ADDRESSES))
}

/** The one pod range: well formed, with room for a node, and not more than 65,536 nodes (the controller manager's own limit). */
export function requiredPodRange(from: Members, maxPodsPerNode: number): readonly string[] {
  const [range, text] = requiredRange(from, 'PodCidrs')
  const prefix = nodeRangePrefix(maxPodsPerNode)
  if (range.prefix > prefix) refuseMember(from, 'PodCidrs', `${text} has no room for one node: with MaxPodsPerNode ${maxPodsPerNode} each takes a /${prefix}`)
  if (prefix - range.prefix > 16) refuseMember(from, 'PodCidrs', `${text} is too large: with MaxPodsPerNode ${maxPodsPerNode} it may be a /${prefix - 16} at most`)
  return [text]
}

/** The one Service range; room for the addresses of the API (the first) and of DNS (the tenth). */
export function requiredServiceRange(from: Members): readonly string[] {
  const [range, text] = requiredRange(from, 'ServiceCidrsv4')
  if (range.prefix < 12 || range.prefix > 28) refuseMember(from, 'ServiceCidrsv4', `${text} must be between a /12 and a /28`)
  return [text]
}

/** What a cluster's ranges may not overlap besides each other: ranges of clusters of the same VPC, and the region's own (its bridge). */
export interface TakenRange {
  readonly cidr: string
  /** Whose it is, as a phrase: `the pods of cluster shop`. */
  readonly by: string
}

export interface Ranged {
  readonly podCidrs: readonly string[]
  readonly serviceCidrs: readonly string[]
}

/** Throws Conflict.PodCidrs or Conflict.ServiceCidrsv4 if a range of the spec overlaps one of another cluster or a reserved one. */
export function checkClusterRanges(spec: Ranged, others: readonly (Ranged & { readonly name: string })[], reserved: readonly TakenRange[]): void {
  const taken = [
    ...reserved,
    ...others.flatMap(other => other.podCidrs.map(cidr => ({ cidr, by: `the pods of cluster ${other.name} have ${cidr}` }))),
    ...others.flatMap(other => other.serviceCidrs.map(cidr => ({ cidr, by: `the Services of cluster ${other.name} have ${cidr}` }))),
  ]
  for (const [parameter, cidrs] of [['PodCidrs', spec.podCidrs], ['ServiceCidrsv4', spec.serviceCidrs]] as const) {
    for (const cidr of cidrs) {
      const other = taken.find(range => cidrsOverlap(cidrOf(range.cidr), cidrOf(cidr)))
      if (other) refuse('Conflict.{Parameter}', { Parameter: parameter, value: cidr, by: other.by })
    }
  }
}

function requiredRange(from: Members, name: string): readonly [Cidr, string] {
  const texts = optionalTexts(from, name) ?? missing(from, name)
  const text = texts[0] ?? missing(from, name)
  if (texts.length > 1) refuseMember(from, name, 'one range is used; send exactly one')
  const range = parseCidr(text)
  const meant = canonicalCidr(text)
  if (!range) refuseMember(from, name, meant === undefined ? 'it is no IPv4 range such as 172.22.224.0/20' : `it has bits set beyond its prefix; ${meant} would be the range`)
  const special = SPECIAL.find(one => cidrsOverlap(one.range, range) || cidrContains(range, one.range))
  if (special) refuseMember(from, name, `it overlaps ${special.what}`)
  return [range, text]
}
