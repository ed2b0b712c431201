import { readdir, writeFile } from 'node:fs/promises'
import { runTool, ToolFailed } from '../host-network/tool.ts'
import { overlayPlaces } from './places.ts'

/**
 * The host's way to pods of machines outside, for packets from the region's bridge alone: API servers call webhooks and aggregated APIs by pod address. The
 * table is the region's own, so that the host's other ways, and those of another region with the same pod range, stay what they are.
 */
export async function ensureOverlayRoutes(hash: string, podCidrs: readonly string[]): Promise<void> {
  const { link, bridge, table, priority } = overlayPlaces(hash)
  // Answers of pods come from addresses that the main table does not lead to this device.
  await writeFile(`/proc/sys/net/ipv4/conf/${link}/rp_filter`, '2')
  const rules = JSON.parse(await runTool('ip', ['-4', '-j', 'rule', 'list', 'priority', priority]) || '[]') as { iif?: string; table?: string }[]
  if (!rules.some(rule => rule.iif === bridge && rule.table === table)) await runTool('ip', ['-4', 'rule', 'add', 'priority', priority, 'iif', bridge, 'lookup', table])
  const present = (await routesOf(table)).map(({ dst }) => dst)
  const lines = [
    ...present.filter(dst => !podCidrs.includes(dst)).map(dst => `route delete ${dst} table ${table}`),
    ...podCidrs.filter(dst => !present.includes(dst)).map(dst => `route replace ${dst} dev ${link} table ${table}`),
  ]
  if (lines.length > 0) await runTool('ip', ['-4', '-batch', '-'], { stdin: lines.join('\n') })
}

/** Takes the table and what leads into it away; already gone is success. The device goes with the overlay's process. */
export async function removeOverlayRoutes(hash: string): Promise<void> {
  const { link, bridge, table, priority } = overlayPlaces(hash)
  const rules = JSON.parse(await runTool('ip', ['-4', '-j', 'rule', 'list', 'priority', priority]) || '[]') as { iif?: string; table?: string }[]
  for (const rule of rules) if (rule.iif === bridge) await runTool('ip', ['-4', 'rule', 'delete', 'priority', priority, 'iif', bridge, 'lookup', rule.table ?? table])
  if ((await routesOf(table)).length > 0) await runTool('ip', ['-4', 'route', 'flush', 'table', table])
  if ((await readdir('/sys/class/net')).includes(link)) await runTool('ip', ['link', 'delete', 'dev', link])
}

async function routesOf(table: string): Promise<readonly { dst: string }[]> {
  try {
    return JSON.parse(await runTool('ip', ['-4', '-j', 'route', 'show', 'table', table]) || '[]') as { dst: string }[]
  } catch (error) {
    // A table that no route was ever put into is not there.
    if (error instanceof ToolFailed && error.exitCode === 2) return []
    throw error
  }
}
