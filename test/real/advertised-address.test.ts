import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { KubernetesTenantCluster } from '#kubernetes/tenant-cluster/kubernetes-tenant-cluster.ts'
import { ControlPlaneFailure, type ControlPlaneOrder } from '#ports/control-plane-host.ts'
import { ensureHostNetwork, removeHostNetwork } from '#providers/local/host-network/host-network.ts'
import { outsidePort, outsidePortsThere, takenPorts } from '#providers/local/host-network/outside-ports.ts'
import { addressPool, clock, installed, missingForControlPlanes, Region, until, untilUsable } from './control-plane-harness.ts'

const skip = missingForControlPlanes() ?? false
/** Not Edgehold's default, so that a region which serves on this machine is left alone; and another for each run. */
const BASE = 41_000 + (process.pid % 4) * 4_096
/** Of the addresses that are nobody's: the host's end of a link to the world outside, and a neighbour there. */
const HOST = `198.51.100.${4 * (process.pid % 60) + 1}`
const NEIGHBOUR = `198.51.100.${4 * (process.pid % 60) + 2}`
const outside = `eo-${process.pid}`
const link = `eo${process.pid}`

interface Ended { readonly code: number; readonly output: string }

function run(program: string, words: readonly string[]): Promise<Ended> {
  return new Promise(resolve => {
    execFile(program, words, { timeout: 60_000 }, (error, output, said) => resolve({ code: error ? Number(error.code ?? -1) : 0, output: output + said }))
  })
}

async function ip(...words: readonly string[]): Promise<void> {
  const { code, output } = await run('ip', words)
  assert.equal(code, 0, `ip ${words.join(' ')}: ${output}`)
}

