import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import type { Components } from '#ports/components.ts'
import type { ComponentSeen, ControlPlaneComponent, ControlPlaneOrder } from '#ports/control-plane-host.ts'
import { clusterPlaces } from '#providers/local/control-plane/places.ts'
import { administrator, installed, missingForControlPlanes, Region, until, untilUsable } from './control-plane-harness.ts'

const skip = missingForControlPlanes() ?? false
const COMPONENTS: readonly ControlPlaneComponent[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']

async function seen(region: Region, order: ControlPlaneOrder, name: ControlPlaneComponent): Promise<ComponentSeen> {
  const { components } = await region.host.look(order.clusterId)
  const component = components.find(other => other.name === name)
  assert.ok(component)
  return component
}

/** Every component's pid, once all of them run. */
async function pids(region: Region, order: ControlPlaneOrder): Promise<readonly number[]> {
  return until('all components run', 30_000, async () => {
    const { components } = await region.host.look(order.clusterId)
    return components.every(component => component.state === 'running') && components.map(component => component.pid ?? 0)
  })
}

async function keep(order: ControlPlaneOrder, name: string): Promise<void> {
  const api = await administrator(order)
  await api.json('POST', '/api/v1/namespaces/default/configmaps', { body: { metadata: { name }, data: { kept: 'yes' } } })
  await api.close()
}

async function isKept(order: ControlPlaneOrder, name: string): Promise<boolean> {
  const api = await administrator(order)
  try {
    return await api.find(`/api/v1/namespaces/default/configmaps/${name}`) !== undefined
  } finally {
    await api.close()
  }
}

suite('a control plane on this host', { skip, timeout: 400_000 }, () => {
  let region: Region
  let order: ControlPlaneOrder
  const changed: string[] = []
  const stop = new AbortController()
  let watching: Promise<void>

  before(async () => {
    region = await Region.make()
    watching = region.host.watch(clusterId => changed.push(clusterId), stop.signal)
    order = await region.order('ccontrolplane0000134', 'v1.34.4')
  })
  after(async () => {
    stop.abort()
    await watching
    await region?.[Symbol.asyncDispose]()
  })

  for (const version of installed.kubernetesVersions()) {
    test(`${version} becomes usable`, async t => {
      const mine = version === order.version ? order : await region.order(`ccontrolplane0000${version.replaceAll(/\D/g, '').slice(0, 3)}`, version)
      const from = Date.now()
      await region.host.ensure(mine)
      const ensured = Date.now() - from
      await untilUsable(mine)
      t.diagnostic(`${version}: ordered in ${ensured} ms, usable after ${Date.now() - from} ms`)
      const api = await administrator(mine)
      assert.equal((await api.json<{ gitVersion: string }>('GET', '/version')).gitVersion, version)
      await api.close()
      await pids(region, mine)
      if (mine !== order) await region.host.ensureGone(mine.clusterId)
    })
  }

  test('a second order starts nothing, from this process or another', async () => {
    const before = await pids(region, order)
    await Promise.all([region.host.ensure(order), region.another().ensure(order)])
    await runElsewhere(region, order, 'ensure')
    assert.deepEqual(await pids(region, order), before)
  })

  for (const name of COMPONENTS) {
    test(`${name} comes back by itself after kill -9, and tells how it ended`, async () => {
      const before = await until(`${name} runs`, 30_000, async () => {
        const component = await seen(region, order, name)
        return component.state === 'running' && component
      })
      changed.length = 0
      process.kill(before.pid ?? Number.NaN, 'SIGKILL')
      const after = await until(`${name} runs again`, 40_000, async () => {
        const component = await seen(region, order, name)
        return component.state === 'running' && component.pid !== before.pid && component
      })
      assert.equal(after.lastExit?.signal, 'SIGKILL')
      assert.equal(after.recentStarts, before.recentStarts + 1)
      assert.ok(changed.includes(order.clusterId), 'the watch told it')
      await untilUsable(order)
    })
  }

  test('a supervisor that is killed takes its component along, which is told, and the next order mends it', async () => {
    const others = await pids(region, order)
    const supervisor = Number(/supervisor=(\d+)/.exec(readFileSync(`${region.runFolder}/clusters/${order.clusterId}/status/kube-scheduler`, 'utf8'))?.[1])
    changed.length = 0
    process.kill(supervisor, 'SIGKILL')
    await until('the scheduler is seen down', 5_000, async () => (await seen(region, order, 'kube-scheduler')).state === 'exited')
    await until('the watch told it', 5_000, async () => changed.includes(order.clusterId))
    await region.another().ensure(order)
    const now = await pids(region, order)
    assert.deepEqual(now.slice(0, 3), others.slice(0, 3))
    assert.notEqual(now[3], others[3])
  })

  test('a namespace that somebody removed is made anew, with everything in it', async () => {
    const before = await pids(region, order)
    await run('ip', ['netns', 'delete', `eh-${region.hash}-${order.clusterId}`])
    await run('ip', ['link', 'delete', clusterPlaces(region, order.clusterId).link])
    assert.equal((await region.host.look(order.clusterId)).network, false)
    await region.host.ensure(order)
    await untilUsable(order)
    for (const pid of await pids(region, order)) assert.ok(!before.includes(pid))
  })

  test('routes are what was ordered last, also in a namespace that was made anew', async () => {
    const via = order.address.replace(/\d+$/, '200')
    await region.host.ensureRoutes(order.clusterId, [{ podCidr: '172.20.1.0/24', via }, { podCidr: '172.20.2.0/24', via }])
    await region.host.ensureRoutes(order.clusterId, [{ podCidr: '172.20.2.0/24', via }, { podCidr: '172.20.3.0/25', via }])
    assert.deepEqual(await podRoutes(region, order), ['172.20.2.0/24', '172.20.3.0/25'])
    await region.host.ensureStopped(order.clusterId)
    assert.deepEqual(region.left().filter(line => !line.startsWith('state ')).filter(line => !line.includes(`: ${region.network.bridge}:`)), [], 'nothing but the data stays of a stopped one')
    await region.host.ensureStopped(order.clusterId)
    await region.host.ensure(order)
    assert.deepEqual(await podRoutes(region, order), ['172.20.2.0/24', '172.20.3.0/25'])
    await untilUsable(order)
  })

  test('data outlives a stop and a reboot of the host', async () => {
    await keep(order, 'before')
    await region.host.ensureStopped(order.clusterId)
    assert.deepEqual((await region.host.look(order.clusterId)).components.map(component => component.state), ['absent', 'absent', 'absent', 'absent'])
    // What a reboot leaves: nothing in memory.
    rmSync(region.runFolder, { recursive: true })
    await region.host.ensure(order)
    await untilUsable(order)
    assert.ok(await isKept(order, 'before'))
  })

  test('a process that takes a component’s port is named, and it is a way out to end it', async () => {
    const other = await region.order('cporttaken0000000001', 'v1.34.4')
    await region.host.ensure(other)
    await region.host.ensureStopped(other.clusterId)
    const namespace = `eh-${region.hash}-${other.clusterId}`
    await run('ip', ['netns', 'add', namespace])
    await run('ip', ['-n', namespace, 'link', 'set', 'lo', 'up'])
    for (const [port, owner] of [[6443, 'kube-apiserver'], [2379, 'etcd'], [2380, 'etcd'], [10257, 'kube-controller-manager'], [10259, 'kube-scheduler']] as const) {
      const squatter = spawn('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, '-e', `require("net").createServer().listen(${port}, () => console.log("listening")); setTimeout(() => {}, 60000)`], { stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = once(squatter, 'exit')
      try {
        await once(squatter.stdout, 'data')
        await assert.rejects(region.host.ensure(other), { kind: 'ControlPlaneFailure', retry: 'soon', message: new RegExp(`^Port ${port} for ${owner} is taken by another program in the network namespace ${namespace}\\. End it .* it is tried again by itself\\.$`) })
      } finally {
        squatter.kill('SIGKILL')
        await ended
      }
    }
    // The first order above was stopped in the middle of its start: nothing of that start may come back or be in the way.
    await region.host.ensure(other)
    await untilUsable(other)
    await region.host.ensureGone(other.clusterId)
  })

  test('a lost datastore is said, and never quietly replaced by an empty one, also where whoever started it died before that was noted', async () => {
    rmSync(`${region.stateFolder}/clusters/${order.clusterId}/begun`)
    await region.host.look(order.clusterId)
    await region.host.ensureStopped(order.clusterId)
    rmSync(`${region.stateFolder}/clusters/${order.clusterId}/etcd`, { recursive: true })
    const { dataLost = '', takesCopy } = await region.host.look(order.clusterId)
    assert.match(dataLost, /is gone/)
    assert.equal(takesCopy, true)
    await assert.rejects(region.host.ensure(order), { kind: 'ControlPlaneFailure', retry: 'never' })
  })

  test('nothing is left of it when it goes, and going twice is fine', async () => {
    await region.host.ensureStopped(order.clusterId)
    assert.deepEqual((await region.host.look(order.clusterId)).keeps, ['its data'], 'a removal that was cut short there is gone on with')
    await region.host.ensureGone(order.clusterId)
    assert.equal((await region.host.look(order.clusterId)).keeps, undefined)
    await region.host.ensureGone(order.clusterId)
    assert.deepEqual(region.left().filter(line => !line.includes(`: ${region.network.bridge}:`)), [])
  })
})

suite('control planes that cannot start', { skip, timeout: 120_000 }, () => {
  test('a component that dies at start leaves its own last words', async () => {
    await using region = await Region.make(broken('kube-apiserver', '#!/bin/sh\necho starting\necho "no such luck: the moon is in the wrong place" >&2\nexit 7\n'))
    const order = await region.order('cdies000000000000001', 'v1.34.4')
    await region.host.ensure(order)
    const component = await until('it was tried again', 20_000, async () => {
      const now = await seen(region, order, 'kube-apiserver')
      return now.recentStarts >= 3 && now.lastExit !== undefined && now
    })
    assert.equal(component.lastExit?.code, 7)
    assert.deepEqual(component.lastExit?.lastLines, ['starting', 'no such luck: the moon is in the wrong place'])
  })

  test('missing components are a sentence that says what to run', async () => {
    const missing: Components = { ...fake(), find: async name => installed.find(name === 'kube-scheduler' ? 'nothing-of-that-name' : name) }
    await using region = await Region.make(missing)
    await assert.rejects(region.host.ensure(await region.order('cmissing000000000001', 'v1.34.4')), { kind: 'ControlPlaneFailure', retry: 'soon' })
  })

  test('a full disk is a sentence with a way out', async () => {
    await using region = await Region.make()
    mkdirSync(`${region.stateFolder}/clusters`)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'edgehold-test', `${region.stateFolder}/clusters`])
    try {
      await assert.rejects(region.host.ensure(await region.order('cfull000000000000001', 'v1.34.4')), { kind: 'ControlPlaneFailure', message: /MiB free.*Free some space/ })
    } finally {
      await run('umount', [`${region.stateFolder}/clusters`])
    }
  })
})

