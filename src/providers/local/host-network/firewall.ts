import type { HostNetworkSettings } from './settings.ts'
import { runTool, ToolFailed } from './tool.ts'

const table = (settings: HostNetworkSettings): string => `edgehold_${settings.hash}`

/** The rules as nft reads them: inside the bridge everything may pass; in and out only what is answered, forwarded by the host, or opened by the setting. */
export function firewallRules(settings: HostNetworkSettings): string {
  const bridge = JSON.stringify(settings.bridge)
  const outside = settings.open
    ? `    iifname ${bridge} accept\n`
    : `    iifname ${bridge} ct state established,related accept\n    iifname ${bridge} drop\n`
  const translation = settings.open
    ? `  chain outward {\n    type nat hook postrouting priority 100; policy accept;\n    ip saddr ${settings.cidr} oifname != ${bridge} masquerade\n  }\n`
    : ''
  // The first two lines make it a replacement in one transaction, whether the table was there or not.
  return `table inet ${table(settings)}
delete table inet ${table(settings)}
table inet ${table(settings)} {
  chain forward {
    type filter hook forward priority -10; policy accept;
    iifname ${bridge} oifname ${bridge} accept
${outside}    oifname ${bridge} ct state established,related accept
    oifname ${bridge} ct status dnat accept
    oifname ${bridge} drop
  }
${translation}}
`
}

/**
 * Puts the rules in place. An accept in a table of ours does not overrule a drop in another's, so where iptables (Docker, ufw) drops by policy,
 * an accept is put there too.
 */
export async function ensureFirewall(settings: HostNetworkSettings): Promise<void> {
  await runTool('nft', ['-f', '-'], { stdin: firewallRules(settings) })
  for (const chain of ['FORWARD', 'INPUT'] as const) {
    const listed = await listChain(chain)
    if (!listed?.includes(`-P ${chain} DROP`)) continue
    for (const rule of legacyRules(settings, chain)) if (!listed.includes(`-A ${chain} ${rule.join(' ')}`)) await runTool('iptables', ['-w', '-I', chain, ...rule])
  }
}

/** Takes every rule of ours away; already gone is success. */
export async function removeFirewall(settings: HostNetworkSettings): Promise<void> {
  await runTool('nft', ['-f', '-'], { stdin: `table inet ${table(settings)}\ndelete table inet ${table(settings)}\n` })
  for (const chain of ['FORWARD', 'INPUT'] as const) {
    const listed = await listChain(chain)
    for (const rule of legacyRules(settings, chain)) if (listed?.includes(`-A ${chain} ${rule.join(' ')}`)) await runTool('iptables', ['-w', '-D', chain, ...rule])
  }
}

/** In the very words in which `iptables -S` lists them, so that they are found again. */
function legacyRules(settings: HostNetworkSettings, chain: 'FORWARD' | 'INPUT'): readonly string[][] {
  const mark = ['-m', 'comment', '--comment', table(settings), '-j', 'ACCEPT']
  if (chain === 'INPUT') return [['-i', settings.bridge, ...mark]]
  const inside = ['-i', settings.bridge, '-o', settings.bridge, ...mark]
  return settings.open ? [inside, ['-i', settings.bridge, ...mark], ['-o', settings.bridge, ...mark]] : [inside]
}

/** The chain's rules one a line, or undefined where there is no iptables. */
async function listChain(chain: string): Promise<readonly string[] | undefined> {
  try {
    return (await runTool('iptables', ['-w', '-S', chain])).split('\n').map(line => line.trim())
  } catch (error) {
    // Without iptables, or without its kernel part, nobody can have put a dropping policy there.
    if (error instanceof ToolFailed) return undefined
    throw error
  }
}
