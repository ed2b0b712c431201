import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findCgroupHierarchies } from './cgroups.ts'
import { takeLock } from './lock.ts'
import { portsThatListen } from './namespace.ts'
import { clusterPlaces } from './places.ts'
import { StartSlots } from './start-slots.ts'
import { parseSupervisorStatus } from './supervision.ts'

const line = (mount: string, type: string, options: string): string => `30 1 0:26 / ${mount} rw,nosuid - ${type} cgroup rw,${options}`

test('on a hybrid host the version 2 tree says who belongs, and it is joined last', async () => {
  const found = await findCgroupHierarchies([
    line('/sys/fs/cgroup/systemd', 'cgroup', 'xattr,name=systemd'), line('/sys/fs/cgroup/memory', 'cgroup', 'memory'), line('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'cpu,cpuacct'),
    line('/sys/fs/cgroup/freezer', 'cgroup', 'freezer'), line('/sys/fs/cgroup/unified', 'cgroup2', ''),
  ].join('\n'))
  assert.deepEqual(found, {
    identity: '/sys/fs/cgroup/unified', tellsWhenEmpty: true,
    all: ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/unified'], rootOnly: ['/sys/fs/cgroup/cpu,cpuacct'],
  })
})

test('version 2 alone and version 1 alone are enough', async () => {
  assert.deepEqual((await findCgroupHierarchies(line('/sys/fs/cgroup', 'cgroup2', 'nsdelegate'))).all, ['/sys/fs/cgroup'])
  const older = await findCgroupHierarchies([line('/sys/fs/cgroup/pids', 'cgroup', 'pids'), line('/sys/fs/cgroup/systemd', 'cgroup', 'name=systemd')].join('\n'))
  assert.deepEqual([older.identity, older.tellsWhenEmpty], ['/sys/fs/cgroup/systemd', false])
  await assert.rejects(findCgroupHierarchies(line('/mnt', 'ext4', '')), /mount cgroup2/)
})

test('a supervisor’s lines are read, and what it left empty is not zero', () => {
  assert.deepEqual(parseSupervisorStatus('supervisor=12\npid=\nstartedAt=1700000000123\nendedAt=1700000000456\nexitCode=137\n'), { supervisor: 12, pid: undefined, startedAt: 1700000000123, endedAt: 1700000000456, exitCode: 137 })
})

test('only listening ports count as taken', () => {
  const table = '  sl  local_address rem_address   st\n   0: 0100007F:094B 00000000:0000 0A 00000000\n   1: 0100007F:192B 00000000:0000 01 00000000\n'
  assert.deepEqual([...portsThatListen(table)], [2379])
})

test('names of a cluster tell its state folder and fit the kernel', () => {
  const places = clusterPlaces({ hash: '1234abcd', stateFolder: '/var/lib/edgehold', runFolder: '/run/edgehold/1234abcd' }, 'c0123456789abcdefghij')
  assert.equal(places.namespace, 'eh-1234abcd-c0123456789abcdefghij')
  assert.ok(places.link.length <= 15)
  assert.equal(places.cgroupOf('etcd'), 'edgehold-1234abcd/c0123456789abcdefghij/etcd')
})

test('no more start at once than there are slots, and giving one back twice gives one', async () => {
  const slots = new StartSlots(2)
  const first = await slots.take()
  await slots.take()
  const order: string[] = []
  const third = slots.take().then(() => order.push('third'))
  const fourth = slots.take().then(() => order.push('fourth'))
  first()
  first()
  await third
  assert.deepEqual(order, ['third'])
  await Promise.race([fourth, new Promise(resolve => setImmediate(resolve))])
  assert.deepEqual(order, ['third'])
})

test('a lock is held by one at a time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-lock-'))
  try {
    let inside = 0
    let most = 0
    await Promise.all(Array.from({ length: 5 }, async () => {
      await using _ = await takeLock(`${folder}/lock`)
      most = Math.max(most, ++inside)
      await new Promise(resolve => setImmediate(resolve))
      inside--
    }))
    assert.equal(most, 1)
    await using _ = await takeLock(`${folder}/lock`)
    await assert.rejects(takeLock(`${folder}/lock`, 1_000), /was not free/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