suite('two state folders side by side', { skip, timeout: 180_000 }, () => {
  test('each has its own, and one going leaves the other alone', async () => {
    await using one = await Region.make()
    await using other = await Region.make()
    assert.notEqual(one.network.cidr, other.network.cidr)
    const [first, second] = await Promise.all([one.order('csame000000000000001', 'v1.34.4'), other.order('csame000000000000001', 'v1.34.4')])
    await Promise.all([one.host.ensure(first), other.host.ensure(second)])
    await Promise.all([untilUsable(first), untilUsable(second)])
    const before = await pids(other, second)
    await keep(second, 'mine')
    await one.host.ensureGone(first.clusterId)
    assert.deepEqual(await pids(other, second), before)
    assert.ok(await isKept(second, 'mine'))
  })
})

function fake(): Components {
  return { kubernetesVersions: () => installed.kubernetesVersions(), find: (name, options) => installed.find(name, options), list: () => installed.list(), install: options => installed.install(options) }
}

/** The installed components, but one of them is this script. */
function broken(component: string, script: string): Components {
  return {
    ...fake(),
    async find(name, options) {
      const file = await installed.find(name, options)
      if (name !== component) return file
      const path = `/run/edgehold-test-${process.pid}-${component}`
      writeFileSync(path, script, { mode: 0o755 })
      after(() => rmSync(path, { force: true }))
      return { ...file, path }
    },
  }
}

