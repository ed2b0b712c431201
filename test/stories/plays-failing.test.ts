/** Plays of scenarios whose calls go wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storeWith } from '#ports/store-with.ts'
import { KillableServers } from '#test/harness/killed-servers.ts'
import type { SimulatedServer } from '#test/harness/simulated-server.ts'

const BODY = { Name: 'addon-updating-progressing', Seed: 5 }, REGION = `${BODY.Name}-1`

test('a play in a region of its own that goes wrong begins anew, and no other region of the server is opened again for it', async () => {
  const servers = new KillableServers()
  let server: SimulatedServer | undefined, isOrdered = false, closings = 0
  const opened = await servers.open({ wrapStore: store => storeWith(store, () => ({ write: async (now, work, instants) => {
    const result = await store.write(now, work, instants)
    if (isOrdered && server?.regions.faceOf('sim-1')?.refusesWrites() !== undefined) closings += 1
    const play = (await store.findRegion(REGION))?.settings['play'] as { readonly turn: number } | undefined
    if (server && play?.turn === 1 && !isOrdered) {
      isOrdered = true
      await server.done('InjectFault', { Port: 'api', Call: 'CreateAddon', Effect: { Type: 'silent' } }, REGION)
    }
    return result
  } })) })
  try {
    server = opened.server
    const { Story } = await server.done('RunScenario', BODY)
    assert.deepEqual([isOrdered, closings], [true, 0])
    assert.deepEqual(Story, (await server.done('RunScenario', BODY))['Story'])
  } finally {
    await servers.close()
  }
})
