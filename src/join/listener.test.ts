/** Everything that machines may ask of the join endpoint, over a real socket. Longer than others because one listener and one world of records serve all of it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { makeAuthority, signer, type KeyedCertificate } from '#kubernetes/pki/certificate.ts'
import { withFacts } from '#model/with-facts.ts'
import { ComponentMissing, type ComponentFile, type Components } from '#ports/components.ts'
import type { Log } from '#ports/log.ts'
import { type TenantCluster, TenantClusterUnreachable } from '#ports/tenant-cluster.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { addCluster, addNodePool, becauseOf, NOON, onboarding, SCOPE } from '#test/harness/sample-records.ts'
import { bootstrapLine, publicKeyPin } from './bootstrap-line.ts'
import { createJoinListener, type JoinListener } from './listener.ts'
import { hashOf } from './onboarding-token.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'edgehold-join-'))
const program = join(folder, 'program')
const SECRET = 'ab'.repeat(32)
const OTHER = 'cd'.repeat(32)
let authority: KeyedCertificate
let leaf: KeyedCertificate

/** What stands behind the endpoint, as little of it as the endpoint sees. */
class World {
  now = NOON
  readonly store = new MemoryStore(() => 0)
  members: readonly string[] = []
  tokens: string[] = []
  reachable = true
  readonly errors: string[] = []
  readonly #log: Log = { debug() {}, info() {}, warn() {}, error: (facts, text) => { this.errors.push(`${text} ${JSON.stringify(facts)}`) }, child: () => this.#log }
  readonly #tenantCluster = {
    ensureMembers: async (_cluster: unknown, names: readonly string[]) => {
      if (!this.reachable) throw new TenantClusterUnreachable('connect ECONNREFUSED')
      await this.beforeMembers?.()
      this.members = names
    },
    issueBootstrapToken: async (_cluster: unknown, name: string) => {
      assert.ok(this.members.includes(name), 'a token is given to members only')
      this.tokens.push(name)
      return `abcdef.${name}`
    },
  }
  beforeMembers: (() => Promise<void>) | undefined
  readonly #components: Pick<Components, 'find' | 'kubernetesVersions'> = {
    kubernetesVersions: () => ['v1.34.4', 'v1.35.4'],
    find: async (name, options = {}): Promise<ComponentFile> => {
      if (options.architecture === 'arm64') throw new ComponentMissing(`${name} is missing.`)
      return { name, version: options.kubernetesVersion ?? 'v9', architecture: 'amd64', path: program, sha256: createHash('sha256').update('program').digest('hex'), sizeBytes: 7 }
    },
  }
  listener: JoinListener | undefined
  port = 0

  async start(): Promise<void> {
    await this.store.write(this.now, async (tx) => {
      await addCluster(tx, 'shop')
      await tx.changeCluster('c-shop', { address: '10.9.0.2' }, becauseOf('test'))
      await tx.putSecret('cluster/c-shop/pki', JSON.stringify({ caCert: 'the CA' }))
      await addNodePool(tx, 'counters', 'c-shop')
      await tx.insertOnboarding(onboarding({ tokenHash: hashOf('token-1') }), 'token-1')
    })
    // The port is part of the url, so the listener is made twice: the first time to learn a free one.
    const probe = this.#make('https://127.0.0.1:1')
    this.port = await probe.listen('127.0.0.1', 0)
    await probe.close(AbortSignal.abort())
    this.listener = this.#make(`https://127.0.0.1:${this.port}`)
    await this.listener.listen('127.0.0.1', this.port)
  }

  #make(url: string): JoinListener {
    return createJoinListener({
      region: SCOPE.region, store: this.store, tenantCluster: this.#tenantCluster as unknown as TenantCluster, components: this.#components as Components,
      clock: { now: () => this.now, sleep: async () => {} }, log: this.#log, url, tls: { key: leaf.key, certificate: leaf.cert, ca: authority.cert },
      registry: '10.9.0.1:5000', realNow: () => 0, randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    })
  }

  ask(method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port: this.port, path, method, ca: authority.cert, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => { text += chunk.toString() })
        response.on('end', () => { resolve({ status: response.statusCode ?? 0, text }) })
      })
      asked.on('error', reject)
      asked.end(body)
    })
  }

  join(change: Record<string, string> = {}): Promise<{ status: number; text: string }> {
    return this.ask('POST', '/join/join', new URLSearchParams({ token: 'token-1', secret: SECRET, hostname: 'Shop-1', architecture: 'amd64', 'machine-id': 'machine-1', kernel: '6.1.0', ...change }).toString())
  }

  post(path: string, fields: Record<string, string> = {}): Promise<{ status: number; text: string }> {
    return this.ask('POST', path, new URLSearchParams({ secret: SECRET, ...fields }).toString())
  }

  async node(name = 'shop-1') { return (await this.store.nodesOf({ clusterId: 'c-shop' })).find((node) => node.spec.name === name) }
  async names() { return (await this.store.nodesOf({ clusterId: 'c-shop' })).map((node) => node.spec.name) }
}

