import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Boxes } from '#providers/local/boxes/boxes.ts'
import { until } from '#test/harness/command.ts'
import { leftOnHost } from '#test/harness/left-on-host.ts'
import { isAlive, kill9, MINUTE, Place, SECOND } from '#test/harness/place.ts'
import { clock, missingForControlPlanes, quietLog } from './control-plane-harness.ts'
import { OutsideNetwork } from './outside-harness.ts'

/** What an onboarded machine has of ours, seen from outside of our programs; nothing on one that has none. */
const LEFT = 'ls -d /etc/edgehold /opt/edgehold /etc/rc.local 2>/dev/null; ip -br link | grep -v -e ^lo -e ^eth0; nft list tables; ip -4 route show | grep -v -e ^default -e "dev eth0"; pgrep -af "/opt/[e]dgehold/"; pgrep -a agnhost; true'

suite('a machine on a network of its own, behind address translation', { skip: missingForControlPlanes() ?? false, timeout: 600_000 }, () => {
  let network: OutsideNetwork
  let place: Place
  let cluster: string
  let script: string
  let line: string
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-outside-'))
  const own = mkdtempSync('/var/tmp/edgehold-outside-') // not on the region's network, so not the region's own machines
  let boxes: Boxes

  const machine = (number: number, power: 'on' | 'off' = 'on'): Promise<unknown> => boxes.ensure({ id: `mfar${number}`, name: `far-${number}`, address: network.address(10 + number), power, link: 'up' })
  const on = (number: number, command: string, deadlineMs = 2 * MINUTE): Promise<{ exitCode: number; output: string }> => boxes.exec(`mfar${number}`, ['sh', '-c', command], { signal: AbortSignal.timeout(deadlineMs) })
  const kubectl = (...words: string[]): Promise<string> => place.kubectl('shop', ...words)
  const reaches = (pod: string, target: string): Promise<string> => until(`${pod} reaches ${target}`, async () => await kubectl('exec', pod, '--', '/agnhost', 'connect', target, '--timeout=3s') + 'yes', 30 * SECOND)
  const addressOf = (pod: string): Promise<string> => kubectl('get', 'pod', pod, '-o', 'jsonpath={.status.podIP}')
  const nebulaPid = (): number => {
    const pid = readdirSync('/proc').filter(name => /^\d+$/.test(name)).find(name => { try { return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(`\0-config\0/run/edgehold/${place.hash}/overlay/`) } catch { return false } }) // ended meanwhile
    return Number(pid)
  }
  const runPod = async (name: string, node: string): Promise<void> => {
    const [, image] = /^(\S+agnhost\S+)$/m.exec(await place.installation.ok(['images', 'list'])) ?? []
    writeFileSync(join(folder, name), JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: { nodeName: node, terminationGracePeriodSeconds: 1, containers: [{ name: 'web', image, args: ['netexec', '--http-port=8080'] }] } }))
    writeFileSync(join(folder, `${name}.service`), JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] } }))
    await kubectl('apply', '-f', join(folder, name), '-f', join(folder, `${name}.service`))
  }

  before(async () => {
    network = await OutsideNetwork.make()
    boxes = new Boxes({ stateDir: own, hash: randomBytes(4).toString('hex'), bridge: network.bridge, gateway: network.gateway, prefixLength: network.prefix, clock, log: quietLog })
    place = await Place.make({ EDGEHOLD_ADVERTISE: network.host, EDGEHOLD_ADVERTISE_PORT_BASE: String(45_000 + (process.pid % 4) * 4_096) })
    await place.up()
    cluster = await place.createCluster('shop', 1)
    script = await place.createOnboarding(cluster, await place.createPool(cluster, 'counters'))
    line = (await place.installation.json<{ BootstrapScript: string }>(['get', 'onboarding', 'tills'])).BootstrapScript
    await Promise.all([place.join(cluster, script, 'shop-1'), machine(1), machine(2)])
  })
  after(async () => {
    // Each of them goes, whatever becomes of those before it.
    await using all = new AsyncDisposableStack()
    for (const each of [folder, own]) all.defer(() => { rmSync(each, { recursive: true, force: true }) })
    all.use(network)
    all.defer(() => place?.remove())
    all.defer(() => boxes?.ensureAllStopped())
    for (const id of ['mfar1', 'mfar2']) all.defer(() => boxes?.ensureGone(id))
  })

  test('becomes a Ready node by the one line that the API shows', async () => {
    assert.match(line, new RegExp(`^F=\\$\\(mktemp\\) && curl .*https://${network.host}:7443/join/script/\\S+ -o "\\$F" && sh "\\$F"$`), 'nothing about this host’s network alone')
    const { exitCode, output } = await on(1, line)
    assert.equal(exitCode, 0, output)
    await place.reaches('node far-1', () => place.node(cluster, 'far-1'), 'Running/Ok', MINUTE)
  })

  test('its pods and those of boxes reach each other by pod address, Service and DNS', async () => {
    await Promise.all([runPod('near', 'shop-1'), runPod('far', 'far-1')])
    await kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/near', 'pod/far')
    for (const [from, to] of [['near', 'far'], ['far', 'near']] as const) {
      await reaches(from, `${await addressOf(to)}:8080`)
      await reaches(from, `${await kubectl('get', 'service', to, '-o', 'jsonpath={.spec.clusterIP}')}:80`)
      await reaches(from, `${to}.default.svc.cluster.local:80`)
    }
  })

  test('logs, exec, port-forward, metrics of the kubelet and calls of the API server to its pods work', async () => {
    assert.match(await kubectl('logs', 'far'), /Started HTTP server/)
    assert.match(await kubectl('exec', 'far', '--', '/agnhost', 'help'), /Usage/)
    assert.equal(await kubectl('get', '--raw', '/api/v1/namespaces/default/pods/far:8080/proxy/hostname'), 'far')
    assert.equal(await kubectl('get', '--raw', '/api/v1/namespaces/default/services/far:80/proxy/hostname'), 'far')
    assert.match(await kubectl('get', '--raw', '/api/v1/nodes/far-1/proxy/metrics/resource'), /pod_cpu_usage_seconds_total\{.*pod="far"/)
    const port = 20_000 + (process.pid % 10_000)
    const forward = spawn(join(import.meta.dirname, '../../edgehold'), ['kubectl', 'shop', 'port-forward', 'pod/far', `${port}:8080`], { env: place.installation.environment, stdio: 'ignore', detached: true })
    try {
      assert.equal(await until('the forwarded port', async () => (await fetch(`http://127.0.0.1:${port}/hostname`)).text(), 20 * SECOND), 'far')
    } finally {
      if (forward.pid !== undefined) process.kill(-forward.pid)
    }
  })

  test('many packets of full size go both ways', async () => {
    const upload = (address: string): string => `head -c 20000000 /dev/urandom > /tmp/many && curl -sS --max-time 60 -o /dev/null -w %{http_code} -F file=@/tmp/many http://${address}:8080/upload; rm /tmp/many`
    const near = (await place.call('ListMachines', { Filter: { Names: ['shop-1'] } })).Items[0]
    const there = await place.call('ExecInMachine', { Id: near?.Id ?? '', Command: ['sh', '-c', upload(await addressOf('far'))] })
    assert.equal(there.Output, '200')
    assert.equal((await on(1, upload(await addressOf('near')))).output, '200')
  })

  test('of the host itself it reaches the registry and the join endpoint through the overlay, and nothing else', async () => {
    const [gateway = ''] = (await place.installation.ok(['images', 'list'])).split(':')
    const other = createServer(socket => socket.end()).listen(0, '0.0.0.0')
    try {
      await once(other, 'listening')
      const { port } = other.address() as AddressInfo
      // 28: no connection in time.
      assert.match((await on(1, `curl -s --connect-timeout 3 --max-time 4 -o /dev/null telnet://${gateway}:${port} < /dev/null; echo ended with $?`)).output, /^ended with 28$/m)
      for (const url of [`http://${gateway}:5000/v2/`, `https://${gateway}:7443/join`]) assert.match((await on(1, `curl -sk --max-time 5 -o /dev/null -w '%{http_code}' ${url}`)).output, /^[24]/, url)
    } finally {
      other.close()
    }
  })

  test('where UDP does not come through, that is the sentence, and the same line goes on later', async () => {
    await network.inRouter('nft', 'add chain ip router closed { type filter hook forward priority -1; meta l4proto udp drop; }')
    const refused = await on(2, line)
    assert.equal(refused.exitCode, 1, refused.output)
    assert.match(refused.output, new RegExp(`UDP packets from here to ${network.host}:\\d+, or the answers to them, do not come through: open that port`))
    await place.reaches('node far-2', () => place.node(cluster, 'far-2'), 'Failed/InitializeFailed', 10 * SECOND)
    await network.inRouter('nft', 'delete chain ip router closed')
    const { exitCode, output } = await on(2, line)
    assert.equal(exitCode, 0, output)
    await runPod('farther', 'far-2')
    await kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/farther')
    await reaches('farther', 'far:80')
  })

  test('papers that end are renewed without a break', async () => {
    const [before, pid] = (await on(1, 'sed -i "s/\\..*/.1/" /etc/edgehold/overlay/have; sha256sum < /etc/edgehold/overlay/settings.yml; cat /run/edgehold-node/overlay.pid; kill $(cat /run/edgehold-node/agent.pid)')).output.split(/ .*\n/)
    await until('other papers', async () => !(await on(1, 'sha256sum < /etc/edgehold/overlay/settings.yml')).output.startsWith(before ?? ''), 30 * SECOND)
    assert.equal((await on(1, 'cat /run/edgehold-node/overlay.pid')).output, pid)
    await reaches('near', 'far:80')
  })

  test('it comes back after its own reboot', async () => {
    await machine(1, 'off')
    const rebooted = Date.now()
    await machine(1)
    await until('its kubelet says so', async () => Date.parse(await kubectl('get', 'node', 'far-1', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].lastHeartbeatTime}')) >= rebooted - 1_000, MINUTE)
    await kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'node/far-1', 'pod/far')
    await reaches('near', 'far:80')
  })

  test('a server that comes again takes the overlay over; one that died comes back', async () => {
    const pid = nebulaPid()
    await place.killServer()
    await place.up()
    await until('the server looked', async () => (await place.node(cluster, 'far-1')) === 'Running/Ok', 20 * SECOND)
    assert.ok(isAlive(pid) && nebulaPid() === pid)
    await kill9(pid)
    await until('another process', async () => { const now = nebulaPid(); return Number.isInteger(now) && now !== pid }, 30 * SECOND)
    await reaches('near', 'far:80')
    assert.equal(await kubectl('get', '--raw', '/api/v1/namespaces/default/pods/far:8080/proxy/hostname'), 'far')
  })

  test('it comes back when the host of the server has nothing left of it, and does again', async () => {
    await place.down(true)
    assert.deepEqual(await leftOnHost(place.state), [])
    await place.up()
    await place.reaches('cluster', () => place.cluster(cluster), 'Running/Ok', 2 * MINUTE, cluster)
    await until('its pods are reached', async () => (await kubectl('get', '--raw', '/api/v1/namespaces/default/pods/far:8080/proxy/hostname')) === 'far', MINUTE)
    await kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'node/shop-1', 'pod/near')
    await reaches('near', 'far:80')
  })

  test('a removed machine undoes everything, and what it kept of its papers leads nowhere', async () => {
    await on(2, 'mkdir /tmp/kept && cp -r /etc/edgehold/overlay /opt/edgehold/bin/nebula /tmp/kept && sed -i s,/etc/edgehold/overlay,/tmp/kept/overlay, /tmp/kept/overlay/settings.yml')
    const { Items: [node] } = await place.call('ListEdgeNodes', { Filter: { ClusterIds: [cluster], Name: 'far-2' } })
    await place.call('DeleteEdgeNodes', { ClusterId: cluster, Ids: [node?.Id ?? ''], NodePoolId: node?.NodePoolId ?? '' })
    await place.reaches('node far-2', () => place.node(cluster, 'far-2'), 'absent', 2 * MINUTE)
    await on(2, 'kill $(cat /run/edgehold-node/agent.pid)') // it asks at once when it is started again
    await until('nothing of ours is left', async () => (await on(2, LEFT)).output === '', MINUTE)
    const registry = `http://${(await place.installation.ok(['images', 'list'])).split('/')[0]}/v2/`
    const tries = async () => (await on(2, `/tmp/kept/nebula -config /tmp/kept/overlay/settings.yml & sleep 1; curl -s --max-time 6 -o /dev/null ${registry} && echo reached; kill $!; wait`)).output
    // The region's end of the overlay is told of whoever left within seconds.
    await until('its papers to lead nowhere', async () => !/reached/.test(await tries()), 30 * SECOND)
    await on(2, 'rm -r /tmp/kept')
    await reaches('near', 'far:80')
  })

  test('reset undoes everything by hand', async () => {
    const { exitCode, output } = await on(1, '/opt/edgehold/bin/edgehold-node reset')
    assert.equal(exitCode, 0, output)
    await until('nothing of ours is left', async () => (await on(1, LEFT)).output === '', 10 * SECOND) // the kernel takes cables of pods away by and by
  })

  test('nothing of it is left on the host in the end', async () => {
    await place.down(true)
    assert.deepEqual(await leftOnHost(place.state), [])
    assert.doesNotMatch(execFileSync('ip', ['rule', 'list'], { encoding: 'utf8' }), new RegExp(place.hash))
  })
})
