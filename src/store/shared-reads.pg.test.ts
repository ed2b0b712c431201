import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type { Scope } from '#ports/store.ts'
import { addCluster, becauseOf, NOON, SCOPE } from '#test/harness/sample-records.ts'
import type { OpenStore } from './open.ts'
import { scratchPostgres, type ScratchPostgres } from './testing/scratch-postgres.ts'

const PAGE = { number: 1, size: 10 }

describe('lists that are given again', () => {
  let postgres: ScratchPostgres
  let one: OpenStore & { readonly databaseUrl: string }
  let other: OpenStore
  before(async () => {
    postgres = await scratchPostgres()
    one = await postgres.openCopy()
    other = await postgres.openBeside(one.databaseUrl)
  })
  after(async () => {
    await other.close()
    await postgres.end()
  })

  test('while nothing is committed an answer is the very same', async () => {
    const quiet: Scope = { ...SCOPE, accountId: 'quiet' }
    await one.store.write(NOON, tx => addCluster(tx, 'quiet', quiet))
    await one.store.listHistory(quiet, {}, PAGE) // its numbering is a commit too
    // PostgreSQL's own housekeeping commits now and then.
    for (let tries = 1; ; tries++) {
      const first = await one.store.listClusters(quiet, {}, PAGE)
      assert.equal(first.totalCount, 1)
      if (await one.store.listClusters(quiet, {}, PAGE) === first) return
      assert.ok(tries < 10, 'never the same')
    }
  })

  test('whatever a process has committed stands in every answer that is asked for afterwards, in each process', async () => {
    const busy: Scope = { ...SCOPE, accountId: 'busy' }
    await one.store.write(NOON, tx => addCluster(tx, 'busy', busy))
    let asking = true
    const shown = async (opened: OpenStore) => (await opened.store.listClusters(busy, {}, PAGE)).items[0]?.spec.description
    // Others ask the same all the time, so that there is always something to share.
    const crowd = [one, other].flatMap(opened => Array.from({ length: 4 }, async () => { while (asking) await shown(opened) }))
    try {
      for (let round = 0; round < 200; round++) {
        const [writer, reader] = round % 2 === 0 ? [one, other] : [other, one]
        await writer.store.write(NOON, async tx => {
          const cluster = await tx.lockCluster('c-busy')
          assert.ok(cluster)
          await tx.changeCluster('c-busy', { spec: { ...cluster.spec, description: String(round) } }, becauseOf('UpdateClusterConfig'))
        })
        assert.deepEqual(await Promise.all([shown(reader), shown(writer)]), [String(round), String(round)])
      }
    } finally {
      asking = false
      await Promise.all(crowd)
    }
  })
})
