/** A disk that is full, and ports that somebody else has: a sentence that says it, and it goes on by itself when that is over. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Installation, until } from '#test/harness/command.ts'
import { leftOnHost } from '#test/harness/left-on-host.ts'
import { MINUTE, pair, Place, SECOND } from '#test/harness/place.ts'

const MIB = 1024 ** 2

describe('no room', () => {
  let disk = ''
  let place: Place
  let clusterId = ''
  const filler = () => join(place.state, 'filler')

  before(async () => {
    // A small disk of its own for the state folder.
    disk = mkdtempSync(join(tmpdir(), 'edgehold-small-disk-'))
    chmodSync(disk, 0o711)
    execFileSync('truncate', ['-s', '1200M', join(disk, 'image')])
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', join(disk, 'image')])
    execFileSync('mkdir', [join(disk, 'mount')])
    execFileSync('mount', ['-o', 'loop', join(disk, 'image'), join(disk, 'mount')])
    chmodSync(join(disk, 'mount'), 0o711)
    place = new Place(await Installation.make({}, join(disk, 'mount')))
    await place.up()
    // The registry's images are in place, so that the room left is ours to measure out.
    await until('the registry to be filled', async () => /all components are installed/.test((await place.call('ListRegions', {})).Items.find(region => region.Region === 'local-1')?.Text ?? ''), 3 * MINUTE)
  })
  after(async () => {
    rmSync(filler(), { force: true })
    await place.remove()
    execFileSync('umount', [join(disk, 'mount')])
    rmSync(disk, { recursive: true, force: true })
  })

  function freeMib(): number {
    const { bavail, bsize } = statfsSync(place.state)
    return Math.floor((bavail * bsize) / MIB)
  }

  /** The log is written out when there is room again and something more is logged. */
  function whatTheServerLogged(): string {
    rmSync(`${filler()}.rest`, { force: true })
    return `\n${readFileSync(join(place.state, 'log/server.log'), 'utf8').split('\n').filter(line => line.includes('"level":50')).slice(-3).join('\n')}`
  }

  function leaveFree(mib: number): void {
    rmSync(filler(), { force: true })
    execFileSync('fallocate', ['-l', `${Math.max(freeMib() - mib, 1)}M`, filler()])
  }

  test('a cluster ordered while the disk is nearly full stays Creating and says what it waits for', async () => {
    leaveFree(100)
    clusterId = (await place.call('CreateCluster', place.clusterOrder('shop', 1))).Id
    await until('the reason to name the disk', async () => /has only \d+ MiB free and a control plane needs \d+\. Free some space there; it is tried again by itself/.test(await place.because(clusterId)), MINUTE)
    assert.equal(await place.cluster(clusterId), 'Creating/Progressing')
  })

  test('with its port taken in the namespace it says which and where, and goes on when the port is free', async () => {
    const namespace = `eh-${place.hash}-${clusterId}`
    execFileSync('ip', ['netns', 'add', namespace])
    execFileSync('ip', ['netns', 'exec', namespace, 'ip', 'link', 'set', 'lo', 'up'])
    const squatter = spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', "require('net').createServer().listen(6443, '0.0.0.0', () => console.log('listening'))"], { stdio: ['ignore', 'pipe', 'inherit'] })
    await listening(squatter)
    rmSync(filler())
    await until('the reason to name the port', async () => new RegExp(`Port 6443 for kube-apiserver is taken by another program in the network namespace ${namespace}`).test(await place.because(clusterId)), MINUTE)
    assert.equal(await place.cluster(clusterId), 'Creating/Progressing')
    squatter.kill('SIGKILL')
    await place.reaches('the cluster', () => place.cluster(clusterId), 'Running/Ok', 2 * MINUTE, clusterId)
    await place.assertOneControlPlane(clusterId)
    await place.assertNeverFailed(clusterId)
  })

  test('a disk that runs full under a running cluster: the server answers on, and all heals when there is room again', async t => {
    const server = place.serverPid()
    t.after(() => {
      rmSync(`${filler()}.rest`, { force: true })
      rmSync(filler(), { force: true })
    })
    // What others write meanwhile is left to them; the rest is filled up byte by byte.
    leaveFree(10)
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${filler()}.rest bs=64k 2>/dev/null || true`])
    const refusals: string[] = []
    await until('a write to be refused for lack of room', async () => {
      await place.client.callAny('UpdateClusterConfig', { Id: clusterId, Description: `full ${Date.now()} ${'x'.repeat(200)}` }, { timeoutMs: 5 * SECOND }).catch((error: unknown) => refusals.push(`${(error as { status?: number }).status} ${String(error)}`))
      // The room that PostgreSQL took ahead for its log of changes is used up at once.
      await place.query('select pg_switch_wal()').catch(() => undefined)
      return refusals.length > 0
    }, 90 * SECOND, 1)
    const logged = refusals.every(refusal => refusal.startsWith('503 ')) ? '' : whatTheServerLogged()
    assert.ok(refusals.every(refusal => refusal.startsWith('503 ')), `refused with 503 where it could not be written: ${refusals.join(', ')}${logged}`)
    // PostgreSQL itself ends when it cannot write its log of changes; whoever reads meanwhile is told to come again, and no component of the cluster is touched.
    await place.cluster(clusterId).catch((error: unknown) => assert.equal((error as { status?: number }).status, 503))
    const health = await fetch(`http://${place.installation.listen}/healthz`)
    assert.equal(health.status, 200)
    rmSync(`${filler()}.rest`)
    rmSync(filler(), { force: true })
    await place.reaches('the cluster', () => place.cluster(clusterId), 'Running/Ok', 2 * MINUTE, clusterId)
    await until('its API to take writes', async () => (await place.kubectl('shop', 'create', 'configmap', `after-${Date.now()}`)) !== '', MINUTE)
    await place.callThrough('UpdateClusterConfig', { Id: clusterId, Description: 'room again' })
    assert.equal(place.serverPid(), server, 'the server is the same process')
  })

  test('the join port and the registry port taken on the host: the region says so, and goes on when they are free', async t => {
    await place.down(false)
    const { cidr } = JSON.parse(readFileSync(join(place.state, 'network.json'), 'utf8')) as { cidr: string }
    const gateway = (cidr.split('/')[0] ?? '').replace(/\d+$/, last => String(Number(last) + 1))
    const text = async () => (await place.call('ListRegions', {})).Items.find(region => region.Region === 'local-1')
    for (const pid of place.programPids('registry')) process.kill(pid, 'SIGKILL')
    const squatters = [await listenOn(gateway, 7443), await until('the port of the registry', async () => listenOn(gateway, 5000), 10 * SECOND)]
    t.after(() => squatters.forEach(squatter => squatter.close()))
    await place.up()
    await until('the region to name the join port', async () => new RegExp(`${gateway.replaceAll('.', '\\.')}:7443 is taken by another program`).test((await text())?.Text ?? ''), MINUTE)
    await until('the region to name the port of its registry', async () => /image registry at .*:5000 does not run now: .*address already in use/s.test((await text())?.Text ?? ''), MINUTE)
    assert.equal((await text())?.Ready, false)
    assert.equal(pair((await place.call('ListClusters', {})).Items[0]?.Status), 'Running/Ok', 'clusters do not mind')
    for (const squatter of squatters) await new Promise(resolve => squatter.close(resolve))
    await until('the region to be ready again', async () => (await text())?.Ready, MINUTE)
  })

  test('it can be deleted, and nothing is left', async () => {
    await place.deleteCluster(clusterId)
    await place.assertLedgerEqualsHost()
    await place.down(true)
    assert.deepEqual((await leftOnHost(place.state)).filter(line => !line.includes(disk)), [])
  })
})

function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', code => reject(new Error(`the squatter ended with ${code}`)))
  })
}

function listenOn(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => socket.destroy())
    server.once('error', reject)
    server.listen(port, host, () => resolve(server))
  })
}
