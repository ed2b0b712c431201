import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { OverlayAway, OverlayKeyRefused, OverlayRangeTaken, type OverlayMember, type OverlayPapers } from '#ports/overlay.ts'
import { chooseHostNetwork, chooseOverlayRange } from '#providers/local/host-network/choose.ts'
import { ensureHostNetwork, removeHostNetwork } from '#providers/local/host-network/host-network.ts'
import { overlayLink, type HostNetworkSettings } from '#providers/local/host-network/settings.ts'
import type { OverlayKeys } from '#providers/local/overlay/certificates.ts'
import { findOverlayProcesses } from '#providers/local/overlay/process.ts'
import { overlayName, RegionOverlay, type IssuedOf } from '#providers/local/overlay/region-overlay.ts'
import { removeOverlay } from '#providers/local/overlay/remove-overlay.ts'
import { installed, missingForControlPlanes } from './control-plane-harness.ts'

const DAY = 86_400_000

suite('the region’s end of the overlay', { skip: missingForControlPlanes() ?? false, timeout: 120_000 }, () => {
  const hash = randomBytes(4).toString('hex')
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-overlay-'))
  let network: HostNetworkSettings
  let cidr: string
  let now = Date.now()
  let members = ['one', 'other']
  let keys: OverlayKeys | undefined
  const issued = new Map<string, IssuedOf>()

  /** As a server has it; each over the same records. */
  const open = (): RegionOverlay => new RegionOverlay({
    settings: { network, cidr, host: '192.0.2.7', port: 30_000 + (process.pid % 2_000) }, folder: join(folder, 'run'), logFile: join(folder, 'log'), components: installed, clock: { now: () => now, sleep: async () => {} },
    records: { keys: async make => (keys = await make(keys)), clusters: async () => [...issued.keys()], issued: async id => issued.get(id) ?? {}, keepIssued: async (id, all) => void issued.set(id, all), forget: async id => void issued.delete(id) },
    onStarted: async () => {},
  })
  const ensure = (overlay: RegionOverlay): Promise<void> => overlay.ensure(['c-shop'], async () => members)
  const running = async (): Promise<number[]> => (await findOverlayProcesses(join(folder, 'run/run'))).map(({ pid }) => pid)
  const settingsOfRegion = (): { pki: { blocklist: string[] }; firewall: { inbound: { host?: string }[] }; tun: { unsafe_routes: object[] } } => {
    const [file = ''] = readdirSync(join(folder, 'run/run'))
    return JSON.parse(readFileSync(join(folder, 'run/run', file), 'utf8'))
  }
  const refusedBy = ({ settings }: OverlayPapers): string[] => (JSON.parse(settings) as { pki: { blocklist: string[] } }).pki.blocklist
  const letIn = (): string[] => settingsOfRegion().firewall.inbound.flatMap(({ host }) => host === undefined || host === 'any' ? [] : [host])
  const member = async (secretHash: string, number: number): Promise<OverlayMember> => {
    const [key, pub] = [join(folder, `${secretHash}.key`), join(folder, `${secretHash}.pub`)]
    rmSync(key, { force: true })
    rmSync(pub, { force: true })
    execFileSync((await installed.find('nebula-cert')).path, ['keygen', '-out-key', key, '-out-pub', pub])
    return { clusterId: 'c-shop', secretHash, address: cidr.replace(/\d+\/\d+$/, String(number)), podCidrs: ['172.20.0.0/16'], publicKey: readFileSync(pub, 'utf8') }
  }
  const papers = (answer: OverlayPapers | 'same'): OverlayPapers => {
    assert.notEqual(answer, 'same')
    return answer as OverlayPapers
  }

  before(async () => {
    network = await chooseHostNetwork(hash)
    cidr = await chooseOverlayRange(network, [])
    await ensureHostNetwork(network, undefined, [])
  })
  after(async () => {
    await removeOverlay(hash, join(folder, 'run'), async () => {})
    await removeHostNetwork(network)
    rmSync(folder, { recursive: true, force: true })
  })

  test('gives no papers before it knows its members', async () => {
    await assert.rejects(open().papersFor(await member('one', 2), ''), OverlayAway)
  })

  test('lets a member in with its papers, once for as long as they are right, and anew before they end', async () => {
    const overlay = open()
    await ensure(overlay)
    const one = await member('one', 2)
    const first = papers(await overlay.papersFor(one, ''))
    assert.deepEqual(letIn(), [overlayName('one')])
    assert.equal(await overlay.papersFor(one, first.have), 'same')
    now += 9 * DAY
    assert.equal(await overlay.papersFor(one, first.have), 'same')
    now += 2 * DAY
    const renewed = papers(await overlay.papersFor(one, first.have))
    papers(await overlay.papersFor({ ...one, publicKey: (await member('one', 2)).publicKey }, renewed.have))
    now -= 11 * DAY
  })

  test('refuses what is no key', async () => {
    const overlay = open()
    await ensure(overlay)
    const one = await member('one', 2)
    for (const publicKey of ['', 'key', one.publicKey.replace('PUBLIC', 'PRIVATE'), '-----BEGIN NEBULA X25519 PUBLIC KEY-----\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAA\n-----END NEBULA X25519 PUBLIC KEY-----\n']) {
      await assert.rejects(overlay.papersFor({ ...one, publicKey }, ''), OverlayKeyRefused, publicKey)
    }
  })

  test('a removed machine is let in no more, and the others of its cluster are told its certificates', async () => {
    const overlay = open()
    await ensure(overlay)
    const other = papers(await overlay.papersFor(await member('other', 3), ''))
    assert.deepEqual(letIn().toSorted(), ['one', 'other'].map(overlayName).toSorted())
    assert.deepEqual(refusedBy(other), [])
    members = ['other']
    await ensure(overlay)
    assert.deepEqual(letIn(), [overlayName('other')])
    const given = issued.get('c-shop')?.[overlayName('one')]?.map(({ fingerprint }) => fingerprint).toSorted() ?? []
    assert.ok(given.length > 1)
    assert.deepEqual(settingsOfRegion().pki.blocklist, given)
    assert.deepEqual(refusedBy(papers(await overlay.papersFor(await member('other', 3), other.have))), given)
    now += 31 * DAY
    await ensure(overlay)
    assert.deepEqual(settingsOfRegion().pki.blocklist, [], 'those that ended are forgotten')
    now -= 31 * DAY
  })

  test('a pod range is led to one cluster: machines of another one with the same, of another account perhaps, are not let in', async () => {
    const overlay = open()
    await ensure(overlay)
    const stranger: OverlayMember = { ...await member('stranger', 9), clusterId: 'c-other' }
    papers(await overlay.papersFor(await member('other', 3), ''))
    await assert.rejects(overlay.papersFor(stranger, ''), OverlayRangeTaken)
    await assert.rejects(overlay.papersFor({ ...stranger, podCidrs: ['172.20.4.0/22'] }, ''), OverlayRangeTaken)
    assert.ok(!issued.has('c-other'))
    papers(await overlay.papersFor(await member('other', 3), ''))
    await overlay.ensurePodRoutes('c-shop', [{ podCidr: '172.20.3.0/24', via: cidr.replace(/\d+\/\d+$/, '3') }])
    const later = open()
    await ensure(later)
    await assert.rejects(later.papersFor(stranger, ''), OverlayRangeTaken, 'also before it heard of any machine')
    papers(await later.papersFor(await member('other', 3), ''))
    await later.ensure([], async () => [])
    papers(await later.papersFor(stranger, ''))
    issued.delete('c-other')
  })

  test('whoever floods it with packets does not fill the disk: what it says of them is kept short while it runs', async () => {
    const overlay = open()
    await ensure(overlay)
    const before = await running()
    appendFileSync(join(folder, 'log'), 'x'.repeat(11 * 2 ** 20))
    await ensure(overlay)
    assert.equal(statSync(join(folder, 'log')).size, 0)
    assert.ok(statSync(join(folder, 'log.1')).size > 11 * 2 ** 20 - 1)
    assert.deepEqual(await running(), before)
  })

  test('another server takes the running process over, and leads to pods by a table of the region’s own', async () => {
    const before = await running()
    assert.equal(before.length, 1)
    const overlay = open()
    await ensure(overlay)
    await overlay.ensurePodRoutes('c-shop', [{ podCidr: '172.20.3.0/24', via: cidr.replace(/\d+\/\d+$/, '3') }])
    assert.deepEqual(await running(), before)
    assert.deepEqual(settingsOfRegion().tun.unsafe_routes, [{ route: '172.20.3.0/24', via: cidr.replace(/\d+\/\d+$/, '3'), install: false }])
    const rule = /iif (eh[0-9a-f]{8})(?: \[detached\])? lookup (\d+)/.exec(execFileSync('ip', ['rule', 'list', 'iif', network.bridge], { encoding: 'utf8' }))
    assert.match(execFileSync('ip', ['route', 'show', 'table', rule?.[2] ?? ''], { encoding: 'utf8' }), new RegExp(`^172\\.20\\.3\\.0/24 dev ${overlayLink(hash)} `))
    assert.doesNotMatch(execFileSync('ip', ['route', 'show'], { encoding: 'utf8' }), /172\.20\.3\.0/)
    await ensure(open())
    assert.equal(settingsOfRegion().tun.unsafe_routes.length, 1, 'also before it heard of nodes')
    await overlay.ensure([], async () => [])
    assert.equal(execFileSync('ip', ['route', 'show', 'table', rule?.[2] ?? ''], { encoding: 'utf8' }), '')
  })

  test('machines of a cluster that is gone are refused as long as their papers would hold, also by a server that comes later', async () => {
    members = ['other']
    await ensure(open())
    assert.ok(settingsOfRegion().firewall.inbound.some(({ host }) => host === overlayName('other')))
    const given = [...issued.values()].flatMap(all => Object.values(all).flat()).map(({ fingerprint }) => fingerprint).toSorted()
    await open().ensure([], async () => [])
    assert.deepEqual(settingsOfRegion().pki.blocklist, given)
    now += 31 * DAY
    await open().ensure([], async () => [])
    assert.deepEqual(settingsOfRegion().pki.blocklist, [])
    assert.equal(issued.size, 0)
    now -= 31 * DAY
  })

  test('goes whole', async () => {
    await removeOverlay(hash, join(folder, 'run'), async () => {})
    assert.deepEqual(await running(), [])
    assert.doesNotMatch(execFileSync('ip', ['rule', 'list'], { encoding: 'utf8' }), new RegExp(hash))
    assert.ok(!readdirSync('/sys/class/net').includes(overlayLink(hash)))
  })
})
