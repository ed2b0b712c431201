import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cidrOf, cidrsOverlap, cidrText } from '#model/cidr.ts'
import { chooseRange, chooseWithin, HostNetworkFailure } from './choose.ts'
import { firewallRules } from './firewall.ts'
import { outsidePort, portsOpenToOthers } from './outside-ports.ts'
import { addressPool, linkName, overlayLink, stateHash } from './settings.ts'

const settings = { hash: '1234abcd', bridge: 'eh1234abcd', cidr: '10.213.16.0/20', open: false }

test('the chosen range overlaps nothing that is in use', () => {
  const hash = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(n => n.toString(16).padStart(8, '0'))
  const range = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 10, max: 24 }))
    .map(([a, b, prefix]) => cidrText({ first: Math.floor((10 * 2 ** 24 + a * 2 ** 16 + b * 2 ** 8) / 2 ** (32 - prefix)) * 2 ** (32 - prefix), prefix }))
  fc.assert(fc.property(hash, fc.array(range, { maxLength: 12 }), (aHash, taken) => {
    const chosen = cidrOf(chooseRange(aHash, taken))
    assert.equal(chosen.prefix, 20)
    for (const other of taken) assert.ok(!cidrsOverlap(chosen, cidrOf(other)), other)
  }))
})

test('state folders start looking in different places', () => {
  assert.notEqual(chooseRange('00010000', []), chooseRange('00020000', []))
  // One that is down holds no range that could be seen, so few may look in the same place first.
  assert.notEqual(chooseRange('00010000', []), chooseRange('00210000', []))
})

test('a host that uses every private block is told so', () => {
  assert.throws(() => chooseRange('1234abcd', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']), HostNetworkFailure)
})

test('the pool leaves out the network, the gateway and the broadcast address', () => {
  assert.deepEqual(addressPool(settings), { gateway: '10.213.16.1', first: '10.213.16.2', last: '10.213.31.254', prefix: 20 })
})

test('names fit into the kernel’s 15 characters and belong to one state folder', () => {
  assert.ok(linkName(settings.hash, 'c0123456789abcdefghij').length <= 15)
  assert.notEqual(linkName('1234abcd', 'c1'), linkName('1234abce', 'c1'))
  assert.match(stateHash('/var/lib/edgehold'), /^[0-9a-f]{8}$/)
})

test('nothing leaves a closed region, and an open one is translated', () => {
  assert.match(firewallRules(settings), /iifname "eh1234abcd" drop/)
  assert.doesNotMatch(firewallRules(settings), /masquerade/)
  assert.match(firewallRules({ ...settings, open: true }), /ip saddr 10\.213\.16\.0\/20 oifname != \{ "eh1234abcd", "e1234ab[0-9a-f]{7}" \} masquerade/)
})

test('a host port leads to a cluster only where that is wanted, and closing it to those on the bridge would leave them unanswered', () => {
  assert.doesNotMatch(firewallRules(settings), /dnat (ip )?to|api_servers/)
  const rules = firewallRules(settings, { outsidePorts: [{ clusterId: 'c1', address: '10.213.16.2', port: 26_002 }, { clusterId: 'c2', address: '10.213.16.3', port: 26_003 }] })
  assert.match(rules, /elements = \{ 26002 comment "c1" : 10\.213\.16\.2, 26003 comment "c2" : 10\.213\.16\.3 \}/)
  for (const hook of ['prerouting', 'output']) assert.match(rules, new RegExp(`hook ${hook} .*\\n.*dnat ip to tcp dport map @api_servers : 6443`))
  assert.match(rules, /ip saddr 10\.213\.16\.0\/20 oifname "eh1234abcd" ct status dnat masquerade/)
  assert.doesNotMatch(firewallRules(settings, { outsidePorts: [] }), /elements/)
})

test('between bridge and overlay everything may pass, and from the overlay nothing goes elsewhere', () => {
  const link = overlayLink(settings.hash)
  assert.doesNotMatch(firewallRules(settings), new RegExp(link))
  const rules = firewallRules({ ...settings, open: true }, { overlay: [] }).split('\n').map(line => line.trim())
  const place = (rule: string): number => {
    assert.ok(rules.includes(rule), rule)
    return rules.indexOf(rule)
  }
  const ways = [place(`iifname "eh1234abcd" oifname "${link}" accept`), place(`iifname "${link}" oifname "eh1234abcd" accept`)]
  const ends = [place(`iifname "${link}" drop`), place(`oifname "${link}" drop`)]
  assert.ok(Math.max(...ways) < Math.min(...ends) && Math.max(...ends) < place('iifname "eh1234abcd" accept'))
})

test('of the host itself machines outside reach the named ports of the bridge’s address only', () => {
  const link = overlayLink(settings.hash)
  const [, chain = ''] = /chain input \{\n([^]*?)\n {2}\}/.exec(firewallRules(settings, { overlay: [5000, 7443] })) ?? []
  assert.deepEqual(chain.split('\n').slice(1).map(line => line.trim()), [
    `iifname "${link}" ct state established,related accept`, `iifname "${link}" meta l4proto icmp accept`,
    `iifname "${link}" ip daddr 10.213.16.1 tcp dport { 5000, 7443 } accept`, `iifname "${link}" drop`,
  ])
  assert.doesNotMatch(firewallRules(settings, { overlay: [] }), /dport \{ *\}/)
  assert.doesNotMatch(firewallRules(settings), /chain input/)
})

test('each address of the range has a port of its own, the same each time', () => {
  const { first, last } = addressPool(settings)
  assert.deepEqual([first, '10.213.17.0', last].map(address => outsidePort(settings, 26_000, address)), [26_002, 26_256, 30_094])
})

test('what listens on loopback only does not take a port from the outside', () => {
  const line = (address: string, port: string, state = '0A'): string => `   0: ${address}:${port} 00000000:0000 ${state} 00000000\n`
  const table = `  sl  local_address rem_address   st\n${line('00000000', '6592')}${line('0100007F', '6593')}${line('0100A8C0', '6594', '01')}${line('00000000000000000000000001000000', '6595')}${line('00000000000000000000000000000000', '6596')}`
  assert.deepEqual([...portsOpenToOthers(table)], [0x6592, 0x6596])
})

test('a block that the operator named is used and nothing else', () => {
  assert.equal(chooseWithin('10.213.0.0/16', []), '10.213.0.0/20')
  assert.equal(chooseWithin('10.213.0.0/16', ['10.213.3.0/24']), '10.213.16.0/20')
  assert.equal(chooseWithin('192.168.77.0/24', []), '192.168.77.0/24')
  assert.throws(() => chooseWithin('192.168.77.0/24', ['192.168.0.0/16']), HostNetworkFailure)
  for (const wrong of ['10.0.0.0', 'here', '10.0.0.0/30']) assert.throws(() => chooseWithin(wrong, []), HostNetworkFailure)
})
