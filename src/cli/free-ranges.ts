import type { Cluster } from '#client/calls.ts'
import { cidrOf, cidrText, freeRange, parseCidr, type Cidr } from '#model/cidr.ts'
import { CommandFailed } from './errors.ts'

/** Where ranges are looked for, in this order. Pods of 256 nodes, 4,096 Services. */
const POD_BLOCKS = ['172.20.0.0/14', '172.24.0.0/14', '10.128.0.0/9']
const SERVICE_BLOCKS = ['172.30.0.0/15', '172.28.0.0/15', '10.96.0.0/12']
const POD_PREFIX = 16
const SERVICE_PREFIX = 20

export interface Ranges { readonly pods: string; readonly services: string }

/** Ranges that no cluster listed has, apart from each other and from those the server refused before. */
export function pickRanges(clusters: readonly Pick<Cluster, 'PodsConfig' | 'ServicesConfig'>[], wanted: { pods?: string | undefined; services?: string | undefined }, refused: readonly string[]): Ranges {
  const taken = [...clusters.flatMap(rangesOf), ...refused, ...[wanted.pods, wanted.services].filter(text => text !== undefined)].map(parseCidr).filter(range => range !== undefined)
  const pods = wanted.pods ?? cidrText(firstFree(POD_BLOCKS, POD_PREFIX, taken, 'pods', '--pod-cidr'))
  const services = wanted.services ?? cidrText(firstFree(SERVICE_BLOCKS, SERVICE_PREFIX, [...taken, ...[parseCidr(pods)].filter(range => range !== undefined)], 'Services', '--service-cidr'))
  return { pods, services }
}

function rangesOf(cluster: Pick<Cluster, 'PodsConfig' | 'ServicesConfig'>): readonly string[] {
  const pods = 'FlannelConfig' in cluster.PodsConfig ? cluster.PodsConfig.FlannelConfig.PodCidrs : []
  return [...pods, ...cluster.ServicesConfig.ServiceCidrsv4]
}

function firstFree(blocks: readonly string[], prefix: number, taken: readonly Cidr[], what: string, flag: string): Cidr {
  for (const block of blocks) {
    const found = freeRange(cidrOf(block), prefix, taken)
    if (found) return found
  }
  throw new CommandFailed(`No free range for ${what} was found in ${blocks.join(', ')}; name one with ${flag}.`)
}
