import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { repository, runProgram, type Ended } from '#test/harness/command.ts'
import { OURS } from './api-under-test.ts'
import { openSmallWorld, type SmallWorld } from './small-world.ts'

/** Quota, stock, balance and clock by the command line, and what it says to values that make no sense: the server's own sentence. */
suite('limits by the command line', () => {
  let world: SmallWorld, state: string
  before(async () => {
    world = await openSmallWorld()
    // Signatures are made by real clocks.
    Object.defineProperty(world.api, 'now', { get: () => Date.now() })
    await world.api.app.listen({ host: '127.0.0.1', port: 0 })
    state = mkdtempSync(join(tmpdir(), 'edgehold-limits-'))
    const endpoint = `http://127.0.0.1:${(world.api.app.server.address() as AddressInfo).port}`
    writeFileSync(join(state, 'credentials.json'), JSON.stringify({ AccessKeyId: OURS.accessKeyId, SecretAccessKey: OURS.secretAccessKey, Endpoint: endpoint, Region: 'local-1' }), { mode: 0o600 })
  })
  after(async () => {
    await world.api.app.close()
    rmSync(state, { recursive: true })
  })
  const run = (...args: readonly string[]): Promise<Ended> => runProgram(process.execPath, [join(repository, 'src/cli/edgehold.ts'), ...args], { environment: { PATH: process.env['PATH'], EDGEHOLD_STATE: state } })

  test('a quota is set, shown and taken away', async () => {
    assert.match((await run('quota', 'show')).stderr, /No quota is set/)
    const set = await run('quota', 'set', 'Machine', '3')
    assert.deepEqual([set.code, set.stdout, set.stderr], [0, '', 'The account may have 3 of the kind Machine.\n'])
    assert.match((await run('quota', 'show')).stdout, /^KIND\s+LIMIT\s+HELD\s*\nMachine\s+3\s+0\s*\n$/)
    assert.deepEqual(JSON.parse((await run('quota', 'list', '--output', 'json')).stdout), [{ Kind: 'Machine', Limit: 3, Held: 0 }])
    assert.equal((await run('quota', 'set', 'Machine', 'unlimited')).code, 0)
    assert.deepEqual((await world.api.done('ListQuotas')).Items, [])
  })

  test('stock is set in one area and in all others, shown and taken away', async () => {
    assert.match((await run('stock', 'show')).stderr, /No stock is set/)
    await run('stock', 'set', 'Machine', '5')
    assert.match((await run('stock', 'set', 'Machine', '2', '--area', 'north')).stderr, /^2 of the kind Machine can still be had in north\.\n$/)
    assert.match((await run('stock', 'show')).stdout, /^KIND\s+AREA\s+LEFT\s*\nMachine\s+all others\s+5\s*\nMachine\s+north\s+2\s*\n$/)
    await run('stock', 'set', 'Machine', 'unlimited')
    assert.deepEqual((await world.api.done('ListStock')).Items, [{ Kind: 'Machine', Area: 'north', Count: 2 }])
    assert.equal((await run('stock', 'set', 'Machine', 'unlimited', '--area', 'north')).code, 0)
  })

  // oxfmt-ignore
  const REFUSED: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
    [['clock', 'step', '-5m'],                                         1, /Step.* it is not a span of time such as 90s, 61m, 2h or 7d.*\(InvalidParameter\.Step\)/s],
    [['clock', 'step', '-5'],                                          1, /\(InvalidParameter\.Step\)/],
    [['clock', 'speed', '-2'],                                         1, /Speed.* it has to be above 0.*\(InvalidParameter\.Speed\)/s],
    [['quota', 'set', 'Machine', '-1'],                                1, /Limit.* it has to be >= 0.*\(InvalidParameter\.Limit\)/s],
    [['quota', 'set', 'Machine', '1.5'],                               1, /\(InvalidParameter\.Limit\)/],
    [['quota', 'set', 'Moon', '1'],                                    1, /it has to be one of Machine, LoadBalancer,.*\(InvalidParameter\.Kind\)/s],
    [['quota', 'set', 'Machine', 'many'],                              2, /"many" is neither a number nor "unlimited"/],
    [['quota', 'set', 'Machine', '-5m'],                               2, /"-5m" is neither a number nor "unlimited"/],
    [['stock', 'set', 'Machine', '-1'],                                1, /\(InvalidParameter\.Count\)/],
    [['stock', 'set', 'Machine', '1', '--area', ''],                   1, /\(InvalidParameter\.Area\)/],
    [['stock', 'set', 'Machine', 'Infinity'],                          2, /"Infinity" is neither a number nor "unlimited"/],
    [['balance', 'set', '-1e12'],                                      1, /\(InvalidParameter\.Amount\)/],
    [['balance', 'set', '-5m'],                                        2, /"-5m" is neither a number nor "unlimited"/],
    [['fault', 'inject', 'machines', 'hang', '--for', '-5s'],          1, /\(InvalidParameter\.Effect\.For\)/],
    [['fault', 'inject', 'machines', 'fail', '--times', '-1'],         1, /\(InvalidParameter\.Times\)/],
    [['fault', 'inject', 'machines', 'fail', '--times', 'often'],      2, /"often" is not a number/],
    [['fault', 'inject', 'machines', 'fail', '--nth', 'last'],         2, /"last" is not a number/],
    [['region', 'create', '--seed', '-1'],                             1, /\(InvalidParameter\.Seed\)/],
    [['machine', 'add', '-5'],                                         1, /\(InvalidParameter\.Name\)/],
    [['quota', 'set', 'Machine', '1', '--colour'],                     2, /unknown option '--colour'/],
  ]
  for (const [args, code, says] of REFUSED) {
    test(`${args.join(' ')}: exit code ${code}, in a sentence`, async () => {
      const ended = await run(...args)
      assert.match(ended.stderr, says)
      assert.deepEqual([ended.code, ended.stdout], [code, ''])
    })
  }

  test('a debt is a balance', async () => {
    assert.equal((await run('balance', 'set', '-3.5')).code, 0)
    assert.match((await run('balance', 'show')).stdout, /It has -3\.50\./)
  })

  test('scenarios are asked for in a simulated one unless a real one is named', async () => {
    assert.match((await run('quota', 'show', '--region', 'sim-1')).stderr, /not in this version/)
    const refused = await run('scenario', 'list', '--region', 'local-1')
    assert.deepEqual([refused.code, refused.stdout], [1, ''])
    assert.match(refused.stderr, /The region local-1 is real.*\(OperationDenied\.RegionNotSimulated\)\nName a simulated region with --region/s)
  })
})