suite('an API server behind an advertised address', { skip, timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-advertised-'))
  let region: Region
  let order: ControlPlaneOrder
  let port: number
  let kubectl: string
  const setting = { advertised: [HOST, 'edge.example'], outsidePortBase: BASE }

  /** curl with the cluster's authority alone; `from` is a namespace, or the host itself. */
  const curl = (from: string | undefined, url: string): Promise<Ended> => {
    const words = ['curl', '-sS', '--noproxy', '*', '--connect-timeout', '3', '--cacert', join(folder, 'ca.crt'), ...['edge.example', 'new.example'].flatMap(name => ['--resolve', `${name}:${port}:${HOST}`]), url]
    return from === undefined ? run('curl', words.slice(1)) : run('ip', ['netns', 'exec', from, ...words])
  }
  const isReady = async (from?: string, name = HOST): Promise<boolean> => (await curl(from, `https://${name}:${port}/readyz`)).output === 'ok'
  const nodesOf = (kubeconfig: string): Promise<Ended> => run('ip', ['netns', 'exec', outside, 'env', 'NO_PROXY=*', kubectl, '--kubeconfig', kubeconfig, 'get', 'namespaces', '-o', 'name'])

  before(async () => {
    await ip('netns', 'add', outside)
    await ip('link', 'add', 'name', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside)
    await ip('address', 'add', `${HOST}/30`, 'dev', link)
    await ip('link', 'set', 'dev', link, 'up')
    await ip('-n', outside, 'address', 'add', `${NEIGHBOUR}/30`, 'dev', 'eth0')
    await ip('-n', outside, 'link', 'set', 'dev', 'eth0', 'up')
    await ip('-n', outside, 'route', 'add', 'default', 'via', HOST)
    kubectl = (await installed.find('kubectl', { kubernetesVersion: 'v1.35.4' })).path
    region = await Region.make(installed, setting)
    order = await region.order('cadvertised000000001', 'v1.35.4')
    port = outsidePort(region.network, BASE, order.address)
    writeFileSync(join(folder, 'ca.crt'), order.pki.caCert)
    await region.host.ensure(order)
    await untilUsable(order)
  })
  after(async () => {
    await region?.[Symbol.asyncDispose]()
    await run('ip', ['link', 'delete', 'dev', link])
    await run('ip', ['netns', 'delete', outside])
    rmSync(folder, { recursive: true })
  })

  test('kubectl reaches it from outside with a public kubeconfig, and nobody outside reaches the region’s network', async () => {
    const text = await new KubernetesTenantCluster(clock).issueKubeconfig(order, { id: 'kpublic', clusterName: 'shop', validHours: 1, server: `https://${HOST}:${port}` })
    writeFileSync(join(folder, 'public'), text)
    const { code, output } = await nodesOf(join(folder, 'public'))
    assert.equal(code, 0, output)
    assert.match(output, /namespace\/default/)
    assert.ok(await isReady(outside, 'edge.example'), 'by its name as well')
    assert.notEqual((await curl(outside, `https://${order.address}:6443/readyz`)).code, 0)
  })

  test('so do this host and whoever is on the bridge', async () => {
    assert.ok(await isReady())
    const inside = `${outside}-in`
    await ip('netns', 'add', inside)
    try {
      await ip('link', 'add', 'name', `${link}i`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', inside)
      await ip('link', 'set', 'dev', `${link}i`, 'master', region.network.bridge, 'up')
      await ip('-n', inside, 'address', 'add', `${addressPool(region.network).last}/${addressPool(region.network).prefix}`, 'dev', 'eth0')
      await ip('-n', inside, 'link', 'set', 'dev', 'eth0', 'up')
      await ip('-n', inside, 'route', 'add', 'default', 'via', addressPool(region.network).gateway)
      assert.ok(await isReady(inside))
    } finally {
      await run('ip', ['link', 'delete', 'dev', `${link}i`])
      await ip('netns', 'delete', inside)
    }
  })

  test('a name that is advertised from now on comes into its certificate while it runs', async () => {
    const pid = async (): Promise<number | undefined> => (await region.host.look(order.clusterId)).components.find(component => component.name === 'kube-apiserver')?.pid
    const before = await pid()
    assert.equal(await isReady(outside, 'new.example'), false)
    await region.another(installed, { ...setting, advertised: [HOST, 'new.example'] }).ensureReachedFromOutside(order)
    await until('the new name is served', 75_000, () => isReady(outside, 'new.example'))
    assert.equal(await pid(), before)
  })

  test('a port that another program has is named; the cluster starts when it is free', async () => {
    const other = await region.order('cadvertised000000002', 'v1.35.4')
    const theirs = outsidePort(region.network, BASE, other.address)
    const squatter = createServer().listen(theirs, '0.0.0.0')
    await once(squatter, 'listening')
    await assert.rejects(region.host.ensure(other), (error: unknown) => error instanceof ControlPlaneFailure && error.retry === 'soon' && error.message.includes(`Port ${theirs} `))
    squatter.close()
    await once(squatter, 'close')
    await region.host.ensure(other)
    assert.deepEqual((await outsidePortsThere(region.network)).map(one => one.port).toSorted((one, other) => one - other), [port, theirs])
    await region.host.ensureGone(other.clusterId)
    assert.deepEqual(await outsidePortsThere(region.network), [{ clusterId: order.clusterId, address: order.address, port }])
  })

  test('the port is the same after a reboot of the host, and another region cannot have it', async () => {
    await region.host.ensureStopped(order.clusterId)
    await removeHostNetwork(region.network)
    rmSync(region.runFolder, { recursive: true })
    assert.equal(await isReady(outside), false)
    await ensureHostNetwork(region.network, [])
    await region.host.ensure(order)
    assert.match((await takenPorts({ ...region.network, hash: 'ffffffff' })).get(port) ?? '', /leads to cluster cadvertised000000001 of another region/)
    await until('it is reached again', 60_000, () => isReady(outside))
    assert.equal((await nodesOf(join(folder, 'public'))).code, 0)

    // As at a restart of the server: the rules are replaced as a whole, and nobody loses the way.
    await ensureHostNetwork(region.network, await outsidePortsThere(region.network))
    assert.ok(await isReady(outside))
  })

  test('nothing leads in once the cluster is gone, and no rule stays of the region', async () => {
    await region.host.ensureGone(order.clusterId)
    assert.deepEqual(await outsidePortsThere(region.network), [])
    assert.notEqual((await curl(outside, `https://${HOST}:${port}/readyz`)).code, 0)
    await removeHostNetwork(region.network)
    assert.doesNotMatch((await run('nft', ['list', 'tables'])).output, new RegExp(region.hash))
  })
})
