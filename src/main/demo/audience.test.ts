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

test('whose output fails otherwise has left, too, which is a failure that the other stream tells once', () => {
  for (const [stream, other] of [['output', 'errors'], ['errors', 'output']] as const) {
    const { hearing, audience: whole } = audience()
    hearing[stream].emit('error', failure('ENOSPC'))
    assert.deepEqual([whole.left.aborted, whole.code], [true, 1], stream)
    assert.equal(String(hearing[other].read()), 'edgehold: What is told cannot be written (ENOSPC), so the demo ends.\n')
    whole.tell('kept')
    assert.equal(String(hearing[other].read()), 'kept\n', 'where things are that stay is told to whoever is left')
    // Where that one fails, too, nobody can be told, and what was made goes all the same.
    hearing[other].emit('error', failure('ENOSPC'))
    assert.deepEqual([hearing.output.read(), hearing.errors.read(), whole.code], [null, null, 1])
  }
})

test('the exit code is that of the last line, too', async () => {
  const { hearing, audience: whole } = audience()
  hearing.output._transform = (_chunk, _encoding, done) => done(failure('ENOSPC'))
  whole.tell('the last line')
  assert.equal(await whole.end(), 1)
  assert.equal(await audience().audience.end(), 0)
})

test('a failure of the output before or after an interruption leaves the exit code of what came first', () => {
  for (const [first, second, code] of [['fails', 'interrupts', 1], ['interrupts', 'fails', 130]] as const) {
    const { hearing, audience: whole } = audience()
    const act = { fails: () => hearing.output.emit('error', failure('ENOSPC')), interrupts: () => hearing.signals.emit('SIGINT', 'SIGINT') }
    act[first]()
    act[second]()
    assert.equal(whole.code, code)
  }
})

test('the first interruption lets the demo tidy up, and the second is left to end it', () => {
  const { hearing, audience: whole } = audience()
  assert.equal(hearing.signals.emit('SIGINT', 'SIGINT'), true)
  assert.deepEqual([whole.left.aborted, whole.code], [true, 130])
  assert.deepEqual(['SIGINT', 'SIGTERM', 'SIGHUP'].map(signal => hearing.signals.emit(signal, signal)), [false, false, false], 'nobody catches the next one')
})
