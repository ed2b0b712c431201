import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import type { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'
import { realTime } from '#client/waiting-time.ts'
import { OwnTime } from '#test/harness/own-time.ts'
import { run } from './run.ts'
import { hintFor } from './hints.ts'
import { callWhenAccepted, until, waitForPhase, waitUntilGone } from './wait.ts'

const refused = (code: string, status: number) => new ApiError({ code, message: code, status, requestId: 'r' })

/** Of a real region. */
const NO_CLOCK = { call: () => Promise.reject(refused('OperationDenied.RegionNotSimulated', 400)) } as unknown as EdgeholdClient

/** Refused, or told: what a server answers to a call. */
type Answer = { readonly status: number; readonly code: string } | { readonly result: object }

/** The command against a server that answers so, in a time that passes only where the command waits. Answers its exit code, what it told, how long it waited and the tokens that it sent. */
async function runs(t: TestContext, args: readonly string[], answer: (asked: number) => Answer, answersAfterMs = 0): Promise<{ readonly exit: number; readonly told: string; readonly waited: number; readonly asked: number; readonly tokens: ReadonlySet<unknown> }> {
  let at = 0, asked = 0, told = ''
  const tokens = new Set<unknown>()
  t.mock.method(realTime, 'now', () => at)
  t.mock.method(realTime, 'sleep', async (ms: number) => { at += ms })
  t.mock.method(process.stderr, 'write', (text: string) => { told += text; return true })
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += String(part)
    const isRun = request.url?.includes('RunScenario') === true
    if (isRun) {
      at += answersAfterMs
      tokens.add((JSON.parse(body) as { ClientToken?: unknown }).ClientToken)
    }
    const given: Answer = isRun ? answer(++asked) : { result: { Items: [{ Name: 'node-failed-not-ready', Title: {}, Reaches: [{ Kind: 'Node' }], Steps: [] }], TotalCount: 1 } }
    const status = 'status' in given ? given.status : 200
    // The client itself waits so long between its own tries.
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '0.001' })
    response.end(JSON.stringify({ ResponseMetadata: { RequestId: 'r', ...'status' in given && { Error: { Code: given.code, Message: given.code } } }, ...'result' in given && { Result: given.result } }))
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const environment = { VOLCENGINE_ACCESS_KEY: 'k', VOLCENGINE_SECRET_KEY: 's', VOLCENGINE_REGION: 'sim-1', VOLCENGINE_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  const before = Object.fromEntries(Object.keys(environment).map(name => [name, process.env[name]]))
  Object.assign(process.env, environment)
  try {
    return { exit: await run(['scenario', 'run', 'node-failed-not-ready', ...args]), told, waited: at, asked, tokens }
  } finally {
    for (const [name, value] of Object.entries(before)) if (value === undefined) delete process.env[name]; else process.env[name] = value
    server.closeAllConnections()
    server.close()
  }
}

describe('scenario run', () => {
  test('that is refused for now ends after a minute and a half, and says how it goes on', async t => {
    const { exit, told, waited, asked, tokens } = await runs(t, ['--in', 'own-1'], () => ({ status: 503, code: 'ServiceUnavailable' }))
    assert.deepEqual([exit, waited, asked, tokens.size], [1, 90_000, 5 * 181, 1])
    assert.match(told, /refuses the call for now; what was asked is sent again for up to 90 s/)
    assert.ok(told.includes(`--client-token ${String([...tokens][0])} goes on where it stands`), told)
  })

  test('ends so, too, where each refusal takes its time', async t => {
    // A call of the client's is five of them.
    const { exit, waited } = await runs(t, [], () => ({ status: 503, code: 'ServiceUnavailable' }), 2_900)
    assert.deepEqual([exit, waited], [1, 14_500 + 6 * 15_000])
  })

  test('goes on with the token that it is given, and tells what it is told at last', async t => {
    const told: string[] = []
    const write = process.stdout.write.bind(process.stdout)
    // What is no text is the test runner's own.
    t.mock.method(process.stdout, 'write', (text: unknown) => (typeof text === 'string' ? told.push(text) > 0 : write(text as Uint8Array)))
    const story = { Name: 'node-failed-not-ready', Seed: 1, Region: 'own-1', Stopped: false, Story: [{ At: '2026-01-05T08:00:00.000Z', Text: 'It is so.' }], Resources: [] }
    const { exit, waited, tokens } = await runs(t, ['--in', 'own-1', '--client-token', 'once'], asked => (asked <= 5 * 60 ? { status: 503, code: 'ServiceUnavailable' } : { result: story }))
    assert.deepEqual([exit, waited, [...tokens]], [0, 30_000, ['once']])
    assert.ok(told.join('').includes('It is so.'))
  })
})

