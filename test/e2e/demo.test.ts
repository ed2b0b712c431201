/** The demo tells a true story: what it prints has happened, in order, and it leaves nothing behind. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Installation } from '#test/harness/command.ts'
import { leftOnHost } from '#test/harness/left-on-host.ts'

describe('the demo', () => {
  let place: Installation
  before(async () => {
    place = await Installation.make()
  })
  after(async () => {
    await place.remove()
  })

  test('goes from nothing to four pods on two machines, each status with its reason, and takes itself away', async () => {
    const told = await place.ok(['demo'], { deadlineMs: 10 * 60_000 })
    let from = 0
    for (const next of [
      /Cluster demo +\{Creating,\[Progressing\]\}/, /Cluster demo +\{Running,\[Ok\]\}/, /NodePool counters +\{Running,\[Ok\]\}/, /curl -fsSk --pinnedpubkey/,
      /Node demo-1 +\{Creating,\[Progressing\]\}/, /Node demo-1 +\{Running,\[Ok\]\}/, /Node demo-2 +\{Running,\[Ok\]\}/, /successfully rolled out/, /reached web\.default\.svc\.cluster\.local:80/,
      /Cluster demo +\{Deleting,\[Progressing\]\}/, /Cluster demo +gone/, /ledger has nothing of it left/,
    ]) {
      const at = told.slice(from).search(next)
      assert.ok(at >= 0, `${next} follows in:\n${told}`)
      from += at
    }
    const pods = [...told.matchAll(/^web-\S+ +(?<node>demo-\d)/gm)].map(match => match.groups?.['node'])
    assert.equal(pods.length, 4)
    assert.deepEqual(new Set(pods), new Set(['demo-1', 'demo-2']))
    const machines = await place.json<unknown[] | { Items: unknown[] }>(['machine', 'list'])
    assert.equal(Array.isArray(machines) ? machines.length : machines.Items.length, 0)
    await place.ok(['down', '--all'], { deadlineMs: 120_000 })
    assert.deepEqual(await leftOnHost(place.state), [])
  })
})
