/**
 * Every commit of creating, joining and deleting, each once as the last thing that a server did. A server that dies right after its first commit makes one
 * commit a life, so starting it again and again passes every commit point; one that dies before its second does in each life all that stands between two.
 * A script that is run again begins with its first commit again; there each life gets one commit further than the one before.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { repository, until } from '#test/harness/command.ts'
import { MINUTE, Place } from '#test/harness/place.ts'

const MOST_LIVES = 60

describe('a server that dies at every commit', () => {
  let place: Place

  before(async () => {
    place = await Place.make()
    await place.up()
    await place.down(false)
  })
  after(() => place.remove())

  /**
   * One life after the other, each ended by its own commit, until `isDone`; answers the deaths. `isDone` is asked while a server lives. The last one is ended by us.
   */
  async function liveAndDie(when: 'after' | 'before', growing: boolean, ask: () => Promise<void>, isDone: () => Promise<boolean>): Promise<number> {
    let asked = false
    for (let lives = 0; lives < MOST_LIVES; lives++) {
      const server = spawn(process.execPath, [join(repository, 'test/harness/server-that-dies.ts'), when, String((when === 'after' ? 1 : 2) + (growing ? lives : 0))], { env: place.installation.environment, stdio: ['ignore', 'inherit', 'inherit'] })
      const ended = new Promise<NodeJS.Signals | null>(resolve => server.on('exit', (_code, signal) => resolve(signal)))
      let dead = false
      void ended.then(() => (dead = true))
      const done = await until('the server to die or the work to be done', async () => {
        if (dead) return 'died'
        if (!asked) {
          await ask()
          asked = true
        }
        return (await isDone()) && 'done'
      }, 4 * MINUTE, 50).catch((error: unknown) => {
        server.kill('SIGKILL')
        throw error
      })
      if (done === 'done') {
        server.kill('SIGTERM')
        server.kill('SIGKILL')
        await ended
        return lives
      }
      assert.equal(await ended, 'SIGKILL')
    }
    throw new Error(`it was not done in ${MOST_LIVES} lives; they ended at:\n${deaths().slice(-MOST_LIVES).join('\n')}`)
  }

  const deaths = (): string[] => (existsSync(join(place.state, 'deaths.log')) ? readFileSync(join(place.state, 'deaths.log'), 'utf8').trim().split('\n') : [])

  for (const when of ['after', 'before'] as const) {
    test(`${when} each commit: create, join and delete end where they end without`, async t => {
      const number = when === 'after' ? 1 : 2
      let clusterId = ''
      const token = `create-${when}`
      const create = async () => {
        clusterId = (await place.call('CreateCluster', { ...place.clusterOrder(`shop-${when}`, number), ClientToken: token })).Id
      }
      const lives = [await liveAndDie(when, false, create, async () => (await place.cluster(clusterId)) === 'Running/Ok')]
      assert.ok((lives[0] ?? 0) >= 4, `at least address, start, holding and readiness are commits of their own; it took ${lives[0]} lives`)

      // The end state, with an ordinary server.
      await place.up()
      assert.equal((await place.call('ListClusters', {})).TotalCount, 1, 'one order, one cluster')
      await place.reaches('the cluster', () => place.cluster(clusterId), 'Running/Ok', MINUTE, clusterId)
      await place.assertOneControlPlane(clusterId)
      await place.assertNeverFailed(clusterId)
      await place.assertLedgerEqualsHost()
      const poolId = await place.createPool(clusterId, 'counters')
      const onboardingId = await place.createOnboarding(clusterId, poolId)
      const machineId = await place.addMachine(`till-${when}`)
      const line = (await place.call('ListBatchEdgeMachine', { Filter: { Ids: [onboardingId], NeedBootstrapScript: true } })).Items[0]?.BootstrapScript ?? ''
      await place.down(false)

      // The machine's owner runs the line until it ends well, as the script says; no server need live at its start.
      let joined = false
      let running: Promise<void> | undefined
      const runAgain = async () => {
        while (!joined && !t.signal.aborted) {
          const ran = await place.client.call('ExecInMachine', { Id: machineId, Command: ['/bin/sh', '-c', line], TimeoutSeconds: 120 }, { timeoutMs: 3 * MINUTE }).catch(() => undefined)
          if (ran?.ExitCode === 0) joined = true
          else await new Promise(resolve => setTimeout(resolve, 200))
        }
      }
      lives.push(await liveAndDie(when, true, async () => {
        running = runAgain()
      }, async () => joined && (await place.node(clusterId, `till-${when}`)) === 'Running/Ok' && (await place.cluster(clusterId)) === 'Running/Ok'))
      await running

      await place.up()
      await place.reaches('the node', () => place.node(clusterId, `till-${when}`), 'Running/Ok', MINUTE)
      const nodes = (await place.call('ListEdgeNodes', { Filter: { ClusterIds: [clusterId] } })).Items
      assert.equal(nodes.length, 1)
      for (const id of [nodes[0]?.Id ?? '', poolId, clusterId]) await place.assertNeverFailed(id)
      await place.down(false)

      lives.push(await liveAndDie(when, false, async () => {
        await place.call('DeleteCluster', { Id: clusterId, CascadingDeleteResources: ['All'] }).catch(async (error: unknown) => {
          // The answer died with the server after the commit: the call was done.
          if (!(error instanceof Error && 'status' in error)) throw error
        })
      }, async () => (await place.cluster(clusterId)) === 'absent'))
      await place.up()
      await place.call('RemoveMachine', { Id: machineId })
      await until('the machine to be gone', async () => (await place.call('ListMachines', {})).TotalCount === 0, MINUTE)
      assert.deepEqual(place.onHost(), { clusters: [], machines: [] })
      await place.assertLedgerEqualsHost()
      for (const id of [nodes[0]?.Id ?? '', poolId, clusterId]) await place.assertNeverFailed(id)
      await place.down(false)
      process.stdout.write(`lives: ${lives.join(', ')} (create, join, delete)\n`)
    })
  }
})
