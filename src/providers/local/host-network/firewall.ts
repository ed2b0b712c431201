import { OUTSIDE_MAP, outsideElement, type OutsidePort } from './outside-ports.ts'
import { addressPool, overlayLink, tableName as table, type HostNetworkSettings } from './settings.ts'
import { runTool, ToolFailed } from './tool.ts'

const API_PORT = 6443

/** What leads into the region's network from outside; both absent: nothing. */
export interface WaysIn {
  /** Ports of this host that lead to API servers. */
  readonly outsidePorts?: readonly OutsidePort[] | undefined
  /** Machines outside are part of the network, and reach these TCP ports of this host, at the bridge's own address. */
  readonly overlay?: readonly number[] | undefined
}

/**
 * The rules as nft reads them: inside the bridge everything may pass, and between it and the overlay, which lets in members only; in and out otherwise only
 * what is answered, forwarded by the host, or opened by the setting. From the overlay nothing leads to the world outside, nor back, nor to what else listens on
 * this host: machines outside are not under its roof.
 */
export function firewallRules(settings: HostNetworkSettings, { outsidePorts, overlay }: WaysIn = {}): string {
  const bridge = JSON.stringify(settings.bridge)
  const over = JSON.stringify(overlayLink(settings.hash))
  const members = overlay
    ? `    iifname ${bridge} oifname ${over} accept\n    iifname ${over} oifname ${bridge} accept\n    iifname ${over} drop\n    oifname ${over} drop\n`
    : ''
  const outside = settings.open
    ? `    iifname ${bridge} accept\n`
    : `    iifname ${bridge} ct state established,related accept\n    iifname ${bridge} drop\n`
  const translation = settings.open
    ? `  chain outward {\n    type nat hook postrouting priority 100; policy accept;\n    ip saddr ${settings.cidr} oifname != { ${bridge}, ${over} } masquerade\n  }\n`
    : ''
  // The first two lines make it a replacement in one transaction, whether the table was there or not.
  return `table inet ${table(settings)}
delete table inet ${table(settings)}
table inet ${table(settings)} {
  chain forward {
    type filter hook forward priority -10; policy accept;
    iifname ${bridge} oifname ${bridge} accept
${members}${outside}    oifname ${bridge} ct state established,related accept
    oifname ${bridge} ct status dnat accept
    oifname ${bridge} drop
  }
${overlay ? toHost(settings, overlay) : ''}${translation}${outsidePorts ? waysIn(settings, outsidePorts) : ''}}
`
}

function toHost(settings: HostNetworkSettings, ports: readonly number[]): string {
  const over = `iifname ${JSON.stringify(overlayLink(settings.hash))}`
  const open = ports.length === 0 ? '' : `    ${over} ip daddr ${addressPool(settings).gateway} tcp dport { ${ports.join(', ')} } accept\n`
  return `  chain input {
    type filter hook input priority -10; policy accept;
    ${over} ct state established,related accept
    ${over} meta l4proto icmp accept
${open}    ${over} drop
  }
`
}

/**
 * From outside and from this host itself, a cluster's port leads to its API server. Answers find back by themselves, since the bridge is the namespace's way
 * out; only who is on the bridge would be answered past us, so its address is translated as well. Loopback is left out: its packets do not leave it.
 */
function waysIn(settings: HostNetworkSettings, ports: readonly OutsidePort[]): string {
  const lead = `fib daddr type local ip daddr != 127.0.0.0/8 dnat ip to tcp dport map @${OUTSIDE_MAP} : ${API_PORT}`
  return `  map ${OUTSIDE_MAP} {
    type inet_service : ipv4_addr
${ports.length === 0 ? '' : `    elements = { ${ports.map(outsideElement).join(', ')} }\n`}  }
  chain outside_in {
    type nat hook prerouting priority -100; policy accept;
    ${lead}
  }
  chain outside_own {
    type nat hook output priority -100; policy accept;
    ${lead}
  }
  chain outside_back {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${settings.cidr} oifname ${JSON.stringify(settings.bridge)} ct status dnat masquerade
  }
`
}

/**
 * Puts the rules in place. An accept in a table of ours does not overrule a drop in another's, so where iptables (Docker, ufw) drops by policy,
 * an accept is put there too.
 */
export async function ensureFirewall(settings: HostNetworkSettings, ways: WaysIn = {}): Promise<void> {
  await runTool('nft', ['-f', '-'], { stdin: firewallRules(settings, ways) })
  for (const chain of ['FORWARD', 'INPUT'] as const) {
    const listed = await listChain(chain)
    if (!listed?.includes(`-P ${chain} DROP`)) continue
    const wanted = legacyRules(settings, chain, ways)
    for (const rule of wanted) if (!listed.includes(`-A ${chain} ${rule.join(' ')}`)) await runTool('iptables', ['-w', '-I', chain, ...rule])
    const words = new Set(wanted.map(rule => rule.join(' ')))
    await removeLegacy(chain, listed, allLegacyRules(settings, chain).filter(rule => !words.has(rule.join(' '))))
  }
}

/** Takes every rule of ours away; already gone is success. */
export async function removeFirewall(settings: HostNetworkSettings): Promise<void> {
  await runTool('nft', ['-f', '-'], { stdin: `table inet ${table(settings)}\ndelete table inet ${table(settings)}\n` })
  for (const chain of ['FORWARD', 'INPUT'] as const) {
    const listed = await listChain(chain)
    await removeLegacy(chain, listed, allLegacyRules(settings, chain))
  }
}

async function removeLegacy(chain: Chain, listed: readonly string[] | undefined, rules: readonly string[][]): Promise<void> {
  for (const rule of rules) if (listed?.includes(`-A ${chain} ${rule.join(' ')}`)) await runTool('iptables', ['-w', '-D', chain, ...rule])
}

type Chain = 'FORWARD' | 'INPUT'

/** In the very words in which `iptables -S` lists them, so that they are found again. */
function legacyRules({ hash, bridge, open }: HostNetworkSettings, chain: Chain, { outsidePorts, overlay }: WaysIn): readonly string[][] {
  const accept = ['-m', 'comment', '--comment', table({ hash }), '-j', 'ACCEPT']
  const over = overlayLink(hash)
  if (chain === 'INPUT') return [['-i', bridge, ...accept], ...(overlay ? [['-i', over, ...accept]] : [])]
  return [
    ['-i', bridge, '-o', bridge, ...accept],
    ...(open ? [['-i', bridge, ...accept], ['-o', bridge, ...accept]] : []),
    // What was led in by a port of this host, and the answers to it.
    ...(outsidePorts ? [['-o', bridge, '-m', 'conntrack', '--ctstate', 'DNAT', ...accept], ['-i', bridge, '-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED', ...accept]] : []),
    ...(overlay ? [['-i', bridge, '-o', over, ...accept], ['-i', over, '-o', bridge, ...accept]] : []),
  ]
}

/** Whatever may be there of any setting. */
const allLegacyRules = (settings: HostNetworkSettings, chain: Chain): readonly string[][] => legacyRules({ ...settings, open: true }, chain, { outsidePorts: [], overlay: [] })

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
