import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { addressPool, administrator, installed, missingForControlPlanes, until } from './control-plane-harness.ts'
import { OnboardingWorld } from './onboarding-harness.ts'
import { VirtualMachine } from './virtual-machine-harness.ts'

suite('the onboarding script on a machine with its own kernel, systemd and cgroup v2', { skip: missingForControlPlanes() ?? false, timeout: 3_000_000 }, () => {
  let world: OnboardingWorld
  let machine: VirtualMachine
  const isReady = () => world.nodes.get('farm-1')?.ready?.status === 'True'

  before(async () => {
    world = await OnboardingWorld.make('v1.35.4')
    const programs = ['kubelet', 'kube-proxy', 'containerd', 'flanneld'].map((name) => installed.find(name, name.startsWith('kube') ? { kubernetesVersion: 'v1.35.4' } : {}))
    const { gateway, prefix } = addressPool(world.region.network)
    machine = await VirtualMachine.boot({ name: 'farm-1', bridge: world.region.network.bridge, address: world.address(50), prefix, gateway, programs })
  })
  after(async () => {
    await using all = new AsyncDisposableStack()
    all.use(world)
    all.use(machine)
  })

  test('it is what we think it is', async () => {
    const { output } = await machine.exec('cat /proc/1/comm; stat -fc %T /sys/fs/cgroup; test -d /run/systemd/system && echo systemd runs; nproc', 600_000)
    assert.match(output, /^systemd\ncgroup2fs\nsystemd runs\n/)
  })

  test('the one line makes it Ready, kept alive by systemd', async () => {
    const began = Date.now()
    const { exitCode, output } = await machine.exec(world.line(), 600_000)
    assert.equal(exitCode, 0, `${output}\n${(await machine.exec('journalctl -q -n 80 -o cat -u "edgehold-*"')).output}`)
    console.log(`script: ${((Date.now() - began) / 1000).toFixed(1)} s`)
    assert.ok(isReady())
    assert.equal((await machine.exec('for n in containerd kubelet kube-proxy flanneld agent; do systemctl is-active edgehold-$n; systemctl is-enabled edgehold-$n; done | sort | uniq -c | tr -s " "')).output, ' 5 active\n 5 enabled\n')
    assert.match((await machine.exec('grep cgroupDriver /etc/edgehold/kubelet.yaml')).output, /systemd/)
  })

  test('a pod runs on it', async () => {
    const agnhost = (await world.registry.list()).find(({ name }) => name === 'agnhost')
    const api = await administrator(world.order)
    try {
      await api.call('POST', '/api/v1/namespaces/default/pods', {
        body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [{ name: 'web', image: `${world.registry.address()}/agnhost:${agnhost?.tags[0]}`, args: ['netexec', '--http-port=8080'], readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 } }] } },
      })
      let said: unknown
      await until('the pod is ready', 300_000, async () => {
        const pod = await api.find('/api/v1/namespaces/default/pods/web') as { status?: { conditions?: { type: string; status: string }[] } } | undefined
        said = pod?.status
        return pod?.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')
      }).catch(async (error: unknown) => {
        const { output } = await machine.exec('journalctl -q -n 40 -o cat -u edgehold-kubelet -u edgehold-containerd')
        throw new Error(`${JSON.stringify(said)}\n${output}`, { cause: error })
      })
    } finally {
      await api.close()
    }
  })

  test('a killed kubelet comes back, and the script again is quick', async () => {
    const { output: pid } = await machine.exec('systemctl show -p MainPID --value edgehold-kubelet; kill -9 $(systemctl show -p MainPID --value edgehold-kubelet)')
    await until('another kubelet', 60_000, async () => { const now = (await machine.exec('systemctl show -p MainPID --value edgehold-kubelet')).output; return now !== pid && now !== '0\n' })
    assert.equal((await machine.exec(world.line(), 400_000)).exitCode, 0)
    assert.equal((await world.store.nodesOf({ clusterId: 'c-shop' })).length, 1)
  })

  test('reset leaves nothing of ours', async () => {
    const { exitCode, output } = await machine.exec('/opt/edgehold/bin/edgehold-node reset', 300_000)
    assert.equal(exitCode, 0, output)
    const left = await machine.exec('ls -d /etc/edgehold /opt/edgehold /var/lib/edgehold-node /var/lib/kubelet /run/edgehold-node 2>/dev/null; systemctl list-unit-files "edgehold-*" --no-legend; ip -br link | grep -v -e ^lo -e ^eth0; nft list tables; grep -e edgehold -e kubelet /proc/mounts; pgrep -af "/opt/[e]dgehold/"; pgrep -a agnhost; find /sys/fs/cgroup -name "kubepods*"; true')
    assert.equal(left.output, '', `${left.output}${output}`)
  })

  test('boxes hold on a cgroup v2 host too', async () => {
    const { output } = await machine.exec('cp -r /seed/repository /opt/repository && cd /opt/repository && EDGEHOLD_TEST_PATIENCE=10 LD_LIBRARY_PATH=/seed /seed/node --test --test-isolation=none test/real/boxes.test.ts', 1_800_000)
    assert.match(output, /ℹ fail 0\n/, output.slice(-6000))
    assert.match(output, /ℹ pass \d\d/)
  })
})
