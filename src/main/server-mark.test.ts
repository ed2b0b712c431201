import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { dropServerMark, findServer, takeServerMark } from './server-mark.ts'

suite('who serves a state folder', () => {
  let state = ''
  beforeEach(() => (state = mkdtempSync(join(tmpdir(), 'edgehold-mark-'))))
  afterEach(() => rmSync(state, { recursive: true, force: true }))

  test('it is taken once, given back, and taken from the dead', () => {
    writeFileSync(join(state, 'server.json'), JSON.stringify({ pid: process.pid, startTicks: 'of an earlier process', endpoint: 'http://there', startedAt: 1 }))
    assert.equal(findServer(state), undefined)
    assert.equal(takeServerMark(state, 'http://here'), undefined)
    assert.equal(takeServerMark(state, 'http://there')?.endpoint, 'http://here')
    dropServerMark(state)
    assert.deepEqual(readdirSync(state), [])
  })

  test('a mark that a full disk left empty is nobody', () => {
    writeFileSync(join(state, 'server.json'), '')
    assert.equal(takeServerMark(state, 'http://here'), undefined)
    assert.equal(findServer(state)?.pid, process.pid)
  })

  test('of many that see the same dead mark at one moment exactly one gets the folder', { timeout: 60_000 }, async () => {
    // Each says that it is there, takes the folder at the same word, tells what it got, and stays until it is ended.
    const program = `
      import { takeServerMark } from ${JSON.stringify(new URL('server-mark.ts', import.meta.url).href)}
      import { writeFileSync } from 'node:fs'
      process.stdin.on('data', data => {
        for (const round of data.toString().trim().split('\\n')) {
          const state = process.argv[1] + '/' + round
          const other = takeServerMark(state, 'http://' + process.pid)
          process.stdout.write(other ? '-' : '+')
        }
      })
      process.stdin.on('end', () => process.exit())
      process.stdout.write('.')`
    const rounds = Array.from({ length: 40 }, (_, round) => `r${round}`)
    for (const round of rounds) {
      takeServerMark(join(state, round), 'http://dead')
      writeFileSync(join(state, round, 'server.json'), JSON.stringify({ pid: 1, startTicks: 'dead', endpoint: 'http://dead', startedAt: 1 }))
    }
    const children = Array.from({ length: 4 }, () => spawn(process.execPath, ['--input-type=module', '--eval', program, state], { stdio: ['pipe', 'pipe', 'inherit'] }))
    try {
      const said = children.map(() => '')
      children.forEach((child, index) => child.stdout.on('data', (data: Buffer) => (said[index] += data.toString())))
      const saidSo = async (length: number): Promise<void> => {
        while (said.some(words => words.length < length)) await Promise.race(children.map(child => once(child.stdout, 'data')))
      }
      await saidSo(1)
      for (const child of children) child.stdin.write(`${rounds.join('\n')}\n`)
      await saidSo(1 + rounds.length)
      for (const [index, round] of rounds.entries()) assert.equal(said.filter(words => words[index + 1] === '+').length, 1, round)
    } finally {
      for (const child of children) child.kill('SIGKILL')
    }
  })
})
