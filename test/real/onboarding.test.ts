import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { withFacts } from '#model/with-facts.ts'
import type { MachineSecret } from '#ports/store.ts'
import { becauseOf } from '#test/harness/sample-records.ts'
import { clock, installed, missingForControlPlanes, until } from './control-plane-harness.ts'
import { OnboardingWorld } from './onboarding-harness.ts'

const skip = missingForControlPlanes() ?? false
const run = promisify(execFile)

suite('the onboarding script on boxes', { skip, timeout: 600_000 }, () => {
  let world: OnboardingWorld
  let kubectlPath = ''
  const folder = mkdtempSync('/tmp/edgehold-onboarding-')
  const kubectl = async (...args: string[]) => (await run(kubectlPath, ['--kubeconfig', `${folder}/kubeconfig`, ...args], { timeout: 60_000 })).stdout
  const apply = async (object: unknown) => {
    writeFileSync(`${folder}/object.json`, JSON.stringify(object))
    await kubectl('apply', '-f', `${folder}/object.json`)
  }
  const isReady = (name: string, since = 0) => { const ready = world.nodes.get(name)?.ready; return ready?.status === 'True' && ready.since >= since - 1000 }

  before(async () => {
    world = await OnboardingWorld.make('v1.35.4')
    kubectlPath = (await installed.find('kubectl', { kubernetesVersion: 'v1.35.4' })).path
    writeFileSync(`${folder}/kubeconfig`, await world.tenant.issueKubeconfig(world.order, { id: 'ktest', clusterName: 'shop', validHours: 1 }))
  })
  after(async () => {
    await world?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  test('a script that has expired, was deleted or was never made says so, ends non-zero and installs nothing', async () => {
    const id = await world.addBox(1)
    await world.addOnboarding('n-expired', 'token-expired', { expiresAt: Math.floor(clock.now() / 1000) - 60 })
    await world.addOnboarding('n-deleted', 'token-deleted')
    await world.store.write(clock.now(), (tx) => tx.forgetOnboarding('n-deleted', clock.now()))
    for (const [token, sentence] of [['token-expired', /n-expired expired at 2\d{3}-/], ['token-deleted', /(n-deleted was deleted at 2\d{3}-|is unknown here)/], ['token-nobody-made', /is unknown here/]] as const) {
      const { exitCode, output } = await world.run(id, world.line(token))
      assert.equal(exitCode, 1, output)
      assert.match(output, sentence)
    }
    assert.equal((await world.run(id, 'ls -d /etc/edgehold /opt/edgehold 2>/dev/null')).output, '')
    assert.equal((await world.store.nodesOf({ clusterId: 'c-shop' })).length, 0)
  })

  test('what a machine lacks is told in sentences, reported, and mended on the same node', async () => {
    const id = await world.addBox(1)
    await world.run(id, 'mv /usr/sbin/nft /usr/sbin/nft-away; echo theirs > /var/lib/kubelet/config.yaml')
    const { exitCode, output } = await world.run(id, world.line())
    assert.equal(exitCode, 1, output)
    assert.match(output, /set up as a node of another cluster \(\/var\/lib\/kubelet\/config\.yaml is there\)/)
    assert.equal((await world.run(id, 'ls -d /opt/edgehold 2> /dev/null; ls -A /var/lib/kubelet; cat /var/lib/kubelet/config.yaml; rm /var/lib/kubelet/config.yaml')).output, 'config.yaml\ntheirs\n')
    assert.match(output, /The program nft is missing; install the package nftables\./)
    const failed = await world.record('shop-1')
    assert.deepEqual(failed?.said.status, { phase: 'Failed', conditions: ['InitializeFailed'] })
    assert.match(failed?.facts.initialiseFailed?.text ?? '', /nft is missing/)
    await world.run(id, 'mv /usr/sbin/nft-away /usr/sbin/nft')
    const again = await world.run(id, world.line())
    assert.equal(again.exitCode, 0, again.output)
    assert.equal((await world.record('shop-1'))?.id, failed?.id)
    await until('Running', 10_000, async () => (await world.record('shop-1'))?.said.status.phase === 'Running')
  })

  test('the same machine again: one node, quickly, nothing restarted', async () => {
    const before = await world.run('mbox1', 'cat /run/edgehold-node/*.pid')
    const began = Date.now()
    const { exitCode, output } = await world.run('mbox1', world.line())
    assert.equal(exitCode, 0, output)
    assert.ok(Date.now() - began < 20_000, `${Date.now() - began} ms`)
    assert.deepEqual(await world.run('mbox1', 'cat /run/edgehold-node/*.pid'), before)
    assert.equal((await world.store.nodesOf({ clusterId: 'c-shop' })).length, 1)
  })

  test('another machine with a taken name is refused and the first untouched', async () => {
    const id = await world.addBox(9, 'Shop-1')
    const { exitCode, output } = await world.run(id, world.line())
    assert.equal(exitCode, 1)
    assert.match(output, /has a node shop-1 already, and that is another machine/)
    assert.match(output, /Nothing was installed/)
    assert.equal((await world.store.nodesOf({ clusterId: 'c-shop' })).length, 1)
    assert.ok(isReady('shop-1'))
    await world.boxes.ensureGone(id)
  })

  test('pods on two machines reach each other by address, Service and name; logs and exec work', async () => {
    const id = await world.addBox(2)
    const { exitCode, output } = await world.run(id, world.line())
    assert.equal(exitCode, 0, output)
    const images = await world.registry.list()
    const agnhost = images.find(({ name }) => name === 'agnhost')
    const image = `${world.registry.address()}/agnhost:${agnhost?.tags[0]}`
    await apply({
      apiVersion: 'v1', kind: 'List', items: [
        ...['shop-1', 'shop-2'].map((node) => ({
          apiVersion: 'v1', kind: 'Pod', metadata: { name: `web-${node}`, namespace: 'default', labels: { app: 'web' } },
          spec: { nodeName: node, terminationGracePeriodSeconds: 0, containers: [{ name: 'web', image, args: ['netexec', '--http-port=8080'] }] },
        })),
        { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] } },
      ],
    })
    await kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/web-shop-1', 'pod/web-shop-2')
    const other = (await kubectl('get', 'pod', 'web-shop-2', '-o', 'jsonpath={.status.podIP}')).trim()
    const service = (await kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')).trim()
    const ask = (url: string) => kubectl('exec', 'web-shop-1', '--', '/agnhost', 'connect', '--timeout=3s', url).then(() => true, () => false)
    await until('by pod address', 30_000, () => ask(`${other}:8080`))
    await until('by Service address', 30_000, () => ask(`${service}:80`))
    await until('by name', 60_000, () => ask('web.default.svc.cluster.local:80'))
    await until('by short name', 30_000, () => ask('web:80'))
    assert.match(await kubectl('logs', 'web-shop-2'), /Started HTTP server/)
  })

  test('a killed kubelet or containerd comes back', async () => {
    for (const name of ['kubelet', 'containerd']) {
      const pid = (await world.run('mbox1', `cat /run/edgehold-node/${name}.pid`)).output.trim()
      await world.run('mbox1', `kill -9 ${pid}`)
      await until(`${name} is back`, 20_000, async () => (await world.run('mbox1', `p=$(cat /run/edgehold-node/${name}.pid); [ "$p" != ${pid} ] && readlink /proc/$p/exe`)).output.includes(`/${name}`))
    }
    await until('the node is Ready', 60_000, async () => isReady('shop-1'))
  })

  test('a machine that is off and on again comes back by itself', async () => {
    await world.boxes.ensure({ id: 'mbox1', name: 'shop-1', address: world.address(1), power: 'off', link: 'up' })
    const on = clock.now()
    await world.addBox(1)
    await until('its kubelet renews', 60_000, async () => (world.nodes.get('shop-1')?.ready?.lastHeartbeatAt ?? 0) >= on - 1000 && isReady('shop-1'))
    await kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/web-shop-1')
  })

  test('a machine whose certificate ended comes back with its secret', async () => {
    await world.run('mbox2', 'cd /var/lib/edgehold-node/pki && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=system:nodes/CN=system:node:shop-2 -days 1 -keyout k -out c 2>/dev/null && cat c k > old.pem && rm -f kubelet-client-2*.pem && ln -sf old.pem kubelet-client-current.pem && for n in kubelet kube-proxy flanneld; do kill -9 $(cat /run/edgehold-node/$n.pid); done')
    await until('a new certificate', 90_000, async () => (await world.run('mbox2', 'readlink /var/lib/edgehold-node/pki/kubelet-client-current.pem')).output.includes('kubelet-client-2'))
  })

  const LEFT = 'ls -d /etc/edgehold /opt/edgehold /etc/rc.local 2>/dev/null; ls -A /var/lib/kubelet /var/lib/edgehold-node; ip -br link | grep -v -e ^lo -e ^eth0; nft list tables; grep -e edgehold-node/ -e kubelet/ /proc/mounts; pgrep -af "/opt/[e]dgehold/"; find /sys/fs/cgroup -name "kubepods*"; pgrep -a agnhost; true'
  /** What the node controller does: off the members' list, Node deleted, secret marked, record forgotten. */
  async function removeNode(name: string): Promise<MachineSecret> {
    const record = await world.record(name)
    const secret = (await world.store.machineSecretsOf('c-shop')).find((one) => one.nodeName === name && one.state === 'member')
    assert.ok(record && secret)
    await world.store.write(clock.now(), async (tx) => {
      await tx.lockCluster('c-shop')
      await tx.lockNode(record.id)
      await tx.changeNode(record.id, { facts: withFacts(record.facts, { deletion: { requestedAt: clock.now(), by: 'call', done: [] } }) }, becauseOf('DeleteEdgeNodes'))
    })
    await world.tenant.ensureMembers(world.order, (await world.store.nodesOf({ clusterId: 'c-shop' })).map((node) => node.spec.name).filter((other) => other !== name))
    await world.tenant.ensureNodeGone(world.order, name)
    await world.store.write(clock.now(), async (tx) => {
      await tx.lockCluster('c-shop')
      await tx.lockNode(record.id)
      await tx.putMachineSecret({ ...secret, state: 'removed', changedAt: clock.now() })
      await tx.forget({ kind: 'Node', id: record.id }, { ...becauseOf('DeleteEdgeNodes'), text: 'it was deleted' })
    })
    return secret
  }

  test('a removed machine cleans up on the explicit answer only, confirms, and frees its name', async () => {
    const secret = await removeNode('shop-2')
    const refused = await world.addBox(8, 'shop-2')
    assert.match((await world.run(refused, world.line())).output, /The name shop-2 is reserved/)
    await until('confirmed', 90_000, async () => (await world.store.findMachineSecret(secret.secretHash))?.state === 'confirmed')
    await until('nothing is left', 20_000, async () => (await world.run('mbox2', LEFT)).output === '/var/lib/edgehold-node:\n\n/var/lib/kubelet:\n')
    await world.run(refused, 'mkdir -p /var/log/pods/of-others && echo theirs > /var/log/pods/of-others/0.log && touch /var/lib/kubelet/theirs')
    const free = await world.run(refused, world.line())
    assert.equal(free.exitCode, 0, free.output)
    await world.boxes.ensureGone('mbox2')
  })

  test('a removed machine that is off in the middle of its cleaning goes on when it is on again, and frees its name', async () => {
    const box = await world.addBox(9)
    const joined = await world.run(box, world.line())
    assert.equal(joined.exitCode, 0, joined.output)
    const secret = await removeNode('shop-9')
    const order = { id: box, name: 'shop-9', address: world.address(9) }
    await world.boxes.ensure({ ...order, power: 'on', link: 'cut' })
    await world.run(box, 'setsid /opt/edgehold/bin/edgehold-node reset --confirm < /dev/null > /run/first-half.log 2>&1 &')
    await until('its first half is done', 30_000, async () => (await world.run(box, '! pgrep -f "edgehold-[n]ode (tree|keep)" > /dev/null && pgrep -x curl > /dev/null && echo asks')).output === 'asks\n')
    await world.boxes.ensure({ ...order, power: 'off', link: 'cut' })
    assert.equal((await world.store.findMachineSecret(secret.secretHash))?.state, 'removed')
    await world.boxes.ensure({ ...order, power: 'on', link: 'up' })
    await until('confirmed', 60_000, async () => (await world.store.findMachineSecret(secret.secretHash))?.state === 'confirmed')
    await until('nothing is left', 20_000, async () => (await world.run(box, LEFT)).output === '/var/lib/edgehold-node:\n\n/var/lib/kubelet:\n')
    await world.boxes.ensureGone(box)
  })

  test('reset undoes everything by hand, and the machine may come again', async () => {
    const before = (await world.store.machineSecretsOf('c-shop')).filter((one) => one.state === 'member').length
    const { exitCode, output } = await world.run('mbox8', '/opt/edgehold/bin/edgehold-node reset')
    assert.match(output, /The node shop-2 is still listed; delete it/)
    assert.match(output, /no node any more/)
    assert.equal(exitCode, 0)
    assert.equal((await world.run('mbox8', 'ls -A /var/lib/kubelet /var/log/pods')).output, '/var/lib/kubelet:\ntheirs\n\n/var/log/pods:\nof-others\n')
    assert.equal((await world.run('mbox8', 'ls -d /etc/edgehold /opt/edgehold 2>/dev/null; pgrep -af "/opt/[e]dgehold/" || true')).output, '')
    assert.equal((await world.store.machineSecretsOf('c-shop')).filter((one) => one.state === 'member').length, before)
  })

  test('a full disk gives DiskPressure, and room takes it back', async () => {
    await world.run('mbox1', 'fallocate -l $(($(df --output=avail -B1 /var/lib/kubelet | tail -n 1) - 100000000)) /var/lib/kubelet/fill')
    await until('DiskPressure', 60_000, async () => world.nodes.get('shop-1')?.pressures.includes('DiskPressure'))
    await world.run('mbox1', 'rm /var/lib/kubelet/fill')
  })

  test('an unreachable server makes no machine clean up', async () => {
    await world.stopListening()
    await world.run('mbox1', 'kill $(cat /run/edgehold-node/agent.pid)') // it asks at once when it is started again
    await until('it asked in vain', 30_000, async () => (await world.run('mbox1', 'p=$(cat /run/edgehold-node/agent.pid); pgrep -P $p sleep')).output.trim() !== '')
    assert.equal((await world.run('mbox1', 'cat /etc/edgehold/machine.secret | wc -c')).output.trim(), '64')
    assert.ok(isReady('shop-1'))
  })
})
