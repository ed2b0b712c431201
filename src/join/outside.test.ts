import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { beforeEach, suite, test } from 'node:test'
import type { ComponentFile, Components } from '#ports/components.ts'
import type { Log } from '#ports/log.ts'
import { OverlayAway, OverlayKeyRefused, OverlayRangeTaken, type Overlay, type OverlayMember } from '#ports/overlay.ts'
import type { TenantCluster } from '#ports/tenant-cluster.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, addNodePool, becauseOf, NOON, onboarding, SCOPE } from '#test/harness/sample-records.ts'
import { joinMachine } from './join-machine.ts'
import type { JoinOptions } from './join-options.ts'
import { takeConfirmation } from './machine-reports.ts'
import { hashOf } from './onboarding-token.ts'
import { giveOverlayPapers } from './overlay-papers.ts'
import { JoinRefused } from './refused.ts'

const SECRET = 'ab'.repeat(32)
const OUTSIDE = '203.0.113.9'
const log: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }

/** The words of an answer, as the shell reads them. */
function words(text: string, ...names: string[]): string[] {
  return execFileSync('sh', ['-c', `${text}\n${names.map(name => `printf '%s\\n' "\${${name}:-none}"`).join('\n')}`], { encoding: 'utf8' }).trimEnd().split('\n')
}

