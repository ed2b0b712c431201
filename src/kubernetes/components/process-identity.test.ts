import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

import { identifyProcess, isReplaced, stillRuns } from './process-identity.ts'

test('a process is itself until it ends, and no other', async () => {
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  const identity = identifyProcess(child.pid ?? 0)
  assert.ok(identity)
  assert.deepEqual([stillRuns(identity), isReplaced(identity)], [true, false])
  const former = { pid: identity.pid, startedAt: '1' }
  assert.deepEqual([stillRuns(former), isReplaced(former)], [false, true])
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.deepEqual([stillRuns(identity), isReplaced(identity), identifyProcess(identity.pid)], [false, false, undefined])
})
