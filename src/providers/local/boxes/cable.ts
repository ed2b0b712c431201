import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { hardwareAddress } from '../host-network/settings.ts'
import { errorCode } from './cgroups.ts'
import { HostCommandFailed, runOnHost } from './host-command.ts'
import type { BoxNames } from './names.ts'

/** The bridge that a region's machines hang on. */
export interface BoxNetwork {
  readonly bridge: string
  /** The host's address on the bridge; the boxes' way to everything else. */
  readonly gateway: string
  readonly prefixLength: number
}

/** Makes the box's network namespace and its cable into the bridge anew. */
export async function plugIn(names: BoxNames, network: BoxNetwork, address: string, link: 'up' | 'cut'): Promise<void> {
  await unplug(names)
  await runOnHost(['ip', 'netns', 'add', names.netns])
  await runOnHost(['ip', '-batch', '-'], {
    stdin: [
      `link add ${names.veth} type veth peer name eth0 address ${hardwareAddress(address)} netns ${names.netns}`,
      `link set ${names.veth} master ${network.bridge}`,
      `link set ${names.veth} ${link === 'up' ? 'up' : 'down'}`,
      '',
    ].join('\n'),
  })
  await runOnHost(['ip', '-netns', names.netns, '-batch', '-'], {
    stdin: [
      'link set lo up',
      `address add ${address}/${network.prefixLength} dev eth0`,
      'link set eth0 up',
      `route add default via ${network.gateway}`,
      '',
    ].join('\n'),
  })
}

/** Takes namespace and cable away; already gone is success. */
export async function unplug(names: BoxNames): Promise<void> {
  if (linkState(names) !== undefined) await tolerateGone(runOnHost(['ip', 'link', 'delete', names.veth]), () => linkState(names) === undefined)
  if ((await namespaces()).includes(names.netns)) await tolerateGone(runOnHost(['ip', 'netns', 'delete', names.netns]), async () => !(await namespaces()).includes(names.netns))
}

export async function setLink(names: BoxNames, link: 'up' | 'cut'): Promise<void> {
  await runOnHost(['ip', 'link', 'set', names.veth, link === 'up' ? 'up' : 'down'])
}

/** The host's end of the cable, as the kernel shows it; `undefined`: no cable. */
export function linkState(names: BoxNames): 'up' | 'cut' | undefined {
  try {
    const flags = Number.parseInt(readFileSync(`/sys/class/net/${names.veth}/flags`, 'utf8'), 16)
    return flags & 1 ? 'up' : 'cut'
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'EINVAL'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}

async function namespaces(): Promise<readonly string[]> {
  try {
    return await readdir('/run/netns')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

/** The box's waiter takes the same things away when the box ends; whoever comes second finds them gone. */
async function tolerateGone(removal: Promise<string>, isGone: () => boolean | Promise<boolean>): Promise<void> {
  try {
    await removal
  } catch (error) {
    if (!(error instanceof HostCommandFailed) || !(await isGone())) throw error
  }
}
