import { readdir } from 'node:fs/promises'
import { cidrOf, cidrsOverlap } from '#model/cidr.ts'
import { HostNetworkFailure, rangesInUse } from './choose.ts'
import { ensureFirewall, removeFirewall } from './firewall.ts'
import { raiseInotifyLimits, restoreInotifyLimits } from './inotify-limits.ts'
import { rememberKernelSettings, restoreKernelSettings } from './kernel-settings.ts'
import { allowForwarding, restoreForwarding } from './ip-forwarding.ts'
import type { OutsidePort } from './outside-ports.ts'
import { addressPool, type HostNetworkSettings } from './settings.ts'
import { runTool } from './tool.ts'

/**
 * Makes bridge, address, firewall rules and limits as the settings say; safe to repeat, and whole again after a reboot. `outside`: ports of this host by which
 * API servers are reached from outside; without the list nothing leads in. `overlay`: machines outside are part of the network, and reach these ports of the host. Throws HostNetworkFailure or ToolFailed.
 */
export async function ensureHostNetwork(settings: HostNetworkSettings, outside?: readonly OutsidePort[], overlay?: readonly number[]): Promise<void> {
  const inTheWay = await rangeInTheWay(settings)
  if (inTheWay !== undefined)
    throw new HostNetworkFailure(`The region's network ${settings.cidr} overlaps ${inTheWay}, which this host uses for something else now. Free that range; the region keeps its own, because clusters and machines have addresses in it.`)
  const { gateway, prefix } = addressPool(settings)
  if (!(await links()).includes(settings.bridge)) await runTool('ip', ['link', 'add', 'name', settings.bridge, 'type', 'bridge'])
  // A bridge without an address of its own takes over that of its first port, and everyone's neighbour table is wrong for a while when that port goes.
  await runTool('ip', ['-batch', '-'], {
    stdin: [
      `link set dev ${settings.bridge} address 02:00:${settings.hash.match(/../g)?.join(':')}`,
      `address replace ${gateway}/${prefix} brd + dev ${settings.bridge}`,
      `link set dev ${settings.bridge} up`,
    ].join('\n'),
  })
  if (settings.open || outside || overlay) await allowForwarding()
  await ensureFirewall(settings, { outsidePorts: outside, overlay })
  await raiseInotifyLimits()
  await rememberKernelSettings()
}

/** The range by which this host uses addresses of the region's network for something else now, if it does. */
export async function rangeInTheWay({ bridge, cidr }: Pick<HostNetworkSettings, 'bridge' | 'cidr'>): Promise<string | undefined> {
  return (await rangesInUse(bridge)).find(other => cidrsOverlap(cidrOf(other), cidrOf(cidr)))
}

/** Takes away all that `ensureHostNetwork` made; limits of the host go back when its last region goes. Already gone is success. Throws one AggregateError of what stayed. */
export async function removeHostNetwork(settings: HostNetworkSettings): Promise<void> {
  const failures: unknown[] = []
  const attempt = async (work: () => Promise<unknown>): Promise<void> => { await work().catch((error: unknown) => failures.push(error)) }
  await attempt(() => removeFirewall(settings))
  await attempt(async () => {
    if ((await links()).includes(settings.bridge)) await runTool('ip', ['link', 'delete', 'dev', settings.bridge])
  })
  const isLast = !(await links()).some(name => /^eh[0-9a-f]{8}$/.test(name))
  if (isLast) for (const restore of [restoreInotifyLimits, restoreForwarding, restoreKernelSettings]) await attempt(() => restore())
  if (failures.length > 0) throw new AggregateError(failures, `Parts of the network ${settings.bridge} could not be removed`)
}

const links = (): Promise<string[]> => readdir('/sys/class/net')