suite('a machine outside of the region’s network', () => {
  const store = { current: new MemoryStore(() => 0) }
  let asked: OverlayMember[] = []
  let answer: () => ReturnType<Overlay['papersFor']>
  let options: JoinOptions

  const overlay: Overlay = {
    isOutside: address => !address.startsWith('10.9.'),
    pool: { first: '10.8.0.2', last: '10.8.0.3' },
    entrance: { server: 'edge.example:25999', ranges: ['10.9.0.0/20', '10.8.0.0/20'] },
    papersFor: async member => {
      asked.push(member)
      return answer()
    },
  }
  const form = (fields: Record<string, string> = {}): ReadonlyMap<string, string> => new Map(Object.entries({ token: 'token-1', secret: SECRET, hostname: 'far-1', architecture: 'amd64', 'machine-id': 'machine-1', kernel: '6.1', ...fields }))
  const node = async (name = 'far-1') => (await store.current.nodesOf({ clusterId: 'c-shop' })).find(each => each.spec.name === name)
  const refusal = (status: number, text: RegExp) => (error: unknown) => error instanceof JoinRefused && error.status === status && text.test(error.message)

  beforeEach(async () => {
    asked = []
    answer = async () => ({ settings: '{"papers": "it\'s"}', have: 'digest.1' })
    const fresh = new MemoryStore(() => 0)
    store.current = fresh
    await fresh.write(NOON, async tx => {
      await addCluster(tx, 'shop')
      await tx.changeCluster('c-shop', { address: '10.9.0.2' }, becauseOf('test'))
      await tx.putSecret('cluster/c-shop/pki', JSON.stringify({ caCert: 'the CA' }))
      await addNodePool(tx, 'counters', 'c-shop')
      await tx.insertOnboarding(onboarding({ tokenHash: hashOf('token-1') }), 'token-1')
    })
    const components: Pick<Components, 'find' | 'kubernetesVersions'> = {
      kubernetesVersions: () => ['v1.35.4'],
      find: async (name, { kubernetesVersion = 'v9' } = {}): Promise<ComponentFile> => ({ name, version: kubernetesVersion, architecture: 'amd64', path: '/program', sha256: 'sum', sizeBytes: 7 }),
    }
    options = {
      region: SCOPE.region, store: fresh, components: components as Components, clock: { now: () => NOON, sleep: async () => {} }, log, overlay,
      tenantCluster: { ensureMembers: async () => {}, issueBootstrapToken: async () => 'abcdef.token' } as unknown as TenantCluster,
      url: 'https://edge.example:7443', tls: { key: '', certificate: '', ca: '' }, registry: '10.9.0.1:5000', realNow: () => performance.now(), randomBytes: count => crypto.getRandomValues(new Uint8Array(count)),
    }
  })

  test('gets an address in the overlay, which is its node’s, and what it needs to enter; one inside gets none of it', async () => {
    const text = await joinMachine(options, form(), OUTSIDE)
    assert.deepEqual(words(text, 'EH_OVERLAY_ADDRESS', 'EH_OVERLAY_SERVER', 'EH_OVERLAY_RANGES', 'EH_API_URL'), ['10.8.0.2', 'edge.example:25999', '10.9.0.0/20 10.8.0.0/20', 'https://10.9.0.2:6443'])
    assert.match(text, /nebula:v9:sum:7 nebula-cert:v9:sum:7/)
    assert.equal((await node())?.spec.address, '10.8.0.2')
    const inside = await joinMachine(options, form({ secret: 'cd'.repeat(32), hostname: 'shop-1' }), '10.9.1.1')
    assert.doesNotMatch(inside, /OVERLAY|nebula/)
    assert.equal((await node('shop-1'))?.spec.address, '10.9.1.1')
  })

  test('keeps its address when it comes again, and a machine beyond the last address is refused without a node', async () => {
    await joinMachine(options, form(), OUTSIDE)
    assert.deepEqual(words(await joinMachine(options, form(), '198.51.100.7'), 'EH_OVERLAY_ADDRESS'), ['10.8.0.2'])
    assert.deepEqual(words(await joinMachine(options, form({ secret: 'cd'.repeat(32), hostname: 'far-2' }), OUTSIDE), 'EH_OVERLAY_ADDRESS'), ['10.8.0.3'])
    await assert.rejects(joinMachine(options, form({ secret: 'ef'.repeat(32), hostname: 'far-3' }), OUTSIDE), refusal(503, /All addresses from 10\.8\.0\.2 to 10\.8\.0\.3, .* are taken/))
    assert.equal(await node('far-3'), undefined)
  })

  test('its address is kept by its tombstone, and free once it confirmed', async () => {
    await joinMachine(options, form(), OUTSIDE)
    const secret = await store.current.findMachineSecret(hashOf(SECRET))
    assert.ok(secret)
    await store.current.write(NOON, tx => tx.putMachineSecret({ ...secret, state: 'removed' }))
    const other = { secret: 'cd'.repeat(32), hostname: 'far-2' }
    assert.deepEqual(words(await joinMachine(options, form(other), OUTSIDE), 'EH_OVERLAY_ADDRESS'), ['10.8.0.3'])
    await takeConfirmation(options, form())
    assert.deepEqual(words(await joinMachine(options, form({ secret: 'ef'.repeat(32), hostname: 'far-3' }), OUTSIDE), 'EH_OVERLAY_ADDRESS'), ['10.8.0.2'])
  })

  test('papers are for members that are outside, and speak of their cluster’s pods', async () => {
    await assert.rejects(giveOverlayPapers(options, form()), refusal(403, /not known/))
    await joinMachine(options, form({ secret: 'cd'.repeat(32), hostname: 'shop-1' }), '10.9.1.1')
    await assert.rejects(giveOverlayPapers(options, form({ secret: 'cd'.repeat(32) })), refusal(409, /not one outside/))
    await joinMachine(options, form(), OUTSIDE)
    const [settings = '', have] = words(await giveOverlayPapers(options, form({ 'public-key': 'key' })), 'EH_OVERLAY_SETTINGS_BASE64', 'EH_OVERLAY_HAVE')
    assert.deepEqual([Buffer.from(settings, 'base64').toString(), have], ['{"papers": "it\'s"}', 'digest.1'])
    assert.deepEqual(asked, [{ clusterId: 'c-shop', secretHash: hashOf(SECRET), address: '10.8.0.2', podCidrs: ['10.4.0.0/16'], publicKey: 'key' }])
    answer = async () => 'same'
    assert.equal(await giveOverlayPapers(options, form()), 'same')
    const secret = await store.current.findMachineSecret(hashOf(SECRET))
    assert.ok(secret)
    await store.current.write(NOON, tx => tx.putMachineSecret({ ...secret, state: 'removed' }))
    await assert.rejects(giveOverlayPapers(options, form()), refusal(410, /was removed/))
  })

  test('what stands in the way of papers is told: for a while, or for good', async () => {
    await joinMachine(options, form(), OUTSIDE)
    answer = async () => { throw new OverlayAway('It is being prepared.') }
    await assert.rejects(giveOverlayPapers(options, form()), refusal(503, /being prepared/))
    answer = async () => { throw new OverlayKeyRefused('That is no public key of the overlay.') }
    await assert.rejects(giveOverlayPapers(options, form()), refusal(400, /no public key/))
    answer = async () => { throw new OverlayRangeTaken('Another cluster has pods there.') }
    await assert.rejects(giveOverlayPapers(options, form()), refusal(409, /Another cluster/))
    await assert.rejects(giveOverlayPapers({ ...options, overlay: undefined } as unknown as JoinOptions, form()), refusal(409, /not one outside/))
  })
})
