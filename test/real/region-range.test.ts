import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Configuration } from '#main/configuration.ts'
import { rememberedNetwork } from '#main/local/remembered-network.ts'
import { chosenNetwork } from '#main/local/network.ts'
import { ensureHostNetwork, removeHostNetwork } from '#providers/local/host-network/host-network.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, SCOPE } from '#test/harness/sample-records.ts'

test('a region whose range is used by something else chooses again while it is empty, and keeps it when it is not', { skip: process.getuid?.() !== 0 && 'needs root for routes' }, async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'edgehold-range-'))
  const configuration = { hash: randomBytes(4).toString('hex'), stateDir, open: false } as Configuration
  const store = new MemoryStore(() => 0)
  await store.write(0, tx => tx.putRegion({ region: SCOPE.region, kind: 'Local', ready: true, text: '', settings: { host: 'here' } }))
  const choose = async () => {
    const region = (await store.listRegions()).find(each => each.region === SCOPE.region)
    assert.ok(region)
    return chosenNetwork(store, region, configuration)
  }
  const routes: string[] = []
  const take = (cidr: string): void => {
    const range = cidr.replace(/\/\d+$/, '/24') // a part is enough, and the bridge's own route to the whole is there
    execFileSync('ip', ['route', 'add', 'blackhole', range])
    routes.push(range)
  }
  const first = await choose()
  try {
    await ensureHostNetwork(first)
    assert.deepEqual(await choose(), first, 'its own bridge is not in the way')
    take(first.cidr)
    const second = await choose()
    assert.notEqual(second.cidr, first.cidr)
    assert.deepEqual(rememberedNetwork(stateDir), second)
    assert.deepEqual(await choose(), second)
    assert.ok(!readdirSync('/sys/class/net').includes(first.bridge), 'nothing of the first is left')
    await ensureHostNetwork(second)

    await store.write(0, tx => addCluster(tx, 'shop'))
    take(second.cidr)
    assert.deepEqual(await choose(), second)
    await assert.rejects(ensureHostNetwork(second), { kind: 'HostNetworkFailure', message: /overlaps .* which this host uses for something else now/ })
  } finally {
    for (const range of routes) execFileSync('ip', ['route', 'delete', 'blackhole', range])
    await removeHostNetwork(first)
    rmSync(stateDir, { recursive: true, force: true })
  }
})
