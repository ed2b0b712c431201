import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MachineRecord } from '#ports/store.ts'
import { NOON, SCOPE } from '#test/harness/sample-records.ts'
import { SteppedClock } from '#test/harness/stepped-clock.ts'
import { systemTime } from '#test/harness/waiting.ts'
import type { ActionContext } from './action.ts'
import { runOn, startScriptOn } from './machine-access.ts'
import type { Meanwhile } from './regions.ts'

for (const [what, run] of [
  ['a script', (context: ActionContext, machine: MachineRecord) => startScriptOn(context, machine, 'line')],
  ['a command', (context: ActionContext, machine: MachineRecord) => runOn(context, machine, ['true'], { longestMs: 1 })],
] as const) test(`${what} waits in nobody's turn for a machine that is not on yet, and no longer once the clock stands still`, async () => {
  const looks: string[] = []
  let hasTurn = true, paused = false
  const meanwhile: Meanwhile = async wait => {
    hasTurn = false
    try {
      return await wait()
    } finally {
      hasTurn = true
    }
  }
  const region = {
    machineAddresses: () => ({ first: '', last: '' }), clock: { read: () => ({ now: NOON, speed: 1, paused }) }, afterWrite: async () => { looks.push('the region has done what was due') },
    machines: {
      exec: async () => assert.fail('it is not on'),
      look: async () => {
        looks.push(hasTurn ? 'in its turn' : 'meanwhile')
        paused = looks.length > 1
        return { power: 'off' }
      },
    },
  }
  const context = { region, scope: SCOPE, meanwhile, realTime: systemTime } as unknown as ActionContext
  await assert.rejects(run(context, { id: 'm-1', power: 'on' } as MachineRecord), /is not on yet, and the clock of the region .* stands still/)
  assert.deepEqual(looks, ['in its turn', 'meanwhile', 'the region has done what was due', 'meanwhile'])
})

test('a machine that does not come on is waited for in the time that is handed in, and not for ever', async () => {
  const realTime = new SteppedClock(NOON)
  let looks = 0
  const region = {
    machineAddresses: () => ({ first: '', last: '' }),
    machines: {
      look: async () => {
        looks += 1
        setImmediate(() => { realTime.moveTo(realTime.nextWake() ?? realTime.now()) })
        return { power: 'off' }
      },
    },
  }
  const context = { region, scope: SCOPE, meanwhile: (wait: () => Promise<void>) => wait(), realTime } as unknown as ActionContext
  await assert.rejects(startScriptOn(context, { id: 'm-1', power: 'on' } as MachineRecord, 'line'), /is not on after 30 s/)
  assert.deepEqual([realTime.now() - NOON > 30_000, looks > 100], [true, true])
})
