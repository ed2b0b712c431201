import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OwnTime } from '#test/harness/own-time.ts'
import { ApiError, NoAnswer } from './errors.ts'
import { Patience, type Asking } from './patience.ts'

const refused = (code: string, status: number) => new ApiError({ code, message: code, status, requestId: 'r' })
const gone = () => new NoAnswer('nobody listens', true)
/** As commands wait for a play of an hour. */
const LONG: Asking = { longestMs: 3_600_000 }

function patient() {
  const time = new OwnTime(), told: string[] = []
  return { time, told, patience: new Patience({ tell: text => told.push(text), time }) }
}

describe('a call that is sent again until its answer comes', () => {
  test('has its answer as soon as there is one, and whoever waits is told once, and how long that may last', async () => {
    const { time, told, patience } = patient()
    assert.equal(await patience.ask(async () => (time.at < 60_000 ? Promise.reject(time.at % 1_000 ? refused('ServiceUnavailable', 503) : gone()) : 'done'), LONG), 'done')
    assert.deepEqual([time.at, told], [60_000, ['The server gives no answer for now; what was asked is sent again for up to 90 s.']])
  })

  test('is given up after a minute and a half without one, and at once where it is refused', async () => {
    const { time, patience } = patient()
    await assert.rejects(patience.ask(() => Promise.reject(gone()), LONG), { kind: 'NoAnswer' })
    assert.equal(time.at, 90_000)
    await assert.rejects(patience.ask(() => Promise.reject(refused('InvalidParameter.Name', 400)), LONG), { code: 'InvalidParameter.Name' })
    assert.equal(time.at, 90_000)
  })

  test('is not sent a second time once none had an answer; from the first answer on it is again', async () => {
    const { time, told, patience } = patient()
    let asked = 0
    const lost = () => (asked++, Promise.reject(gone()))
    await assert.rejects(patience.ask(lost), { kind: 'NoAnswer' })
    await assert.rejects(patience.ask(lost), { kind: 'NoAnswer' })
    assert.deepEqual([time.at, asked, told.length], [90_000, 182, 1])
    assert.equal(await patience.ask(async () => 'back'), 'back')
    await assert.rejects(patience.ask(lost), { kind: 'NoAnswer' })
    assert.deepEqual([time.at, told.length], [180_000, 2])
  })

  test('is not sent any more once whoever listened has left', async () => {
    const { time, patience } = patient(), leaving = new AbortController()
    await assert.rejects(patience.ask(async () => {
      if (time.at >= 2_000) leaving.abort(new Error('They left'))
      throw gone()
    }, { left: leaving.signal }), /They left/)
    assert.equal(time.at, 2_500)
  })

  test('is given up after a minute and a half of refusals for now, however long each of them takes', async () => {
    const { time, told, patience } = patient()
    await assert.rejects(patience.ask(async () => {
      time.at += 14_500
      throw refused('ServiceUnavailable', 503)
    }, LONG), { code: 'ServiceUnavailable' })
    assert.equal(time.at, 14_500 + 6 * 15_000)
    assert.match(told.join(), /^The server refuses the call for now; .* up to 90 s\.$/)
  })

  test('has the whole of that time again where its server was there for a while', async () => {
    const { time, patience } = patient()
    let asked = 0
    await assert.rejects(patience.ask(async () => {
      // The hundredth is with the server for a minute before that dies.
      if (++asked === 100) time.at += 60_000
      throw gone()
    }, LONG), { kind: 'NoAnswer' })
    assert.equal(time.at, 99 * 500 + 60_000 + 90_000)
  })

  test('is given up in the end also where each try is with a server for a while, and lost', async () => {
    for (const [asking, longest] of [[{ longestMs: 600_000 }, 690_000], [{}, 180_000]] as const) {
      const { time, patience } = patient()
      let asked = 0
      await assert.rejects(patience.ask(async () => {
        if (++asked > 1_000) throw new Error('it is still asked')
        time.at += 10_000
        throw gone()
      }, asking), { kind: 'NoAnswer' })
      assert.ok(time.at >= longest && time.at <= longest + 11_000, `given up after ${time.at} ms`)
    }
  })
})
