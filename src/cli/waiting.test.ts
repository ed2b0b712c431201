import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EdgeholdClient } from '#client/client.ts'
import { ApiError, NoAnswer } from '#client/errors.ts'
import { askAgain } from './ask-again.ts'
import type { WaitingTime } from './waiting-time.ts'
import { callWhenAccepted, until, waitUntilGone } from './wait.ts'

/** Time that passes only where somebody waits. */
class OwnTime implements WaitingTime {
  at = 0
  now(): number {
    return this.at
  }
  async sleep(ms: number): Promise<void> {
    this.at += ms
  }
}

const refused = (code: string, status: number) => new ApiError({ code, message: code, status, requestId: 'r' })
const gone = () => new NoAnswer('nobody listens', true)

describe('a call that is sent again until its answer comes', () => {
  test('has its answer as soon as there is one', async () => {
    const time = new OwnTime()
    assert.equal(await askAgain(3_600_000, async () => (time.at < 60_000 ? Promise.reject(time.at % 1_000 ? gone() : refused('ServiceUnavailable', 503)) : 'done'), time), 'done')
    assert.equal(time.at, 60_000)
  })

  test('is given up after a minute and a half without one, and at once where it is refused', async () => {
    const time = new OwnTime()
    await assert.rejects(askAgain(3_600_000, () => Promise.reject(gone()), time), { kind: 'NoAnswer' })
    assert.equal(time.at, 90_000)
    await assert.rejects(askAgain(3_600_000, () => Promise.reject(refused('InvalidParameter.Name', 400)), time), { code: 'InvalidParameter.Name' })
    assert.equal(time.at, 90_000)
  })

  test('is given up after a minute and a half of refusals for now, however long each of them takes', async () => {
    const time = new OwnTime()
    await assert.rejects(askAgain(3_600_000, async () => {
      time.at += 14_500
      throw refused('ServiceUnavailable', 503)
    }, time), { code: 'ServiceUnavailable' })
    assert.equal(time.at, 14_500 + 6 * 15_000)
  })

  test('has the whole of that time again where its server was there for a while', async () => {
    const time = new OwnTime()
    let asked = 0
    await assert.rejects(askAgain(3_600_000, async () => {
      // The hundredth is with the server for a minute before that dies.
      if (++asked === 100) time.at += 60_000
      throw gone()
    }, time), { kind: 'NoAnswer' })
    assert.equal(time.at, 99 * 500 + 60_000 + 90_000)
  })
})

describe('a wait for something', () => {
  test('looks twice a second, and says at its end what did not come', async () => {
    const time = new OwnTime()
    let looks = 0
    const look = async () => {
      looks++
      return undefined
    }
    await assert.rejects(until(30_000, 'The machine till-1 was not made', look, time), { kind: 'WaitedInVain', message: 'The machine till-1 was not made within 30 s.' })
    assert.deepEqual([looks, time.at], [61, 30_000])
  })

  test('ends when the thing is gone', async () => {
    const time = new OwnTime()
    const client = { call: async () => (time.at < 2_000 ? { Status: { Phase: 'Deleting', Conditions: [{ Type: 'Progressing' }] }, Because: 'it goes' } : Promise.reject(refused('NotFound.Cluster', 404))) } as unknown as EdgeholdClient
    await waitUntilGone(client, 'cluster shop', 'c1', 60_000, time)
    assert.equal(time.at, 2_000)
  })

  test('for a call to be accepted ends with the last refusal', async () => {
    const time = new OwnTime()
    await assert.rejects(callWhenAccepted({ wait: true, timeoutMs: 5_000, what: 'the deletion of shop', time }, () => Promise.reject(refused('OperationDenied.ClusterStatus', 400))), { message: 'the deletion of shop was not accepted within 5 s. OperationDenied.ClusterStatus' })
    assert.equal(time.at, 5_000)
  })
})