suite('the join endpoint', () => {
  let world: World
  const worlds: World[] = []
  before(async () => {
    writeFileSync(program, 'program')
    authority = await makeAuthority('join CA', Date.now(), 3_600_000)
    leaf = await (await signer(authority))({ commonName: 'join', use: 'server', ipAddresses: ['127.0.0.1'], now: Date.now(), validMs: 3_600_000 })
  })
  beforeEach(async () => {
    world = new World()
    worlds.push(world)
    await world.start()
  })
  after(async () => {
    for (const one of worlds) await one.listener?.close(AbortSignal.abort())
    rmSync(folder, { recursive: true, force: true })
  })

  test('a join makes the node row, tells the parents, lists the member, and then gives the token', async () => {
    const { status, text } = await world.join()
    assert.equal(status, 200, text)
    const node = await world.node()
    assert.deepEqual(node?.said.status, { phase: 'Creating', conditions: ['Progressing'] })
    assert.deepEqual([node.spec.machineId, node.spec.address, node.facts.machineExistsAt], ['machine-1', '127.0.0.1', NOON])
    assert.deepEqual((await world.store.findNodePool('p-counters'))?.said.status.phase, 'Scaling')
    assert.deepEqual((await world.store.findCluster('c-shop'))?.said.status.phase, 'Updating')
    assert.deepEqual([world.members, world.tokens], [['shop-1'], ['shop-1']])
    assert.ok(world.store.waiting().has(`node/${node.id}`))
    const { stdout } = await run('sh', ['-c', `${text}\nprintf '%s|' "$EH_NODE_NAME" "$EH_API_URL" "$EH_DNS" "$EH_BOOTSTRAP_TOKEN" "$EH_PAUSE_IMAGE"; echo "$EH_FILES" | wc -w`])
    assert.equal(stdout, 'shop-1|https://10.9.0.2:6443|10.5.0.10|abcdef.shop-1|10.9.0.1:5000/pause:3.10|10\n')
  })

  test('the same machine twice is one node, and takes InitializeFailed back', async () => {
    await world.join()
    const id = (await world.node())?.id
    await world.post('/join/report', { kind: 'failure', step: 'preflight', text: 'The program nft is missing.' })
    const failed = await world.node()
    assert.deepEqual(failed?.said.status, { phase: 'Failed', conditions: ['InitializeFailed'] })
    assert.match(failed.said.because, /nft is missing/)
    world.now += 60_000
    assert.equal((await world.join()).status, 200)
    const again = await world.node()
    assert.deepEqual([again?.id, again?.said.status.phase, again?.facts.machineExistsAt], [id, 'Creating', NOON + 60_000])
    assert.deepEqual(await world.names(), ['shop-1'])
  })

  test('another machine of a taken name is refused, and nothing is touched', async () => {
    await world.join()
    const before = await world.node()
    const { status, text } = await world.join({ secret: OTHER, 'machine-id': 'machine-2' })
    assert.deepEqual([status, /has a node shop-1 already/.test(text)], [409, true])
    assert.deepEqual(await world.node(), before)
    assert.equal(await world.store.findMachineSecret(hashOf(OTHER)), undefined)
  })

  test('a removed name is reserved until its machine confirmed or its certificate ended', async () => {
    await world.join()
    const node = await world.node()
    const secret = await world.store.findMachineSecret(hashOf(SECRET))
    assert.ok(node && secret)
    await world.store.write(world.now, async (tx) => {
      await tx.putMachineSecret({ ...secret, state: 'removed' })
      await tx.lockCluster('c-shop')
      await tx.lockNodePool('p-counters')
      await tx.lockNode(node.id)
      await tx.forget({ kind: 'Node', id: node.id }, { ...becauseOf('DeleteEdgeNodes'), text: 'deleted' })
    })
    assert.equal((await world.post('/join/membership')).text, 'removed')
    assert.match((await world.join({ secret: OTHER })).text, /The name shop-1 is reserved/)
    assert.deepEqual([(await world.join()).status, (await world.post('/join/renew')).status], [410, 410])
    world.now += 367 * 86_400_000
    await world.store.write(world.now, (tx) => tx.changeOnboarding('n-script', { expiresAt: world.now / 1000 + 3600 }))
    assert.equal((await world.join({ secret: OTHER })).status, 200)
    world.now = NOON
    assert.equal((await world.post('/join/confirm')).text, 'confirmed\n')
    assert.equal((await world.post('/join/membership')).text, 'removed')
  })

  test('a name is reserved for as long as a machine that asked lately may have renewed its certificate', async () => {
    await world.join()
    world.now += 300 * 86_400_000
    assert.equal((await world.post('/join/membership')).text, 'member')
    const node = await world.node()
    const secret = await world.store.findMachineSecret(hashOf(SECRET))
    assert.ok(node && secret)
    await world.store.write(world.now, async (tx) => {
      await tx.putMachineSecret({ ...secret, state: 'removed' })
      await tx.lockCluster('c-shop')
      await tx.lockNodePool('p-counters')
      await tx.lockNode(node.id)
      await tx.forget({ kind: 'Node', id: node.id }, { ...becauseOf('DeleteEdgeNodes'), text: 'deleted' })
    })
    world.now += 100 * 86_400_000
    await world.store.write(world.now, (tx) => tx.changeOnboarding('n-script', { expiresAt: world.now / 1000 + 3600 }))
    assert.match((await world.join({ secret: OTHER })).text, /The name shop-1 is reserved/)
  })

  test('tokens that are unknown, expired or deleted: a sentence with the time, and no node', async () => {
    assert.deepEqual(await world.join({ token: 'x' }), { status: 403, text: 'The token of this onboarding script is unknown here.' })
    world.now = NOON + 3_600_000
    assert.deepEqual(await world.join(), { status: 403, text: 'The onboarding script script expired at 2026-11-25T13:00:00Z; it is 2026-11-25T13:00:00Z now.' })
    assert.match((await world.ask('GET', '/join/script/token-1')).text, /expired at 2026-11-25T13:00:00Z; it is \S+ now\. Nothing was installed/)
    assert.deepEqual(await world.names(), [])
  })

  for (const [hostname, why] of [['', 'empty'], ['localhost', 'localhost'], ['a_b', 'underscore'], ['-a', 'dash first'], ['a..b', 'empty label'], ['a'.repeat(64), '64 characters'], ["a'; rm -rf /", 'a command']] as const) {
    test(`a hostname that cannot be a node's name is refused: ${why}`, async () => {
      assert.equal((await world.join({ hostname })).status, 400)
      assert.deepEqual(await world.names(), [])
    })
  }

  test('architectures: without components the command is named, unknown ones are refused', async () => {
    assert.match((await world.join({ architecture: 'arm64' })).text, /components install --arch arm64/)
    assert.match((await world.join({ architecture: 'riscv64' })).text, /architecture is riscv64/)
    assert.deepEqual(await world.names(), [])
  })

  test('a cluster or pool that is being deleted, or does not work, takes no machine', async () => {
    const pool = await world.store.findNodePool('p-counters')
    assert.ok(pool)
    await world.store.write(world.now, async (tx) => {
      await tx.lockCluster('c-shop')
      await tx.lockNodePool(pool.id)
      await tx.changeNodePool(pool.id, { facts: withFacts(pool.facts, { deletion: { requestedAt: NOON, by: 'call', cascading: [], retain: [] } }) }, becauseOf('DeleteNodePool'))
    })
    assert.match((await world.join()).text, /node pool counters is being deleted/)
  })

  test('two joins at once leave both on the members\' list', async () => {
    let first = true
    world.beforeMembers = async () => {
      if (!first) return
      first = false
      // While the first one writes its list, the second joins from beginning to end.
      await world.join({ secret: OTHER, hostname: 'shop-2' })
    }
    await world.join()
    assert.deepEqual(world.members, ['shop-1', 'shop-2'])
  })

  test('while the cluster does not answer a machine is told to try again, and its node stays', async () => {
    world.reachable = false
    const { status, text } = await world.join()
    assert.deepEqual([status, text], [503, 'The API of the cluster shop does not answer at the moment.'])
    world.reachable = true
    assert.equal((await world.join()).status, 200)
    assert.deepEqual(await world.names(), ['shop-1'])
  })

  test('membership, renewal and reports of a machine nobody knows', async () => {
    assert.equal((await world.post('/join/membership')).text, 'unknown')
    assert.equal((await world.post('/join/renew')).status, 403)
    assert.equal((await world.post('/join/report', { kind: 'failure', step: 'x', text: 'y' })).status, 403)
    assert.equal((await world.ask('POST', '/join/membership', 'secret=short')).status, 400)
  })

  test('a member gets a new token with its secret alone', async () => {
    await world.join()
    assert.deepEqual(await world.post('/join/renew'), { status: 200, text: "EH_BOOTSTRAP_TOKEN='abcdef.shop-1'\n" })
    assert.equal((await world.post('/join/membership')).text, 'member')
    assert.match((await world.post('/join/confirm')).text, /still listed/)
    assert.equal((await world.post('/join/membership')).text, 'member')
  })

  test('the way back to the machine: a refusal is as good as an answer, and only the address that asks is tried', async () => {
    assert.equal((await world.post('/join/reach', { address: '127.0.0.1' })).text, 'ok')
    assert.equal((await world.post('/join/reach', { address: '10.1.2.3' })).text, 'ok')
  })

  test('programs are served by name, version and architecture, and nothing else is', async () => {
    assert.deepEqual(await world.ask('GET', '/join/components/kubelet/v1.35.4/amd64'), { status: 200, text: 'program' })
    for (const path of ['/join/components/kubelet/v1.20.0/amd64', '/join/components/kube-apiserver/v1.35.4/amd64', '/join/components/containerd/..%2f..%2fetc/amd64', '/etc/passwd', '/join/components/a', '/', '/join/script/']) {
      const { status } = await world.ask('GET', path)
      assert.ok(status === 404 || (path === '/join/script/' && status === 200), `${path} ${status}`)
    }
    assert.equal((await world.ask('DELETE', '/join/join')).status, 404)
  })

  test('too large a body, too many requests, errors as JSON for who wants it', async () => {
    assert.equal((await world.ask('POST', '/join/join', 'a'.repeat(20_000))).status, 413)
    assert.deepEqual(await world.ask('POST', '/join/join', '{"token":1}', { 'content-type': 'application/json', accept: 'application/json' }), { status: 400, text: '{"error":"The request carries no machine secret of 64 hexadecimal digits."}' })
    const statuses = (await Promise.all(Array.from({ length: 50 }, async () => [await world.post('/join/membership'), await world.post('/join/membership'), await world.post('/join/membership')]))).flat().map(({ status }) => status)
    assert.ok(statuses.includes(429))
    assert.deepEqual(world.errors, [])
  })

  test('one address holds its share of connections and no more, and who says nothing is cut off', { timeout: 20_000 }, async () => {
    const open = async (localAddress: string): Promise<Socket> => {
      const socket = connect({ host: '127.0.0.1', port: world.port, localAddress })
      socket.on('error', () => {}) // cut off: seen by its close
      await once(socket, 'connect')
      return socket
    }
    const began = performance.now()
    const silent = await Promise.all(Array.from({ length: 64 }, () => open('127.0.0.9')))
    await once((await open('127.0.0.9')).resume(), 'close')
    assert.ok(performance.now() - began < 5_000)
    assert.equal((await world.ask('GET', '/join/node-program')).status, 200)
    await Promise.all(silent.map(socket => once(socket.resume(), 'close')))
    assert.ok(performance.now() - began < 15_000)
    const again = await open('127.0.0.9')
    assert.equal(await Promise.race([once(again, 'close').then(() => 'closed'), new Promise(resolve => setTimeout(() => resolve('open'), 200))]), 'open')
    again.destroy()
  })

  test('the one line: curl accepts the pinned key only, and sh gets the whole script', async () => {
    const line = bootstrapLine({ url: `https://127.0.0.1:${world.port}`, pin: publicKeyPin(leaf.key), token: 'token-1' })
    const { stdout } = await run('sh', ['-c', line.replace('sh "$F"', 'sh -n "$F" && cat "$F"; rm -f "$F"')])
    assert.match(stdout, /^#!\/bin\/sh\n/)
    assert.match(stdout, /EH_TOKEN='token-1'/)
    const strange = await makeAuthority('other', Date.now(), 3_600_000)
    await assert.rejects(run('sh', ['-c', line.replace(publicKeyPin(leaf.key), publicKeyPin(strange.key))]), { code: 90 })
  })

  test('every part of the script is POSIX sh', async () => {
    const scripts = join(import.meta.dirname, 'script')
    for (const file of readdirSync(scripts)) await run('dash', ['-n', join(scripts, file)])
    const program = await world.ask('GET', '/join/node-program')
    writeFileSync(join(folder, 'node-program'), program.text)
    await run('sh', ['-n', join(folder, 'node-program')])
    assert.match((await run('sh', [join(folder, 'node-program'), 'help'])).stdout, /edgehold-node status \| reset/)
  })
})
