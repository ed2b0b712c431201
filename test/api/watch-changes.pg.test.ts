import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Wake } from '#kernel/wake.ts'
import { findServer } from '#main/server-mark.ts'
import { openStore, type OpenStore } from '#store/open.ts'
import { CLOCK, scratchPostgres, SILENT, type ScratchPostgres } from '#store/testing/scratch-postgres.ts'
import { until } from '#test/harness/command.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'
import { addCluster, becauseOf, NOON, SCOPE } from '#test/harness/sample-records.ts'
import { inTime } from '#test/harness/waiting.ts'
import { openStream, readUntil, Watcher } from '#test/harness/watching.ts'

/** A bell that rings later than that has not rung. */
const PATIENCE_MS = 30_000

describe('changes as they are followed on PostgreSQL', () => {
  let postgres: ScratchPostgres, other: OpenStore | undefined
  before(async () => {
    postgres = await scratchPostgres()
  })
  after(async () => {
    await other?.close()
    await postgres.end()
  })

  /** Some process listens, and not only asks to: so it is told by others. */
  const listens = (databaseUrl: string) => until('it to listen', async () => (await postgres.run(databaseUrl, `select 1 from pg_stat_activity where datname = current_database() and query = 'listen edgehold_history' and state = 'idle'`)).length > 0, 10_000, 20)
  const sweepsOf = async (databaseUrl: string) => Number((await postgres.run(databaseUrl, `select seq_scan + coalesce(idx_scan, 0) as scans from pg_stat_user_tables where relname = 'sequencer'`))[0]?.['scans'])

  test('two processes write in transactions that commit in another order than they began, and followers at both miss nothing, meet nothing twice, and are woken', async () => {
    const { store, databaseUrl } = await postgres.openCopy()
    other = await openStore({ stateDir: postgres.stateDir, databaseUrl, log: SILENT, clock: CLOCK })
    const clusters = 10, rounds = 12, ended = new AbortController()
    const total = clusters * (1 + rounds)
    const follow = async (at: OpenStore['store']) => {
      let bell = Promise.withResolvers<void>(), looks = 0
      const listening = at.listenToHistory(() => {
        bell.resolve()
        bell = Promise.withResolvers()
      }, ended.signal)
      const seen: number[] = []
      for (let after = 0; seen.length < total;) {
        const rung = bell.promise
        const { changes, upTo } = await at.changesAfter(SCOPE, {}, after, 7)
        looks += 1
        seen.push(...changes.map(({ position }) => position))
        after = upTo
        if (changes.length < 7 && seen.length < total) await inTime(rung, `a follower to hear of more than ${seen.length} of ${total} changes`, PATIENCE_MS)
      }
      const looked = looks
      return { seen, listening, looksSince: () => looks - looked }
    }
    const followers = [store, other.store, store].map(follow)
    for (let number = 0; number < clusters; number++) await store.write(NOON, tx => addCluster(tx, `c${number}`))
    const flip = async (writer: OpenStore['store'], id: string) => {
      for (let round = 0; round < rounds; round++) await writer.write(NOON + round, async tx => {
        const cluster = await tx.lockCluster(id)
        assert.ok(cluster)
        await tx.changeCluster(id, { facts: { ...cluster.facts, controlPlane: cluster.facts.controlPlane === 'usable' ? 'unkept' : 'usable' } }, becauseOf('look'))
        // What is inserted first is not committed first.
        await CLOCK.sleep(Math.random() * 4)
      })
    }
    await Promise.all(Array.from({ length: clusters }, (_, number) => flip(number % 2 === 0 ? store : other?.store ?? store, `c-c${number}`)))
    for (const { seen, listening } of await Promise.all(followers)) {
      assert.deepEqual(seen, Array.from({ length: total }, (_, index) => index + 1))
      ended.abort()
      await listening
    }
  })

  test('that a region is gone, and what is written, is heard of at once at another process', async () => {
    const { store, databaseUrl } = await postgres.openCopy(), elsewhere = await openStore({ stateDir: postgres.stateDir, databaseUrl, log: SILENT, clock: CLOCK })
    const scope = { ...SCOPE, region: 'ci-1' }, ended = new AbortController(), follower = elsewhere.store
    const make = () => store.write(NOON, tx => tx.putRegion({ region: 'ci-1', kind: 'Simulated', ready: true, text: '', settings: {} }))
    await make()
    const bell = new Wake(), listening = follower.listenToHistory(() => { bell.call() }, ended.signal)
    try {
      await listens(databaseUrl)
      // There is no history yet, so no sweep has anything to tell.
      const { region } = await follower.historyStand(scope)
      const told = bell.next()
      await store.write(NOON, tx => tx.forgetRegion('ci-1'))
      await inTime(told, 'a region that is gone to be heard of', PATIENCE_MS)
      assert.notEqual((await follower.changesAfter(scope, {}, 0, 1)).region, region)
      await make()
      const begun = performance.now()
      // Many, as the sweep of every two seconds would find them, too.
      for (let number = 0, after = 0; number < 10; number++) {
        await store.write(NOON, tx => addCluster(tx, `c${number}`, scope))
        for (let rung = bell.next(); ; rung = bell.next()) {
          const { changes, upTo } = await follower.changesAfter(scope, {}, after, 10)
          after = upTo
          if (changes.length > 0) break
          await inTime(rung, 'what is written to be heard of', PATIENCE_MS)
        }
      }
      assert.ok(performance.now() - begun < 10_000, 'it is told at once')
    } finally {
      ended.abort()
      await listening
      await elsewhere.close()
    }
  })

  test('rows of a process that died before it numbered them, or before it told of it, are followed all the same', async () => {
    const { store, databaseUrl } = await postgres.openCopy()
    await store.write(NOON, tx => addCluster(tx, 'left'))
    const { newest } = await store.historyStand(SCOPE), ended = new AbortController()
    let bell = Promise.withResolvers<void>()
    const listening = store.listenToHistory(() => {
      bell.resolve()
      bell = Promise.withResolvers()
    }, ended.signal)
    const columns = 'at, account_id, region, kind, id, name, phase, conditions, rule, because, evidence'
    const copied = `insert into status_change (${columns}, position) select at, account_id, region, kind, id, name, phase, conditions, rule, 'left', evidence`
    const comes = async (position: number) => {
      for (let rung = bell.promise; (await store.changesAfter(SCOPE, {}, position - 1, 1)).changes.length === 0; rung = bell.promise) await inTime(rung, `the row at ${position} to be told of`, PATIENCE_MS)
    }
    await postgres.run(databaseUrl, `${copied}, null from status_change limit 1`)
    await comes(newest + 1)
    await postgres.run(databaseUrl, `with moved as (update sequencer set last = last + 1 returning last) ${copied}, moved.last from status_change, moved limit 1`)
    await comes(newest + 2)
    ended.abort()
    await listening
  })

  test('a follower that waits writes nothing', async () => {
    const { store, databaseUrl } = await postgres.openCopy()
    const ended = new AbortController()
    let rung = 0
    const listening = store.listenToHistory(() => { rung += 1 }, ended.signal)
    await listens(databaseUrl)
    const began = await sweepsOf(databaseUrl)
    await until('a sweep', async () => await sweepsOf(databaseUrl) >= began + 2, 20_000, 50)
    const writes = () => postgres.run(databaseUrl, 'select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int as writes from pg_stat_user_tables')
    const before = await writes(), told = rung, swept = await sweepsOf(databaseUrl)
    await until('two more sweeps', async () => await sweepsOf(databaseUrl) >= swept + 2, 20_000, 50)
    assert.deepEqual([await writes(), rung], [before, told])
    ended.abort()
    await listening
  })
})

