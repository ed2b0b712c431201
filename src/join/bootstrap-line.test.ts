import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startedLine } from './bootstrap-line.ts'

/** Runs a line that ends with these codes one after the other; answers the last code, and how often it ran. */
function runs(codes: readonly number[]): readonly [number | null, number] {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-line-'))
  try {
    const count = `${folder}/count`, line = `echo >> ${count}; set -- ${codes.join(' ')}; shift $(($(wc -l < ${count}) - 1)); exit $1 # a remark`
    // Nobody waits for the pauses between.
    const { status } = spawnSync('sh', ['-c', `sleep() { :; }; ${startedLine(line)}`])
    return [status, readFileSync(count, 'utf8').length]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a script that could not be fetched whole, as the server died, is fetched again; whatever else it ends with is its end', () => {
  for (const [codes, expected] of [[[0], [0, 1]], [[1], [1, 1]], [[22], [22, 1]], [[56, 0], [0, 2]], [[35, 52, 0], [0, 3]], [[18, 2], [2, 2]], [[56, 56, 56, 0], [56, 3]]] as const) assert.deepEqual(runs(codes), expected)
})
