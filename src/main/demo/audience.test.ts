import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { Audience } from './audience.ts'

function audience() {
  const hearing = { output: new PassThrough(), errors: new PassThrough(), signals: new EventEmitter() }
  return { hearing, audience: new Audience(hearing) }
}
const failure = (code: string): Error => Object.assign(new Error(code), { code })

test('who closes the output has left, which is no failure, and is told nothing more', () => {
  for (const stream of ['output', 'errors'] as const) {
    const { hearing, audience: whole } = audience()
    const { left, tell } = whole
    tell('once')
    assert.deepEqual([left.aborted, String(hearing.output.read())], [false, 'once\n'])
    hearing[stream].emit('error', failure('EPIPE'))
    assert.deepEqual([left.aborted, whole.code], [true, 0], stream)
    hearing.output.destroy()
    tell('more')
  }
})

test('an output that fails otherwise is a failure', () => {
  const { hearing, audience: { left } } = audience()
  assert.throws(() => hearing.output.emit('error', failure('ENOSPC')), /ENOSPC/)
  assert.equal(left.aborted, false)
})

test('the first interruption lets the demo tidy up, and the second is left to end it', () => {
  const { hearing, audience: whole } = audience()
  assert.equal(hearing.signals.emit('SIGINT', 'SIGINT'), true)
  assert.deepEqual([whole.left.aborted, whole.code], [true, 130])
  assert.deepEqual(['SIGINT', 'SIGTERM', 'SIGHUP'].map(signal => hearing.signals.emit(signal, signal)), [false, false, false], 'nobody catches the next one')
})
