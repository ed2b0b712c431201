import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import type { MachineSeen } from '#ports/machines.ts'
import type { MachineRecord } from '#ports/store.ts'
import { SteppedClock } from '#test/harness/stepped-clock.ts'
import { unknownMachines, type UnknownMachinesPorts } from './unknown-machines.ts'

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR
const SEEN = { id: 'm1' } as MachineSeen

/** Time in which it is counted how often the record of the one machine is read, and who sleeps. */
function opened() {
  const clock = new SteppedClock(), end = new AbortController()
  let record: Partial<MachineRecord> | undefined = { id: 'm1', machineId: 'i1', deletionRequestedAt: 1 }, looks = 0, asleep = 0
  const counted = {
    now: () => clock.now(),
    sleep: async (ms: number, signal?: AbortSignal) => {
      asleep++
      try {
        await clock.sleep(ms, signal)
      } finally {
        asleep--
      }
    },
  }
  const store = { machinesById: async () => { looks++; return record ? [record] : [] } }
  const quiet = () => {}
  const ports = { clock: counted, log: { debug: quiet, info: quiet, warn: quiet, error: quiet }, store, regionOf: () => ({ clock: counted }) } as unknown as UnknownMachinesPorts
  const unknown = unknownMachines('r', ports, end.signal)
  const settled = async () => { for (let turns = 0; turns < 10; turns++) await turn() }
  return {
    end, looks: () => looks, asleep: () => asleep, settled,
    setRecord(to: Partial<MachineRecord>) { record = to },
    async tell() {
      unknown.tell(SEEN)
      await settled()
    },
    async pass(ms: number) {
      for (const until = clock.now() + ms; ;) {
        const next = clock.nextWake()
        if (next === undefined || next > until) return clock.moveTo(until)
        clock.moveTo(next)
        await settled()
      }
    },
  }
}

test('a machine that may yet change is looked at ever more seldom, up to once an hour, however often it was told of', async () => {
  const scene = opened()
  for (let minute = 0; minute < DAY / MINUTE; minute++) {
    await scene.tell()
    await scene.pass(MINUTE)
  }
  assert.equal(scene.asleep(), 1)
  const before = scene.looks()
  await scene.pass(DAY)
  assert.ok(scene.looks() - before <= 30, `${scene.looks() - before} looks`)
  assert.ok(scene.looks() - before >= 20, `${scene.looks() - before} looks`)
})

test('one that is told of again while it is looked at waits once', async () => {
  const scene = opened()
  for (let times = 0; times < 5; times++) void scene.tell()
  await scene.settled()
  assert.equal(scene.asleep(), 1)
})

test('nobody waits for what is known to stay', async () => {
  const scene = opened()
  await scene.tell()
  assert.equal(scene.asleep(), 1)
  scene.setRecord({ id: 'm1', machineId: 'i1' })
  await scene.tell()
  assert.equal(scene.asleep(), 0)
})

test('nobody waits when the watch has ended', async () => {
  const scene = opened()
  await scene.tell()
  scene.end.abort()
  await scene.settled()
  assert.equal(scene.asleep(), 0)
})
