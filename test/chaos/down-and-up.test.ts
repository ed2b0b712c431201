/** `down --all` and a reboot of the host: the next `up` brings everything back as it was. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { until } from '#test/harness/command.ts'
import { leftOnHost } from '#test/harness/left-on-host.ts'
import { MINUTE, Place, SECOND } from '#test/harness/place.ts'

interface Seen { readonly machines: readonly string[]; readonly endpoint: string; readonly nodes: readonly string[] }

describe('everything down and up again', () => {
  let place: Place
  let clusterId = ''
  let before_: Seen

  before(async () => {
    place = await Place.make()
    await place.up()
    clusterId = await place.createCluster('shop', 1)
    const poolId = await place.createPool(clusterId, 'counters')
    const onboardingId = await place.createOnboarding(clusterId, poolId)
    const on = await place.join(clusterId, onboardingId, 'till-on')
    const off = await place.addMachine('till-off')
    for (const [id, word] of [[on, 'on'], [off, 'off']] as const) {
      const ran = await place.call('ExecInMachine', { Id: id, Command: ['sh', '-c', `echo ${word} >/var/lib/kept; cat /etc/machine-id`] })
      assert.equal(ran.ExitCode, 0, ran.Output)
    }
    await place.call('SetMachine', { Id: off, Power: 'off' })
    await until('the machine to be off', async () => place.machinePids(off, 'sh').length === 0 && place.machinePids(off, 'dash').length === 0, MINUTE)
    await place.kubectl('shop', 'create', 'configmap', 'kept', '--from-literal=word=kept')
    before_ = await look()
  })
  after(() => place.remove())

  async function look(): Promise<Seen> {
    const machines = (await place.call('ListMachines', {})).Items.map(each => `${each.Name} ${each.Id} ${each.Power} ${each.Link} ${each.Address} ${each.NodeId ?? ''}`).toSorted()
    const [cluster] = (await place.call('ListClusters', {})).Items
    const nodes = (await place.call('ListEdgeNodes', {})).Items.map(each => `${each.Name} ${each.Id}`)
    return { machines, endpoint: cluster?.ClusterConfig.ApiServerEndpoints.PrivateIp.Ipv4 ?? '', nodes }
  }

  async function assertAllIsBack(): Promise<void> {
    await until('the API server', async () => place.componentPids(clusterId, 'kube-apiserver').length === 1, 2 * MINUTE)
    await until('what was kept in the cluster', async () => (await place.kubectl('shop', 'get', 'configmap', 'kept', '-o', 'jsonpath={.data.word}')) === 'kept', 2 * MINUTE)
    await place.reaches('the cluster', () => place.cluster(clusterId), 'Running/Ok', MINUTE, clusterId)
    await until('the node to be Ready in Kubernetes, by a heartbeat since', async () => {
      const node = JSON.parse(await place.kubectl('shop', 'get', 'node', 'till-on', '-o', 'json')) as { status: { conditions: { type: string; status: string; lastHeartbeatTime: string }[] } }
      const ready = node.status.conditions.find(each => each.type === 'Ready')
      return ready?.status === 'True' && Date.parse(ready.lastHeartbeatTime) > startedAt - SECOND
    }, 2 * MINUTE)
    await place.reaches('the node', () => place.node(clusterId, 'till-on'), 'Running/Ok', MINUTE)
    assert.deepEqual(await look(), before_, 'names, ids, addresses and power are the same')
    await place.assertOneControlPlane(clusterId)
    const [on, off] = ['till-on', 'till-off'].map(name => before_.machines.find(line => line.startsWith(`${name} `))?.split(' ')[1] ?? '')
    assert.equal((await place.call('ExecInMachine', { Id: on, Command: ['cat', '/var/lib/kept'] })).Output?.trim(), 'on', 'its disk is the same')
    assert.equal(place.machinePids(off ?? '', 'dash').length, 0, 'what was off stays off')
    await place.call('SetMachine', { Id: off, Power: 'on' })
    await until('the disk of the machine that was off', async () => (await place.call('ExecInMachine', { Id: off, Command: ['cat', '/var/lib/kept'] })).Output?.trim() === 'off', MINUTE)
    await place.call('SetMachine', { Id: off, Power: 'off' })
    await until('the machine to be off', async () => place.machinePids(off ?? '', 'dash').length === 0, MINUTE)
    await place.assertLedgerEqualsHost()
  }
  let startedAt = 0

  test('down --all leaves nothing on the host, and up brings all back', async () => {
    await place.down(true)
    assert.deepEqual(await leftOnHost(place.state), [])
    startedAt = Date.now()
    await place.up()
    await assertAllIsBack()
  })

  test('after a reboot of the host, up brings all back', async () => {
    reboot()
    startedAt = Date.now()
    await place.up()
    await assertAllIsBack()
  })

  /** What a power cut leaves of an installation: its files on disk, and nothing else. */
  function reboot(): void {
    for (let round = 0; round < 20; round++) {
      const pids = place.allPids()
      if (pids.length === 0) break
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // it died with its parent
        }
      }
      execFileSync('sleep', ['0.2'])
    }
    assert.deepEqual(place.allPids(), [], 'every process of the installation is dead')
    const quietly = (program: string, ...args: string[]) => {
      try {
        return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      } catch {
        return '' // it is gone already
      }
    }
    for (const name of quietly('ip', 'netns', 'list').split('\n').map(line => line.split(' ')[0] ?? '').filter(each => each.includes(place.hash))) quietly('ip', 'netns', 'delete', name)
    for (const name of quietly('ip', '-o', 'link').split('\n').map(line => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? '').filter(each => each.includes(place.hash.slice(0, 6)))) quietly('ip', 'link', 'delete', name)
    quietly('nft', 'delete', 'table', 'inet', `edgehold_${place.hash}`)
    for (const path of readFileSync('/proc/mounts', 'utf8').split('\n').map(line => line.split(' ')[1] ?? '').filter(each => each.includes(place.state) || each.includes(place.hash)).toReversed()) quietly('umount', '-l', path)
    for (const line of quietly('losetup', '-a').split('\n').filter(each => each.includes(place.state))) quietly('losetup', '-d', line.split(':')[0] ?? '')
    for (const folder of globSync(`/sys/fs/cgroup/*/edgehold-${place.hash}`)) quietly('find', folder, '-depth', '-type', 'd', '-delete')
    rmSync(`/run/edgehold/${place.hash}`, { recursive: true, force: true })
    assert.deepEqual(leftNow(), [], 'nothing of it is left on the host')
  }

  function leftNow(): string[] {
    return [
      ...globSync(`/sys/fs/cgroup/*/edgehold-${place.hash}`), ...globSync(`/run/netns/*${place.hash}*`), ...globSync(`/sys/class/net/*${place.hash.slice(0, 6)}*`), ...globSync(`/run/edgehold/${place.hash}`),
    ]
  }
})
