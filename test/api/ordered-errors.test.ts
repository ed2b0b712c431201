/** The server's log tells errors that somebody ordered from those that nobody did. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '#ports/log.ts'
import { MemoryWorldStore } from '#providers/simulated/store/memory-world-store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { SimulatedServer } from '#test/harness/simulated-server.ts'

test('an ordered 500 is logged as ordered, with its fault, and a real one as an error', async t => {
  const logged: (readonly [level: string, text: string, fault: unknown])[] = []
  const at = (level: string): Log['info'] => (facts, text) => { if (typeof facts === 'object' && 'action' in facts) logged.push([level, text, (facts as { readonly fault?: unknown }).fault]) }
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  const store = new MemoryStore(() => Date.now())
  const server = await SimulatedServer.open({ store, queue: store.queue, worldStore: new MemoryWorldStore(), log })
  t.after(() => server.close())
  const { Id } = await server.done('InjectFault', { Port: 'api', Call: 'ListClusters', Effect: { Type: 'fail', Code: '500' }, Times: 1 })
  assert.equal((await server.call('ListClusters', {})).status, 500)
  assert.deepEqual(logged, [['info', 'A call was refused because a fault orders it', Id]])

  store.listClusters = () => Promise.reject(new Error('a real fault'))
  assert.equal((await server.call('ListClusters', {})).status, 500)
  assert.deepEqual(logged.slice(1), [['error', 'Answering a call failed unexpectedly', undefined]])
})
