import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Log } from '#ports/log.ts'
import type { Queue } from '#ports/queue.ts'
import { readConfiguration } from './configuration.ts'
import { freeLeasesOfDead, leaseName } from './dead-leases.ts'
import { startTicks } from './server-mark.ts'

const state = mkdtempSync(join(tmpdir(), 'edgehold-leases-'))
after(() => rmSync(state, { recursive: true }))
const configuration = readConfiguration({ state }, {})
const never = (_facts: object, text: string) => assert.fail(text)
const log: Log = { debug: never, info: never, warn: never, error: never, child: () => log }

/** What a start of this process frees. */
async function freed(): Promise<string[]> {
  const names: string[] = []
  const register: Queue['register'] = async ({ name }) => ({ name, epoch: 2, lost: new AbortController().signal, release: async () => { names.push(name) } })
  await freeLeasesOfDead(configuration, { register }, log)
  return names
}

test('the first server of a state folder has nothing to free', async () => {
  assert.deepEqual(await freed(), [])
})

test('what a dead one held is freed by its names, once', async () => {
  writeFileSync(join(state, 'lease-holder.json'), JSON.stringify({ pid: process.pid, startTicks: '17' }))
  const mine = leaseName(configuration, ''), dead = mine.replace(/[^/]*$/, '17')
  assert.deepEqual(await freed(), [dead, `${dead}/simulated`])
  assert.equal(mine, dead.replace(/17$/, startTicks(process.pid) ?? ''))
  assert.deepEqual(await freed(), [], 'it was this one that held them last, and it lives')
})

test('a file that a full disk cut is no reason not to start', async () => {
  writeFileSync(join(state, 'lease-holder.json'), '{"pid":')
  assert.deepEqual(await freed(), [])
})
