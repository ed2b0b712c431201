import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from './command.ts'

test('a command is over at its deadline, also where what it started holds its pipes', async () => {
  const { code, stdout, stderr } = await runProgram('bash', ['-c', 'echo begun; sleep 60 & wait'], { deadlineMs: 2_000 })
  assert.deepEqual([code, stdout], [-1, 'begun\n'])
  assert.match(stderr, /ended by the test after 2000 ms/)
})
