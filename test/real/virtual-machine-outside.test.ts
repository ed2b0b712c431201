import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { until } from '#test/harness/command.ts'
import { MINUTE, Place, SECOND } from '#test/harness/place.ts'
import { installed, missingForControlPlanes } from './control-plane-harness.ts'
import { OutsideNetwork } from './outside-harness.ts'
import { VirtualMachine } from './virtual-machine-harness.ts'

suite('a machine with its own kernel and systemd, behind address translation', { skip: missingForControlPlanes() ?? false, timeout: 1_200_000 }, () => {
  let network: OutsideNetwork
  let place: Place
  let cluster: string
  let machine: VirtualMachine
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-outside-'))
  const kubectl = (...words: string[]): Promise<string> => place.kubectl('shop', ...words)
  const reaches = (pod: string, target: string): Promise<string> => until(`${pod} reaches ${target}`, async () => await kubectl('exec', pod, '--', '/agnhost', 'connect', target, '--timeout=3s') + 'yes', MINUTE)

  before(async () => {
    network = await OutsideNetwork.make()
    place = await Place.make({ EDGEHOLD_ADVERTISE: network.host, EDGEHOLD_ADVERTISE_PORT_BASE: String(45_000 + (process.pid % 4) * 4_096) })
    await place.up()
    cluster = await place.createCluster('shop', 1)
    const script = await place.createOnboarding(cluster, await place.createPool(cluster, 'counters'))
    const programs = ['kubelet', 'kube-proxy', 'containerd', 'flanneld', 'nebula'].map(name => installed.find(name, name.startsWith('kube') ? { kubernetesVersion: 'v1.35.4' } : {}))
    machine = await VirtualMachine.boot({ name: 'far-1', bridge: network.bridge, address: network.address(11), prefix: network.prefix, gateway: network.gateway, hands: network.host, programs })
    await place.join(cluster, script, 'shop-1')
  })
  after(async () => {
    // Each of them goes, whatever becomes of those before it.
    await using all = new AsyncDisposableStack()
    all.defer(() => { rmSync(folder, { recursive: true, force: true }) })
    all.use(network)
    all.defer(() => place?.remove())
    all.use(machine)
  })

  test('becomes a Ready node by the one line, kept by systemd', async () => {
    const { BootstrapScript: line } = await place.installation.json<{ BootstrapScript: string }>(['get', 'onboarding', 'tills'])
    const { exitCode, output } = await machine.exec(line, 10 * MINUTE)
    assert.equal(exitCode, 0, `${output}\n${(await machine.exec('journalctl -q -n 80 -o cat -u "edgehold-*"')).output}`)
    await place.reaches('node far-1', () => place.node(cluster, 'far-1'), 'Running/Ok', MINUTE)
    assert.equal((await machine.exec('systemctl is-active edgehold-overlay; systemctl is-enabled edgehold-overlay')).output, 'active\nenabled\n')
  })

  test('its pods and those of boxes reach each other, and the API server reaches them', async () => {
    const [, image] = /^(\S+agnhost\S+)$/m.exec(await place.installation.ok(['images', 'list'])) ?? []
    for (const [name, node] of [['near', 'shop-1'], ['far', 'far-1']] as const) {
      writeFileSync(join(folder, name), JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: { nodeName: node, containers: [{ name: 'web', image, args: ['netexec', '--http-port=8080'] }] } }))
      await kubectl('apply', '-f', join(folder, name))
      await kubectl('expose', 'pod', name, '--port=80', '--target-port=8080')
    }
    await until('both pods are Ready', () => kubectl('wait', '--for=condition=Ready', '--timeout=30s', 'pod/near', 'pod/far'), 3 * MINUTE)
    await reaches('near', 'far.default.svc.cluster.local:80')
    await reaches('far', 'near.default.svc.cluster.local:80')
    assert.equal(await kubectl('get', '--raw', '/api/v1/namespaces/default/pods/far:8080/proxy/hostname'), 'far')
    assert.match(await kubectl('logs', 'far'), /Started HTTP server/)
    const address = await kubectl('get', 'pod', 'near', '-o', 'jsonpath={.status.podIP}')
    assert.equal((await machine.exec(`head -c 10000000 /dev/urandom > /root/many && curl -sS --max-time 100 -o /dev/null -w %{http_code} -F file=@/root/many http://${address}:8080/upload; rm /root/many`)).output, '200')
  })

  test('it comes back after a reboot, with its pods', async () => {
    const rebooted = Date.now()
    await machine.reboot()
    await until('its kubelet says so', async () => Date.parse(await kubectl('get', 'node', 'far-1', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].lastHeartbeatTime}')) >= rebooted, 3 * MINUTE)
    await until('its pod answers', async () => (await kubectl('get', '--raw', '/api/v1/namespaces/default/pods/far:8080/proxy/hostname')) === 'far', 2 * MINUTE)
    await reaches('near', 'far:80')
  })

  test('reset leaves nothing of ours', async () => {
    const { exitCode, output } = await machine.exec('/opt/edgehold/bin/edgehold-node reset', 3 * MINUTE)
    assert.equal(exitCode, 0, output)
    const LEFT = 'ls -d /etc/edgehold /opt/edgehold /var/lib/edgehold-node /run/edgehold-node 2>/dev/null; systemctl list-unit-files "edgehold-*" --no-legend; ip -br link | grep -v -e ^lo -e ^eth0; nft list tables; ip -4 route show | grep -v -e ^default -e "dev eth0"; pgrep -af "/opt/[e]dgehold/"; true'
    await until('nothing is left', async () => (await machine.exec(LEFT)).output === '', 10 * SECOND)
  })
})