/** Each has its own ranges. */
const cluster = (number: number) => ({
  Name: `shop-${number}`, Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-1'] }, ClientToken: `shop-${number}`,
  PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`10.${number}.0.0/16`] } }, ServicesConfig: { ServiceCidrsv4: [`172.${16 + number % 16}.${number}.0/24`] },
})

describe('WatchChanges while servers are killed', () => {
  let postgres: ScratchPostgres, running: RootlessServer, other: RootlessServer
  before(async () => {
    postgres = await scratchPostgres()
    const { databaseUrl } = await postgres.openCopy()
    const settings = { DATABASE_URL: databaseUrl, EDGEHOLD_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') }
    running = await RootlessServer.start(settings)
    other = await RootlessServer.start(settings)
  })
  after(async () => {
    await other.remove()
    await running.remove()
    await postgres.end()
  })

  test('nothing is lost or told twice at the server that was killed nor at the other one, over the death of the one that runs the region', async () => {
    const client = other.client()
    const speed = (Speed: number) => client.call('SetClock', { Speed })
    await speed(60)
    const atKilled = new Watcher(running.client(), { LastEventId: 0 }), atOther = new Watcher(other.client(), { LastEventId: 0 })
    for (const number of [0, 1]) await client.call('CreateCluster', cluster(number))
    for (const watcher of [atKilled, atOther]) await watcher.has(changes => changes.length > 2, 30_000)
    // It dies in the midst of its work, and its watch with it.
    const killing = running.kill()
    // Calls that were on their way to it are sent again.
    const ordered = [2, 3].map(number => until('the other one to take orders', () => client.call('CreateCluster', cluster(number)).catch(() => undefined), 60_000))
    await killing
    await running.up()
    const made = await Promise.all(ordered)
    const history = async () => (await client.all('ListStatusHistory')).toReversed()
    const isRunning = (id: string) => async () => (await client.all('ListClusters', { Filter: { Ids: [id] } }))[0]?.Status.Phase === 'Running'
    for (const { Id } of made) await until('the clusters to run', isRunning(Id), 60_000)
    await client.call('SetClock', { Paused: true })
    const all = await history()
    for (const watcher of [atKilled, atOther]) {
      await watcher.has(changes => changes.length >= all.length, 30_000)
      assert.deepEqual(watcher.changes, all)
      assert.equal(await watcher.end(), undefined)
    }
  })

  test('ends whole with a server that is asked to end', async () => {
    const stream = await openStream(`http://${other.listen}`, { accessKeyId: other.keys.AccessKeyId, secretAccessKey: other.keys.SecretAccessKey }, 'sim-1', { LastEventId: '0' })
    await readUntil(stream, /event: status/)
    stream.resume()
    await other.down()
    assert.equal(findServer(other.state), undefined)
    assert.ok(stream.complete, 'it ended, and was not cut')
    await other.up()
  })

  test('is printed line by line by the command line, until whoever reads it has enough', async () => {
    const client = other.client(), hasEnough = join(other.state, 'has-enough')
    const command = other.runShell(`"$0" call WatchChanges '{"LastEventId":0,"Kinds":["Cluster"]}' | { head -n 3; exec 0<&-; : >'${hasEnough}'; }`)
    await until('the reader to have enough', async () => existsSync(hasEnough), 60_000, 20)
    // As with any pipe it is the next line that tells the writer that nobody reads on.
    await client.call('CreateCluster', cluster(4))
    const { code, stdout, stderr } = await command
    assert.equal(code, 0, stderr)
    const all = (await client.all('ListStatusHistory', { Filter: { Kinds: ['Cluster'] } })).toReversed()
    assert.deepEqual(stdout.trimEnd().split('\n').map(line => JSON.parse(line) as unknown), all.slice(0, 3))
    const refused = await other.run(['call', 'WatchChanges', '{"LastEventId":99999999}'])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /no change has that position yet.*\(ParameterOutOfRange\.LastEventId\)/)
  })
})