async function podRoutes(region: Region, order: ControlPlaneOrder): Promise<string[]> {
  const routes = JSON.parse(await run('ip', ['-n', `eh-${region.hash}-${order.clusterId}`, '-j', 'route', 'show'])) as { dst: string }[]
  return routes.map(route => route.dst).filter(destination => destination.startsWith('172.20.')).toSorted()
}

async function run(program: string, words: readonly string[]): Promise<string> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { output += chunk })
  const [code] = await once(child, 'close') as [number]
  assert.equal(code, 0, `${program} ${words.join(' ')}`)
  return output
}

/** The same call in a process of its own, as a second server has it. */
async function runElsewhere(region: Region, order: ControlPlaneOrder, method: 'ensure'): Promise<void> {
  const script = `
    import { LocalControlPlaneHost } from '#providers/local/control-plane/local-control-plane-host.ts'
    import { clock, installed, quietLog } from '#test/real/control-plane-harness.ts'
    const { options, order } = JSON.parse(process.env.EDGEHOLD_TEST)
    await new LocalControlPlaneHost({ ...options, components: installed, clock, log: quietLog }).${method}(order)
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'inherit', 'inherit'], cwd: `${import.meta.dirname}/../..`,
    env: { ...process.env, EDGEHOLD_TEST: JSON.stringify({ order, options: { hash: region.hash, stateFolder: region.stateFolder, runFolder: region.runFolder, network: region.network } }) },
  })
  const [code] = await once(child, 'close') as [number]
  assert.equal(code, 0)
}
