import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Clock } from '#ports/clock.ts'
import { ApiClient, ApiRefusal, ApiUnreachable } from './api-client.ts'
import { jsonLines } from './json-lines.ts'
import { listWatch } from './list-watch.ts'
import type { KubernetesObject } from './objects.ts'

/** Waits pass at once, so that only the order of things counts. */
const hurried: Clock = { now: () => 0, sleep: async () => {} }

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<{ client: ApiClient } & AsyncDisposable> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new ApiClient({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, caCert: '' })
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const object = (name: string, resourceVersion: string): KubernetesObject => ({ metadata: { name, resourceVersion } })
const line = (type: string, of: object): string => JSON.stringify({ type, object: of }) + '\n'

/** Runs against a server that answers the n-th request by the n-th step; the story of what the handlers heard, until it is as long as wanted. */
async function storyOf(steps: ((request: IncomingMessage, response: ServerResponse) => void)[], length: number): Promise<{ story: string[]; asked: string[] }> {
  const asked: string[] = []
  const story: string[] = []
  const stop = new AbortController()
  const hear = async (word: string): Promise<void> => {
    story.push(word)
    if (story.length >= length) stop.abort()
  }
  await using server = await serve((request, response) => {
    asked.push(request.url ?? '')
    const step = steps[asked.length - 1]
    if (step) step(request, response)
    else stop.abort()
  })
  await listWatch(server.client, '/things', {
    onSync: objects => hear(`sync ${objects.map(one => one.metadata.name).join('+')}`),
    onChange: one => hear(`change ${one.metadata.name}`),
    onGone: one => hear(`gone ${one.metadata.name}`),
    onLost: () => hear('lost'),
  }, hurried, AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]))
  return { story, asked }
}

const list = (version: string, ...names: string[]) => (_: IncomingMessage, response: ServerResponse): void => {
  response.end(JSON.stringify({ metadata: { resourceVersion: version }, items: names.map(name => object(name, version)) }))
}
const watch = (...events: string[]) => (_: IncomingMessage, response: ServerResponse): void => { response.end(events.join('')) }
const breaks = (request: IncomingMessage): void => { request.socket.destroy() }

test('a watch that ends is taken up where it was, bookmarks included', async () => {
  const { story, asked } = await storyOf([
    list('5', 'a'),
    watch(line('MODIFIED', object('a', '6')), line('BOOKMARK', object('', '9'))),
    watch(line('DELETED', object('a', '10'))),
  ], 3)
  assert.deepEqual(story, ['sync a', 'change a', 'gone a'])
  assert.match(asked[1] ?? '', /resourceVersion=5/)
  assert.match(asked[2] ?? '', /resourceVersion=9/)
})

test('one broken connection is no loss; a second in a row is, and a list follows', async () => {
  const { story } = await storyOf([list('5', 'a'), breaks, breaks, breaks, list('8', 'a', 'b')], 3)
  assert.deepEqual(story, ['sync a', 'lost', 'sync a+b'])
})

test('a forgotten place means a list, without a loss', async () => {
  const { story } = await storyOf([list('5', 'a'), watch(line('ERROR', { code: 410, reason: 'Expired', message: 'too old', metadata: {} })), list('50', 'b')], 2)
  assert.deepEqual(story, ['sync a', 'sync b'])
})

test('what a handler throws ends the watch', async () => {
  await using server = await serve(list('1'))
  await assert.rejects(listWatch(server.client, '/things', {
    onSync: async () => { throw new TypeError('fenced off') }, onChange: async () => {}, onGone: async () => {}, onLost: async () => {},
  }, hurried, AbortSignal.timeout(10_000)), TypeError)
})

test('lines come out whole however the stream is cut', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.integer())), fc.integer({ min: 1, max: 50 }), async (values, size) => {
    const bytes = Buffer.from(values.map(value => JSON.stringify(value) + '\n').join(''))
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    const seen: unknown[] = []
    for await (const value of jsonLines(chunks())) seen.push(value)
    assert.deepEqual(seen, values)
  }))
})

test('refusals carry Kubernetes’ own reason, silence and absence are told apart', async () => {
  await using server = await serve((request, response) => {
    if (request.url === '/slow') return
    response.statusCode = request.url === '/gone' ? 404 : 409
    response.end(JSON.stringify({ kind: 'Status', message: 'it was', reason: request.url === '/gone' ? 'NotFound' : 'Conflict' }))
  })
  assert.equal(await server.client.find('/gone'), undefined)
  await server.client.remove('/gone')
  await assert.rejects(server.client.json('GET', '/conflict'), (error: unknown) => error instanceof ApiRefusal && error.reason === 'Conflict' && error.httpStatus === 409)
  await assert.rejects(server.client.call('GET', '/slow', { deadlineMs: 100 }), ApiUnreachable)
})