describe('a wait for something', () => {
  test('looks twice a second, and says at its end what did not come', async () => {
    const time = new OwnTime()
    let looks = 0
    const look = async () => {
      looks++
      return undefined
    }
    await assert.rejects(until(NO_CLOCK, 30_000, 'The machine till-1 was not made', look, time), { kind: 'WaitedInVain', message: 'The machine till-1 was not made within 30 s.' })
    assert.deepEqual([looks, time.at], [61, 30_000])
  })

  test('ends when the thing is gone', async () => {
    const time = new OwnTime()
    const client = { call: async () => (time.at < 2_000 ? { Status: { Phase: 'Deleting', Conditions: [{ Type: 'Progressing' }] }, Because: 'it goes' } : Promise.reject(refused('NotFound.Cluster', 404))) } as unknown as EdgeholdClient
    await waitUntilGone(client, 'cluster shop', 'c1', 60_000, time)
    assert.equal(time.at, 2_000)
  })

  test('for a call to be accepted ends with the last refusal', async () => {
    const time = new OwnTime()
    await assert.rejects(callWhenAccepted(NO_CLOCK, { wait: true, timeoutMs: 5_000, what: 'the deletion of shop', time }, () => Promise.reject(refused('OperationDenied.ClusterStatus', 400))), { message: 'the deletion of shop was not accepted within 5 s. OperationDenied.ClusterStatus' })
    assert.equal(time.at, 5_000)
  })
})

describe('a wait where the clock of a simulated region stands still', () => {
  /** A region whose clock is so after so many ms, and in which the cluster runs after twenty seconds. */
  function region(time: OwnTime, clockAt: (at: number) => { readonly Paused: boolean; readonly Behind?: string } | ApiError) {
    let asked = 0
    const call = async (action: string) => {
      if (action !== 'GetClock') return { Status: { Phase: time.at >= 20_000 ? 'Running' : 'Creating', Conditions: [{ Type: 'Progressing' }] }, Because: 'it is so', Exits: [] }
      asked++
      const clock = clockAt(time.at)
      return clock instanceof ApiError ? Promise.reject(clock) : clock
    }
    return { client: { region: 'ci-1', call } as unknown as EdgeholdClient, asked: () => asked }
  }
  async function told(t: TestContext, wait: () => Promise<unknown>): Promise<{ readonly lines: readonly string[]; readonly error: Error | undefined }> {
    const lines: string[] = []
    // Of two in one test the end of the test would leave the first in place of the stream's own.
    const { mock } = t.mock.method(process.stderr, 'write', (text: string) => lines.push(text.trimEnd()) > 0)
    const error = await wait().then(() => undefined, (thrown: unknown) => thrown as Error).finally(() => { mock.restore() })
    return { lines, error }
  }
  const GO_ON = '"edgehold clock step 1m --region ci-1", or "edgehold clock resume --region ci-1"'
  const STANDS = `The clock of the region ci-1 stands still, and nothing comes until it goes on: ${GO_ON}.`

  test('says so at once, and at its end does not say that it goes on', async t => {
    const time = new OwnTime(), { client } = region(time, () => ({ Paused: true }))
    const { lines, error } = await told(t, () => waitForPhase(client, 'cluster shop', 'c1', ['Running'], 4_000, time))
    assert.deepEqual(lines, ['cluster shop: Creating [Progressing], it is so.', STANDS])
    assert.deepEqual([error?.message, error && hintFor(error)], ['cluster shop did not become Running within 4 s: the clock of the region ci-1 stands still.', `It goes on when the clock does: ${GO_ON}.`])
  })

  test('says so each time that it comes to stand, and ends when what is waited for comes', async t => {
    const time = new OwnTime(), { client } = region(time, at => (at > 5_000 && at < 10_000 ? { Paused: true, Behind: '3s' } : { Paused: at < 15_000 }))
    const { lines, error } = await told(t, () => waitForPhase(client, 'cluster shop', 'c1', ['Running'], 60_000, time))
    assert.deepEqual([error, time.at, lines.filter(line => line === STANDS).length], [undefined, 20_000, 2])
  })

  test('tells a standstill once, also where a call is waited for first', async t => {
    const time = new OwnTime(), { client } = region(time, () => ({ Paused: true }))
    const refusals = [1, 2, 3]
    const { lines, error } = await told(t, async () => {
      await callWhenAccepted(client, { wait: true, timeoutMs: 5_000, what: 'the deletion of shop', time }, async () => { if (refusals.pop() !== undefined) throw refused('OperationDenied.ClusterStatus', 400) })
      await waitUntilGone(client, 'cluster shop', 'c1', 2_000, time)
    })
    assert.deepEqual([lines.filter(line => line === STANDS).length, error?.message], [1, 'cluster shop was not gone within 2 s: the clock of the region ci-1 stands still.'])
    const never = await told(t, () => callWhenAccepted(client, { wait: true, timeoutMs: 1_000, what: 'the deletion of shop', time }, () => Promise.reject(refused('OperationDenied.ClusterStatus', 400))))
    assert.match(never.error ? hintFor(never.error) ?? '' : '', /^It goes on when the clock does/)
  })

  test('asks a real region for its clock once, and is not ended by a clock that is not told', async t => {
    for (const [code, times] of [['OperationDenied.RegionNotSimulated', 1], ['ServiceUnavailable', 40]] as const) {
      const time = new OwnTime(), { client, asked } = region(time, () => refused(code, 400))
      const { lines, error } = await told(t, () => waitForPhase(client, 'cluster shop', 'c1', ['Running'], 60_000, time))
      assert.deepEqual([error, lines.length, asked()], [undefined, 2, times])
    }
  })
})
