import assert from 'node:assert/strict'
import type { NetworkInterfaceInfo } from 'node:os'
import { test } from 'node:test'
import { publicAddresses } from './listen-for-machines.ts'

const at = (address: string, internal = false) => [{ address, netmask: '', family: 'IPv4', mac: '', internal, cidr: null }] satisfies NetworkInterfaceInfo[]
const host = { lo: at('127.0.0.1', true), eth0: at('192.0.2.2'), wan: at('198.51.100.1'), eh1234abcd: at('10.213.16.1'), eh00000000: at('10.194.64.1'), e1234ab99a0d8e: at('10.216.0.1') }

test('a host that has the advertised address itself listens there, and leaves its others to other regions', () => {
  assert.deepEqual(publicAddresses(host, 'eh1234abcd', '192.0.2.2'), ['192.0.2.2'])
})

test('what a router or a name leads to may come in by any of the host’s addresses', () => {
  for (const advertised of ['203.0.113.9', 'edge.example']) assert.deepEqual(publicAddresses(host, 'eh1234abcd', advertised), ['192.0.2.2', '198.51.100.1'])
})
