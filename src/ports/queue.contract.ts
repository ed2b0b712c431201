/** The contract of the queue's port, which every implementation runs whole: over three hundred lines, as its promises hold between claims, ends and sights and not for each alone. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { clusterWatch, LostWatch, type ClaimedWork, type ProcessLease, type Queue } from '#ports/queue.ts'
import type { Store, WorkKey } from '#ports/store.ts'
import { addCluster, NOON } from '#test/harness/sample-records.ts'
import { inTime } from '#test/harness/waiting.ts'

/** Not even what is due now is due at this instant. */
const BEFORE_ALL = -1

/** What an implementation gives: `lapse` makes a lease end as if its process had died. */
export interface QueueUnderTest {
  readonly store: Store
  readonly queue: Queue
  lapse(lease: ProcessLease): Promise<void>
  close(): Promise<void>
}

/** The promises of the queue's port, each a test in a region of its own, so that one queue serves them all. */
export function queueContract(name: string, open: () => Promise<QueueUnderTest>): void {
  describe(`queue contract: ${name}`, () => {
    let parts: QueueUnderTest
    let queue: Queue
    before(async () => {
      parts = await open()
      queue = parts.queue
    })
    const leases: ProcessLease[] = []
    after(async () => {
      for (const lease of leases) await lease.release()
      await parts.close()
    })

    let tests = 0
    const fresh = async () => {
      tests += 1
      const region = `region-${tests}`
      const register = async (letter: string, hosts: readonly string[] = []) => {
        const lease = await queue.register({ name: `${region}-${letter}`, hosts, ttlMs: 60_000 })
        leases.push(lease)
        return lease
      }
      // Other tests' keys are not due at this instant.
      const at = (now: number) => (asked: string) => (asked === region ? now : BEFORE_ALL)
      const claim = (lease: ProcessLease, now = NOON, realNow = NOON, limit = 100) => queue.claim(lease, { limit, now: at(now), realNow })
      const key = (id: string): WorkKey & { region: string } => ({ kind: 'cluster', id: `${region}-${id}`, region })
      return { region, lease: await register('a'), register, claim, key }
    }
    /** Ends the run of a key that was claimed, and of one that was due in a region that is run in order. */
    const endsOf = (lease: ProcessLease) => [
      (work: ClaimedWork, lookAgainAt?: number) => queue.complete(lease, work, lookAgainAt), (work: ClaimedWork, lookAgainAt?: number) => queue.completeMany(lease, [{ work, lookAgainAt }]),
    ] as const
    const ids = (claimed: readonly ClaimedWork[]) => claimed.map(work => work.id.split('-').at(-1)).join()
    const first = (claimed: readonly ClaimedWork[]): ClaimedWork => {
      const [work] = claimed
      assert.ok(work, 'nothing was claimed')
      return work
    }

    test('a process is known to live once it renews its lease, and not to once that is over', async () => {
      const { region, lease, register } = await fresh()
      assert.equal(await queue.outlives(lease), true)
      const [dead, released] = [await register('dead'), await register('released')]
      await parts.lapse(dead)
      await released.release()
      const next = await queue.register({ name: `${region}-a`, hosts: [], ttlMs: 60_000 })
      leases.push(next)
      assert.deepEqual(await Promise.all([lease, dead, released, { name: 'nobody', epoch: 1 }].map(one => queue.outlives(one))), [false, false, false, false], 'an earlier life of its name, one that lapsed, one that was given back, one that never was')
      assert.equal(await queue.outlives(next), true)
    })

    test('a key is enqueued with the transaction or not at all', async () => {
      const { lease, claim, key } = await fresh()
      await assert.rejects(parts.store.write(NOON, async tx => {
        await tx.enqueue(key('x'))
        throw new Error('on purpose')
      }))
      assert.equal(ids(await claim(lease)), '')
      await parts.store.write(NOON, tx => tx.enqueue(key('x')))
      assert.equal(ids(await claim(lease)), 'x')
    })

    test('a key stands in the queue once, and one that runs is given to nobody', async () => {
      const { lease, register, claim, key } = await fresh()
      for (let times = 0; times < 3; times++) await queue.enqueue(key('x'))
      const work = await claim(lease)
      assert.equal(ids(work), 'x')
      const other = await register('b')
      assert.deepEqual([ids(await claim(lease)), ids(await claim(other))], ['', ''])
      await queue.complete(lease, first(work), undefined)
      assert.deepEqual([ids(await claim(other)), await queue.nextDue([key('x').region])], ['', {}])
    })

    test('a key that was enqueued while it ran runs again, whatever its end said', async () => {
      const { lease, claim, key } = await fresh()
      for (const lookAgainAt of [undefined, NOON + 60_000]) {
        await queue.enqueue(key('x'))
        const work = first(await claim(lease))
        await queue.enqueue(key('x'))
        await queue.complete(lease, work, lookAgainAt)
        const again = first(await claim(lease))
        assert.equal(again.id, work.id)
        await queue.complete(lease, again, undefined)
      }
    })

    test('many runs of a region that is run in order end together, each by itself', async () => {
      const { region, lease, register, key } = await fresh()
      const due = (now: number) => queue.due(lease, { region, now, limit: 100 })
      for (const id of ['again', 'broken', 'done', 'later', 'lost']) await queue.enqueue(key(id))
      await queue.failUntil(lease, first((await due(NOON)).filter(({ id }) => id === key('broken').id)), NOON, 'it broke')
      const work = await due(NOON)
      const lost = { ...first(work.filter(({ id }) => id === key('lost').id)), id: key('nobody').id }
      for (const id of ['again', 'broken']) await queue.enqueue(key(id))
      const dead = await register('b')
      await parts.lapse(dead)
      await queue.completeMany(dead, work.map(each => ({ work: each, lookAgainAt: undefined })))
      assert.deepEqual([ids(await queue.due(dead, { region, now: NOON, limit: 100 })), ids(await due(NOON))], ['', 'again,broken,done,later,lost'], 'a dead process runs and ends nothing')
      await queue.completeMany(lease, [...work.filter(({ id }) => id !== key('lost').id).map(each => ({ work: each, lookAgainAt: each.id === key('later').id ? NOON + 300 : undefined })), { work: lost, lookAgainAt: NOON }])
      assert.deepEqual(await queue.nextDue([region]), { dueAt: [{ region, at: 0 }] })
      const again = await due(NOON + 299)
      assert.deepEqual(again.map(({ id, failures }) => [id.split('-').at(-1), failures]), [['again', 0], ['broken', 0], ['lost', 0]])
      await queue.completeMany(lease, again.map(each => ({ work: each, lookAgainAt: undefined })))
      assert.deepEqual(await queue.nextDue([region]), { dueAt: [{ region, at: NOON + 300 }] })
      await queue.completeMany(lease, [])
    })

    test('an end that is written twice takes nothing that was enqueued between', async () => {
      const { region, lease, key } = await fresh()
      const due = () => queue.due(lease, { region, now: NOON, limit: 100 })
      await queue.enqueue(key('x'))
      const before = first(await due())
      await queue.completeMany(lease, [{ work: before, lookAgainAt: undefined }])
      await queue.enqueue(key('x'))
      for (const lookAgainAt of [undefined, NOON + 30_000]) {
        await queue.completeMany(lease, [{ work: before, lookAgainAt }])
        assert.deepEqual(await queue.nextDue([region]), { dueAt: [{ region, at: 0 }] })
      }
      await queue.failUntil(lease, before, NOON + 30_000, 'it broke')
      const again = first(await due())
      assert.equal(again.failures, 0)
      for (let times = 0; times < 2; times++) await queue.failUntil(lease, again, NOON, 'it broke')
      assert.equal(first(await due()).failures, 1)
    })

    test('times in the queue are the region\'s', async () => {
      const { region, lease, claim, key } = await fresh()
      await parts.store.write(NOON, async tx => {
        await tx.enqueue(key('late'), NOON + 100)
        await tx.enqueue(key('later'), NOON + 300)
      })
      assert.deepEqual(await queue.nextDue([region, 'elsewhere']), { dueAt: [{ region, at: NOON + 100 }] })
      assert.equal(ids(await claim(lease, NOON + 99)), '')
      const work = first(await claim(lease, NOON + 100))
      await queue.complete(lease, work, NOON + 200)
      assert.deepEqual(await queue.nextDue([region]), { dueAt: [{ region, at: NOON + 200 }] })
      assert.deepEqual(ids(await claim(lease, NOON + 400)).split(',').toSorted(), ['late', 'later'])
    })

    test('a key that waits gets the sooner of two times', async () => {
      const { lease, claim, key } = await fresh()
      await parts.store.write(NOON, tx => tx.enqueue(key('x'), NOON + 100))
      await parts.store.write(NOON, tx => tx.enqueue(key('x'), NOON + 500))
      assert.equal(ids(await claim(lease, NOON + 99)), '')
      await queue.enqueue(key('x'))
      assert.equal(ids(await claim(lease, NOON)), 'x')
    })

    test('a failed key waits in real time, counts, and is forgiven when it ends well', async () => {
      const { region, lease, claim, key } = await fresh()
      await queue.enqueue(key('x'))
      await queue.fail(lease, first(await claim(lease)), NOON + 50, 'it broke')
      assert.equal(ids(await claim(lease, NOON + 1_000_000, NOON + 49)), '')
      assert.deepEqual(await queue.nextDue([region]), { retryAt: NOON + 50 })
      const again = first(await claim(lease, 0, NOON + 50))
      assert.equal(again.failures, 1)
      await queue.complete(lease, again, NOON)
      assert.equal(first(await claim(lease)).failures, 0)
    })

    test('a region that is run in order gets its keys by due time, kind and id, each until its end is written, and nobody else gets them', async () => {
      const { region, lease, claim, key } = await fresh()
      await parts.store.write(NOON, async tx => {
        await tx.putRegion({ region, kind: 'Simulated', ready: true, text: '', settings: {} })
        for (const id of ['d', 'a']) await tx.enqueue({ ...key(id), kind: 'node' }, NOON + 1)
        for (const id of ['c', 'b']) await tx.enqueue(key(id), NOON + 1)
        await tx.enqueue(key('e'))
        await tx.enqueue(key('f'), NOON + 2)
      })
      const inOrder = async (now: number, limit = 100) => {
        const due = await queue.due(lease, { region, now, limit })
        assert.deepEqual(await queue.due(lease, { region, now, limit }), due, 'nothing was taken')
        await queue.completeMany(lease, due.map(work => ({ work, lookAgainAt: undefined })))
        return due
      }
      assert.equal(ids(await claim(lease, NOON + 10)), '', 'left alone by whoever claims of all regions')
      assert.equal(ids(await inOrder(NOON, 100)), 'e')
      assert.equal(ids(await inOrder(NOON + 1, 2)), 'b,c')
      assert.equal(ids(await inOrder(NOON + 1)), 'a,d')
      assert.deepEqual(await queue.nextDue([region]), { dueAt: [{ region, at: NOON + 2 }] })
    })

    test('in turn: what is told all the time keeps nothing else waiting, neither later names nor deadlines', async () => {
      const { region, lease, key, claim } = await fresh()
      const inRegion = (limit: number) => queue.due(lease, { region, now: NOON, limit, inTurn: true })
      const [end, endInRegion] = endsOf(lease)
      for (const [kind, dueNow, endOf, expected] of [['Local', (limit: number) => claim(lease, NOON, NOON, limit), end, ['a,b', 'c,z', 'deadline,a', 'b,a']], ['Simulated', inRegion, endInRegion, ['a,deadline', 'b,c', 'z,a', 'b,a']]] as const) {
        await parts.store.write(NOON, tx => tx.putRegion({ region, kind, ready: true, text: '', settings: {} }))
        for (const id of ['a', 'b', 'c', 'z']) await queue.enqueue(key(`${kind}/${id}`))
        await parts.store.write(NOON, tx => tx.enqueue(key(`${kind}/deadline`), NOON - 1))
        const turns: string[] = []
        for (let turn = 0; turn < 4; turn++) {
          const work = await dueNow(2)
          turns.push(ids(work).replaceAll(`${kind}/`, ''))
          for (const each of work) await endOf(each, NOON + 60_000)
          for (const id of ['a', 'b']) await queue.enqueue(key(`${kind}/${id}`))
        }
        assert.deepEqual(turns, expected, kind)
        for (const work of await dueNow(100)) await endOf(work)
        for (const work of kind === 'Local' ? await claim(lease, NOON + 60_000) : []) await end(work)
      }
    })

    test('in turn: of many deadlines the longest due come first, and what is told has its half', async () => {
      const { region, lease, key } = await fresh()
      const turn = async (limit: number) => {
        const due = await queue.due(lease, { region, now: NOON, limit, inTurn: true })
        await queue.completeMany(lease, due.map(work => ({ work, lookAgainAt: undefined })))
        return ids(due)
      }
      for (const [id, dueAt] of [['later', NOON - 1], ['first', NOON - 3], ['next', NOON - 2], ['last', NOON], ['never', NOON + 1]] as const) await parts.store.write(NOON, tx => tx.enqueue(key(id), dueAt))
      for (const id of ['a', 'b', 'c']) await queue.enqueue(key(id))
      assert.deepEqual([await turn(3), await turn(3), await turn(3), await turn(3)], ['a,b,first', 'c,next,later', 'last', ''])
    })

    test('in turn: a round ends although new keys come all the time', async () => {
      const { region, lease, key, claim } = await fresh()
      const [end, endInRegion] = endsOf(lease)
      for (const [kind, dueAt, endOf] of [['Local', (now: number, limit: number) => claim(lease, now, NOON, limit), end], ['Simulated', (now: number, limit: number) => queue.due(lease, { region, now, limit, inTurn: true }), endInRegion]] as const) {
        await parts.store.write(NOON, tx => tx.putRegion({ region, kind, ready: true, text: '', settings: {} }))
        // Told before all that comes, and again in each turn of its own.
        for (const id of ['deadline', 'first']) await queue.enqueue(key(`${kind}/${id}`))
        for (const work of await dueAt(NOON, 2)) await endOf(work, NOON + 1)
        await queue.enqueue(key(`${kind}/first`))
        let turns = 0
        const seen = new Set<string>()
        while (seen.size < 2 && turns < 20) {
          turns += 1
          // Their rows go when their passes end, so that each comes again as the latest of all.
          for (const id of ['a', 'b', 'c']) await queue.enqueue(key(`${kind}/${id}`))
          for (const work of await dueAt(NOON + 1, 2)) {
            if (['deadline', 'first'].some(id => work.id === key(`${kind}/${id}`).id)) seen.add(work.id)
            await endOf(work)
          }
        }
        assert.ok(turns < 14, `${kind}: ${turns} turns`)
        for (let left = await dueAt(NOON + 1, 2); left.length > 0; left = await dueAt(NOON + 1, 2)) for (const work of left) await endOf(work)
      }
    })

    test('a key that failed in such a region waits in the region\'s time, and not where it was enqueued meanwhile', async () => {
      const { region, lease, key } = await fresh()
      const claimed = async (now: number) => queue.due(lease, { region, now, limit: 100 })
      await queue.enqueue(key('x'))
      await queue.failUntil(lease, first(await claimed(NOON)), NOON + 50, 'it broke')
      assert.deepEqual([ids(await claimed(NOON + 49)), await queue.nextDue([region])], ['', { dueAt: [{ region, at: NOON + 50 }] }])
      const again = first(await claimed(NOON + 50))
      assert.equal(again.failures, 1)
      await queue.enqueue(key('x'))
      await queue.failUntil(lease, again, NOON + 150, 'it broke')
      assert.equal(first(await claimed(NOON + 50)).failures, 2)
    })

    test('a key that failed for years begins its back-off anew once something happens, and one that failed a few times does not', async () => {
      const { region, lease, key } = await fresh()
      const claimed = async () => first(await queue.due(lease, { region, now: NOON, limit: 100 }))
      await queue.enqueue(key('x'))
      for (let failures = 1; failures <= 60; failures++) await queue.failUntil(lease, await claimed(), NOON, 'it broke')
      assert.equal((await claimed()).failures, 60)
      await queue.enqueue(key('x'))
      const { failures } = await claimed()
      assert.ok(failures > 20 && failures < 60, String(failures))
      await queue.enqueue(key('x'))
      assert.equal((await claimed()).failures, failures)
    })

    test('a region is hastened: what would have been due long from now is due at once, and all else at its time', async () => {
      const { region, lease, register, key } = await fresh()
      const hour = 3_600_000, claimed = async (now: number) => queue.due(lease, { region, now, limit: 100 })
      for (const id of ['failed', 'soon', 'waits']) await queue.enqueue(key(id))
      const work = await claimed(NOON)
      for (const each of work.filter(({ id }) => id === key('failed').id)) await queue.failUntil(lease, each, NOON + 3 * hour, 'it broke')
      await queue.completeMany(lease, work.filter(({ id }) => id !== key('failed').id).map(each => ({ work: each, lookAgainAt: NOON + (each.id === key('soon').id ? hour : 2 * hour) })))
      const elsewhere = await register('b'), other = { ...key('other'), region: `${region}-other` }
      await queue.enqueue(other)
      await queue.completeMany(elsewhere, (await queue.due(elsewhere, { region: other.region, now: NOON, limit: 100 })).map(each => ({ work: each, lookAgainAt: NOON + 2 * hour })))
      await queue.hasten(region, NOON + hour)
      assert.deepEqual([ids(await claimed(NOON)), ids(await claimed(NOON + hour))], ['failed,waits', 'failed,waits,soon'])
      assert.deepEqual(await queue.due(elsewhere, { region: other.region, now: NOON + hour, limit: 100 }), [])
    })

    test('a pass that was under way when its region was hastened runs again, whenever it would have looked next', async () => {
      const { region, lease, key } = await fresh()
      await queue.enqueue(key('x'))
      const work = await queue.due(lease, { region, now: NOON, limit: 10 })
      await queue.hasten(region, NOON + 3_600_000)
      await queue.completeMany(lease, work.map(each => ({ work: each, lookAgainAt: NOON + 1e10 })))
      const again = await queue.due(lease, { region, now: NOON, limit: 10 })
      assert.equal(ids(again), 'x')
      await queue.completeMany(lease, again.map(each => ({ work: each, lookAgainAt: NOON + 1e10 })))
      assert.equal(ids(await queue.due(lease, { region, now: NOON + 3_600_000, limit: 10 })), '')
    })

    test('an event ends the back-off of a failed key', async () => {
      const { lease, claim, key } = await fresh()
      await queue.enqueue(key('x'))
      await queue.fail(lease, first(await claim(lease)), NOON + 50_000, 'it broke')
      await queue.enqueue(key('x'))
      assert.equal(first(await claim(lease)).failures, 1)
    })

    test('no more than the limit, the longest waiting first', async () => {
      const { lease, claim, key } = await fresh()
      for (const id of ['p', 'q', 'r']) await queue.enqueue(key(id))
      assert.equal(ids(await claim(lease, NOON, NOON, 2)), 'p,q')
      assert.equal(ids(await claim(lease, NOON, NOON, 2)), 'r')
    })

    test('the keys of a dead process are taken over, and what it still says is not heard', async () => {
      const { lease, register, claim, key } = await fresh()
      await queue.enqueue(key('x'))
      const zombie = first(await claim(lease))
      await parts.lapse(lease)
      const heir = await register('b')
      let work: readonly ClaimedWork[] = []
      for (const patience = Date.now() + 5_000; work.length === 0 && Date.now() < patience; ) work = await claim(heir)
      assert.equal(ids(work), 'x')
      await queue.complete(lease, zombie, undefined)
      await queue.fail(lease, zombie, 0, 'still here')
      assert.equal(ids(await claim(heir)), '', 'it still runs at the heir\'s')
      await queue.enqueue(key('y'))
      assert.equal(ids(await claim(lease)), '', 'a dead process claims nothing')
    })

    test('a name that registers anew owns nothing of before', async () => {
      const { lease, register, claim, key } = await fresh()
      await queue.enqueue(key('x'))
      const before = first(await claim(lease))
      const next = await register('a')
      assert.equal(next.epoch, lease.epoch + 1)
      await queue.complete(lease, before, undefined)
      let work: readonly ClaimedWork[] = []
      for (const patience = Date.now() + 5_000; work.length === 0 && Date.now() < patience; ) work = await claim(next)
      assert.equal(ids(work), 'x')
    })

    test('a lease that is given back frees its keys, and whoever had it hears of it', async () => {
      const { lease, register, claim, key } = await fresh()
      await queue.enqueue(key('x'))
      await claim(lease)
      assert.equal(lease.lost.aborted, false)
      await lease.release()
      assert.equal(lease.lost.aborted, true)
      const heir = await register('b')
      let work: readonly ClaimedWork[] = []
      for (const patience = Date.now() + 5_000; work.length === 0 && Date.now() < patience; ) work = await claim(heir)
      assert.equal(ids(work), 'x')
    })

    test('work of a region that belongs to a host is claimed there only', async () => {
      const { region, lease, register, claim, key } = await fresh()
      await parts.store.write(NOON, tx => tx.putRegion({ region, kind: 'Local', ready: true, text: '', settings: { host: `host-of-${region}` } }))
      await queue.enqueue(key('x'))
      assert.equal(ids(await claim(lease)), '')
      assert.equal(ids(await claim(await register('b', ['another', `host-of-${region}`]))), 'x')
    })

    test('listeners hear of work until they are done', async () => {
      const { key } = await fresh()
      const done = new AbortController()
      let heard = 0
      const listening = queue.listen(() => (heard += 1), done.signal)
      const before = heard
      await queue.enqueue(key('x'))
      for (const patience = Date.now() + 5_000; heard === before && Date.now() < patience; ) await new Promise(resolve => setTimeout(resolve, 5))
      assert.ok(heard > before)
      done.abort()
      await inTime(listening, 'the listening to end')
    })

    test('a watch has one owner, who may ask again; it passes on with release and with death', async () => {
      const { lease, register, region } = await fresh()
      const other = await register('b')
      const epoch = await queue.claimWatch(lease, region)
      assert.ok(epoch !== undefined)
      assert.deepEqual([await queue.claimWatch(lease, region), await queue.claimWatch(other, region)], [epoch, undefined])
      await queue.releaseWatch(other, region)
      assert.equal(await queue.claimWatch(other, region), undefined, 'only the owner gives it back')
      await queue.releaseWatch(lease, region)
      assert.equal(await queue.claimWatch(other, region), epoch + 1)
      await parts.lapse(other)
      assert.equal(await queue.claimWatch(lease, region), epoch + 2)
    })

    test('sights are written on change only, with their keys, and never by who lost the watch', async () => {
      const { lease, register, region, claim, key } = await fresh()
      const watch = { lease, subject: region, epoch: (await queue.claimWatch(lease, region)) ?? -1 }
      const sight = (fact: unknown) => ({ kind: 'KubernetesNode' as const, id: `${region}-n`, fact, seenAt: NOON, observer: 'watch', key: key('n') })
      const read = async () => (await parts.store.sights('KubernetesNode', [`${region}-n`, 'unknown']))[0]
      await queue.markWatch(watch, undefined)
      await queue.putSights(watch, [sight({ ready: true, labels: { a: '1', b: '2' } })])
      assert.deepEqual(await read(), { kind: 'KubernetesNode', id: `${region}-n`, fact: { ready: true, labels: { a: '1', b: '2' } }, seenAt: NOON, observer: 'watch', stale: false })
      await queue.complete(lease, first(await claim(lease)), undefined)
      await queue.putSights(watch, [{ ...sight({ labels: { b: '2', a: '1' }, ready: true }), seenAt: NOON + 1 }])
      assert.equal(ids(await claim(lease)), '', 'the same fact wakes nobody')
      await queue.putSights(watch, [sight({ ready: false })])
      await queue.complete(lease, first(await claim(lease)), undefined)

      await parts.lapse(lease)
      assert.equal((await read())?.stale, true)
      await assert.rejects(queue.putSights(watch, [sight({ ready: true })]), (error: unknown) => error instanceof LostWatch && error.kind === 'LostWatch')
      const heir = await register('b')
      const taken = { lease: heir, subject: region, epoch: (await queue.claimWatch(heir, region)) ?? -1 }
      assert.equal((await read())?.stale, true, 'a new owner has not looked yet')
      await queue.putSights(taken, [sight({ ready: false })])
      await queue.markWatch(taken, undefined)
      assert.deepEqual([(await read())?.stale, (await read())?.fact], [false, { ready: false }])
      await assert.rejects(queue.markWatch(watch, undefined), LostWatch)
      assert.equal(ids(await claim(heir)), 'n', 'an end of blindness wakes all')
      await queue.putSights(taken, [], [{ kind: 'KubernetesNode', id: `${region}-n`, key: key('n') }])
      assert.equal(await read(), undefined)
    })

    test('a watch of a cluster ends with it, and is nobody\'s from then on', async () => {
      const { lease, register, region } = await fresh()
      const clusterId = await parts.store.write(NOON, tx => addCluster(tx, `watched-${region}`))
      const subject = clusterWatch('nodes', clusterId), health = clusterWatch('health', clusterId)
      const watch = { lease, subject, epoch: (await queue.claimWatch(lease, subject)) ?? -1 }
      assert.ok((await queue.claimWatch(lease, health)) !== undefined)
      const sight = { kind: 'KubernetesNode' as const, id: `${region}-of-nobody`, fact: 1, seenAt: NOON, observer: 'watch', key: undefined }
      await queue.putSights(watch, [sight])
      await parts.store.write(NOON, async tx => {
        await tx.lockCluster(clusterId)
        await tx.forget({ kind: 'Cluster', id: clusterId }, { text: 'gone', evidence: [] })
      })
      await assert.rejects(queue.putSights(watch, [sight]), LostWatch)
      assert.deepEqual(await parts.store.sights('KubernetesNode', [sight.id]), [])
      const other = await register('b')
      for (const each of [subject, health]) for (const who of [lease, other]) assert.equal(await queue.claimWatch(who, each), undefined)
      await queue.releaseWatch(lease, subject)
    })

    test('a watch that goes blind makes its sights stale and wakes their keys', async () => {
      const { lease, region, claim, key } = await fresh()
      const watch = { lease, subject: region, epoch: (await queue.claimWatch(lease, region)) ?? -1 }
      await queue.markWatch(watch, undefined)
      await queue.putSights(watch, [{ kind: 'MachinePower', id: `${region}-m`, fact: 'on', seenAt: NOON, observer: 'watch', key: key('m') }])
      await queue.complete(lease, first(await claim(lease)), undefined)
      await queue.markWatch(watch, NOON + 5)
      const [sight] = await parts.store.sights('MachinePower', [`${region}-m`])
      assert.deepEqual([sight?.stale, sight?.staleSince], [true, NOON + 5])
      await queue.complete(lease, first(await claim(lease)), undefined)
      await queue.markWatch(watch, NOON + 6)
      assert.equal(ids(await claim(lease)), '', 'still blind is no news')
      await queue.markWatch(watch, undefined, true)
      assert.equal(ids(await claim(lease)), '', 'where nobody read what was stale, nobody is woken')
      assert.equal((await parts.store.sights('MachinePower', [`${region}-m`]))[0]?.stale, false)
    })
  })
}
