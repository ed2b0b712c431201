import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'
import { claimOf } from '#model/node/claim.ts'
import { ComponentMissing, type ComponentFile, type Components } from '#ports/components.ts'
import type { Log } from '#ports/log.ts'
import { TenantClusterUnreachable, type TenantCluster } from '#ports/tenant-cluster.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, addNodePool, becauseOf, nodePoolSpec, NOON, onboarding, SCOPE } from '#test/harness/sample-records.ts'
import type { JoinOptions } from './join-options.ts'
import { joinMachine } from './join-machine.ts'
import { takeReports } from './machine-reports.ts'
import { hashOf } from './onboarding-token.ts'
import { JoinRefused } from './refused.ts'

const log: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
const MINUTE = 60_000
const SECRET = 'ab'.repeat(32)

suite('what the join endpoint refuses a machine with', () => {
  let store = new MemoryStore(() => 0), now = NOON, isAway = false, isMissing = false
  /** What a try waits for before it is let in. */
  let hang: () => Promise<void> = async () => {}
  const components: Pick<Components, 'find' | 'kubernetesVersions'> = {
    kubernetesVersions: () => ['v1.35.4'],
    find: async (name, { kubernetesVersion = 'v9' } = {}): Promise<ComponentFile> => {
      if (isMissing) throw new ComponentMissing('It is being fetched.')
      return { name, version: kubernetesVersion, architecture: 'amd64', path: '/program', sha256: 'sum', sizeBytes: 7 }
    },
  }
  beforeEach(async () => {
    store = new MemoryStore(() => 0)
    now = NOON
    isAway = isMissing = false
    hang = async () => {}
    await store.write(NOON, async tx => {
      await addCluster(tx, 'shop')
      await tx.changeCluster('c-shop', { address: '10.9.0.2' }, becauseOf('test'))
      await tx.putSecret('cluster/c-shop/pki', JSON.stringify({ caCert: 'the CA' }))
      await addNodePool(tx, 'counters', 'c-shop')
      await tx.insertOnboarding(onboarding({ tokenHash: hashOf('script') }), 'script')
      const pool = { ...SCOPE, id: 'p-counters', clusterId: 'c-shop', spec: nodePoolSpec() }
      const { node, machine, ledger } = claimOf({ nodeId: 'n-a', now: NOON, pool, address: '10.9.0.9', name: 'a', firstBoot: 'line' })
      await tx.insertClaims([{ node, machine, ledger: { ...ledger, state: 'Intended' as const }, token: { tokenHash: hashOf('ordered'), nodeId: node.id, machineId: machine.id } }], becauseOf('CreateNodes'))
    })
  })

  const letIn = (token: string, fields: Record<string, string> = {}) => {
    const options = {
      region: SCOPE.region, store, components: components as Components, clock: { now: () => now, sleep: async () => {} }, log,
      tenantCluster: { ensureMembers: async () => { await hang(); if (isAway) throw new TenantClusterUnreachable('away') }, issueBootstrapToken: async () => 'abcdef.token' } as unknown as TenantCluster,
      url: 'https://edge.example:7443', tls: { key: '', certificate: '', ca: '' }, registry: '10.9.0.1:5000', realNow: () => 0, randomBytes: (count: number) => new Uint8Array(count),
    } satisfies JoinOptions
    return joinMachine(options, new Map(Object.entries({ token, secret: SECRET, hostname: 'a', architecture: 'amd64', 'machine-id': 'machine-1', kernel: '6.1', run: '1', 'tries-left': '4', ...fields })), '10.9.0.9')
  }
  const refused = (...given: Parameters<typeof letIn>) => assert.rejects(letIn(...given), JoinRefused)
  const says = async (name = 'a') => (await store.nodesOf({ clusterId: 'c-shop' })).find(({ spec }) => spec.name === name)?.said.because.replaceAll(/\S+Z/g, 'T')

  test('at the first boot of one that its pool ordered is told by its node, until it is let in', async () => {
    await refused('ordered', { architecture: 'riscv64' })
    assert.match(await says() ?? '', /; the join endpoint refused its onboarding script at T: This machine's architecture is riscv64; nodes are made of amd64 and arm64 machines$/)
    isAway = true
    await refused('ordered')
    const since = async () => (await store.findNode('n-a'))?.facts.turnedAway?.since
    now += MINUTE
    await refused('ordered')
    assert.match(await says() ?? '', /; the join endpoint tells its onboarding script since T to come again later: The API of the cluster shop does not answer at the moment$/)
    assert.equal(await since(), NOON, 'the same is told since the first time')
    await refused('ordered', { 'tries-left': '0' })
    assert.match(await says() ?? '', /; the join endpoint refused its onboarding script at T: The API of the cluster shop/)
    isAway = false
    await letIn('ordered')
    assert.match(await says() ?? '', /; the step preflight is under way since T: it was admitted and checks what a node needs$/)
  })

  test('is told by the node that a script made, where it was admitted already, and by no other', async () => {
    isAway = true
    await refused('script', { hostname: 'till-1' })
    assert.match(await says('till-1') ?? '', /tells its onboarding script since T to come again later/)
    isAway = false
    await letIn('script', { hostname: 'till-1' })
    assert.match(await says('till-1') ?? '', /it was admitted and checks what a node needs/)
    await refused('script', { hostname: 'till-2' })
    assert.match(await says('till-1') ?? '', /it was admitted and checks what a node needs/, 'its machine was renamed, and the one that is a node goes on')
  })

  test('is not told by a node that has its machine', async () => {
    await letIn('ordered')
    await refused('ordered', { secret: 'cd'.repeat(32) })
    assert.match(await says() ?? '', /it was admitted and checks what a node needs/)
  })

  test('is not told of a try that its machine gave up on, once a later one was let in', async () => {
    const gaveUp = Promise.withResolvers<void>(), asked = Promise.withResolvers<void>()
    hang = async () => {
      asked.resolve()
      await gaveUp.promise
      throw new TenantClusterUnreachable('away')
    }
    const first = refused('ordered')
    await asked.promise
    hang = async () => {}
    now += MINUTE
    await letIn('ordered', { 'tries-left': '3' })
    gaveUp.resolve()
    await first
    assert.match(await says() ?? '', /it was admitted and checks what a node needs/)
  })

  test('is past once its machine reports how far it is: another script of it was let in', async () => {
    await letIn('script', { hostname: 'till-1' })
    now += MINUTE
    isAway = true
    await refused('script', { hostname: 'till-1', run: '2', 'tries-left': '0' })
    assert.match(await says('till-1') ?? '', /; the join endpoint refused its onboarding script at T: The API of the cluster shop/)
    now += MINUTE
    await takeReports({ store, region: SCOPE.region, clock: { now: () => now, sleep: async () => {} } }, [{ secretHash: hashOf(SECRET), kind: 'progress', step: 'download', text: 'the machine fetches its programs' }])
    assert.match(await says('till-1') ?? '', /; the step download is under way since T: the machine fetches its programs$/)
  })

  test('by the script of another cluster or pool is not told by the node that it is', async () => {
    await letIn('script', { hostname: 'till-1' })
    await store.write(NOON, async tx => {
      await addCluster(tx, 'bar')
      await tx.changeCluster('c-bar', { address: '10.9.0.3' }, becauseOf('test'))
      for (const [name, clusterId] of [['bars', 'c-bar'], ['kiosks', 'c-shop']] as const) {
        await addNodePool(tx, name, clusterId)
        await tx.insertOnboarding(onboarding({ id: `o-${name}`, clusterId, nodePoolId: `p-${name}`, name, tokenHash: hashOf(name) }), name)
      }
    })
    const before = await says('till-1')
    isMissing = true
    now += MINUTE
    for (const token of ['bars', 'kiosks']) {
      await refused(token, { hostname: 'till-1' })
      assert.equal(await says('till-1'), before, token)
    }
    await refused('script', { hostname: 'till-1' })
    assert.match(await says('till-1') ?? '', /tells its onboarding script since T to come again later/)
  })
})
