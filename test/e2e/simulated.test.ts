/** A life in simulated regions by the commands that people type, on a server that has no root: by its own state folder, as in somebody's CI. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { repository, until, type Ended } from '#test/harness/command.ts'
import { findServer } from '#main/server-mark.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'

interface Item { readonly Name: string; readonly Id: string; readonly Status: { readonly Phase: string; readonly Conditions: readonly { readonly Type: string }[] } }

describe('a simulated region, by the command line and without root', () => {
  let server: RootlessServer
  const run = (args: readonly string[], deadlineMs = 60_000): Promise<Ended> => server.run(args, deadlineMs)
  const ok = (...args: string[]): Promise<string> => server.ok(...args)
  const json = async <Result>(...args: string[]): Promise<Result> => JSON.parse(await ok(...args, '--output', 'json')) as Result
  const statuses = async (kind: string, ...args: string[]): Promise<string[]> => (await json<Item[]>('list', kind, ...args)).map(one => `${one.Name} ${one.Status.Phase}/${one.Status.Conditions.map(condition => condition.Type).join('+')}`)

  before(async () => { server = await RootlessServer.start() })
  after(() => server.remove())

  test('sim-1 is ready as soon as the server answers, and is the default where there is no root', async () => {
    const regions = await json<{ Region: string; Kind: string; Ready: boolean; Default: boolean }[]>('region', 'list')
    assert.deepEqual(regions.map(({ Region, Kind, Ready, Default }) => [Region, Kind, Ready, Default]), [['sim-1', 'Simulated', true, true]])
  })

  test('on sim-1 a cluster, a pool and a machine come to run in their own time', async () => {
    await ok('clock', 'speed', '20')
    await ok('create', 'cluster', 'shop', '--wait')
    await ok('create', 'pool', 'counters', '--cluster', 'shop', '--wait')
    await ok('create', 'onboarding', 'tills', '--cluster', 'shop', '--pool', 'counters')
    await ok('machine', 'add', 'till-1', '--wait')
    await ok('machine', 'run-script', 'till-1', 'tills')
    await until('the node to run', async () => (await statuses('node', '--cluster', 'shop')).includes('till-1 Running/Ok'), 30_000)
    const exec = await run(['machine', 'exec', 'till-1', '--', 'true'])
    assert.equal(exec.code, 1)
    assert.match(exec.stderr, /machines of the region sim-1 run no commands/)
  })

  test('a machine that is refused says why, to whoever runs the script and whoever lists machines', async () => {
    await ok('create', 'pool', 'others', '--cluster', 'shop', '--wait')
    await ok('create', 'onboarding', 'others-script', '--cluster', 'shop', '--pool', 'others')
    const refused = await run(['machine', 'run-script', 'till-1', 'others-script']), why = /The join endpoint refused it: This machine is already the node till-1 in another node pool of the cluster shop; delete that node first\./
    assert.equal(refused.code, 1)
    assert.match(refused.stdout, why)
    assert.match(refused.stderr, /The script ended with 1 on till-1; what it said last stands above/)
    assert.match(await ok('machine', 'list'), why)
    assert.deepEqual(await json('machine', 'run-script', 'till-1', 'tills').then(ran => (ran as { ExitCode: number }).ExitCode), 0)
    assert.doesNotMatch(await ok('machine', 'list'), /refused/)
    assert.deepEqual(await statuses('node', '--cluster', 'shop'), ['till-1 Running/Ok'])
    await ok('machine', 'add', 'till-2', '--wait')
    await ok('clock', 'pause')
    assert.match((await run(['machine', 'run-script', 'till-2', 'tills'])).stderr, /The script has begun, and goes on when the clock does\. "edgehold machine list" shows/)
    await ok('machine', 'remove', 'till-2', '--wait')
    await ok('clock', 'resume')
  })

  test('its kubeconfig names an address of ours that answers at once, with a sentence', async () => {
    const kubeconfig = await ok('kubeconfig', 'shop')
    const [, address = ''] = /server: "?([^"\s]+)"?/.exec(kubeconfig) ?? []
    const answer = await fetch(`${address}/api/v1/nodes`, { signal: AbortSignal.timeout(10_000) })
    assert.equal(answer.status, 503)
    assert.match(await answer.text(), /this cluster is simulated/)
  })

  test('a region of one\'s own has a clock of its own, which can be stepped', async () => {
    await ok('region', 'create', 'ci-4711', '--seed', '7', '--paused')
    const there = ['--region', 'ci-4711']
    assert.equal((await json<{ Now: string }>('clock', 'show', ...there)).Now, '2026-12-01T00:00:00.000Z')
    await ok('create', 'cluster', 'shop', ...there)
    assert.deepEqual(await statuses('cluster', ...there), ['shop Creating/Progressing'])
    assert.deepEqual(await json('clock', 'step', '61m', ...there), { Now: '2026-12-01T01:01:00.000Z', Speed: 1, Paused: true })
    assert.deepEqual(await statuses('cluster', ...there), ['shop Running/Ok'])
    assert.match(await ok('list', 'cluster', ...there), /Running \[Ok\] +60m/, 'spans are counted in the region\'s time')
    await ok('create', 'pool', 'counters', '--cluster', 'shop', '--wait', ...there)
    await ok('create', 'onboarding', 'tills', '--cluster', 'shop', '--pool', 'counters', '--ttl', '90m', ...there)
    const [script] = await json<{ TTLTime: number }[]>('list', 'onboarding', ...there)
    assert.equal(new Date((script?.TTLTime ?? 0) * 1000).toISOString(), '2026-12-01T02:31:00.000Z')
    for (const args of [['clock', 'step', '-61m'], ['clock', 'step', '90000d'], ['clock', 'speed', '0'], ['clock', 'speed', 'fast']]) assert.notEqual((await run([...args, ...there])).code, 0, args.join(' '))
    await ok('region', 'delete', 'ci-4711')
    assert.deepEqual((await json<{ Region: string }[]>('region', 'list')).map(region => region.Region), ['sim-1'])
  })

  test('a server that is killed in the middle goes on where it was, and its clock never goes back', async () => {
    await ok('region', 'create', 'ci-1', '--seed', '7', '--paused')
    await ok('create', 'cluster', 'shop', '--region', 'ci-1')
    await ok('clock', 'step', '2s', '--region', 'ci-1')
    const latest = async () => (JSON.parse(await ok('call', 'ListStatusHistory', '{}')) as { Items: { At: string }[] }).Items[0]?.At ?? ''
    const before = await latest()
    await server.kill()
    await server.up()
    assert.deepEqual(await statuses('cluster', '--region', 'ci-1'), ['shop Creating/Progressing'])
    await ok('clock', 'step', '60s', '--region', 'ci-1')
    assert.deepEqual(await statuses('cluster', '--region', 'ci-1'), ['shop Running/Ok'])
    assert.deepEqual(await statuses('node', '--cluster', 'shop'), ['till-1 Running/Ok'])
    const { Now } = await json<{ Now: string }>('clock', 'show')
    assert.ok(Now >= before, `the clock shows ${Now}, and ${before} was recorded`)
    await ok('machine', 'crash', 'till-1')
    await until('the node to fail', async () => (await statuses('node', '--cluster', 'shop')).includes('till-1 Failed/NotReady'), 30_000)
  })

  test('everything goes again', async () => {
    await ok('delete', 'cluster', 'shop', '--wait')
    assert.deepEqual(await statuses('cluster'), [])
  })

  test('the demo tells its story there, says what is invented, and leaves nothing behind', async () => {
    const told = await ok('demo')
    const rows = [
      /a simulated region/, /Cluster demo +\{Creating,\[Progressing\]\}/, /Cluster demo +\{Running,\[Ok\]\}/, /Node demo-1 +\{Running,\[Ok\]\}/, /Node demo-1 +\{Failed,\[NotReady\]\}/, /Cluster demo +gone/, /ledger has nothing of it left/,
    ]
    for (const row of rows) assert.match(told, row)
    assert.deepEqual(await statuses('cluster'), [])
    assert.equal((await run(['demo', '--region', 'sim-9'])).code, 1)
  })

  test('the demo leaves alone what is not its own: where a name that it needs is taken it says so before it begins', async () => {
    await ok('create', 'cluster', 'till-shop', '--wait')
    await ok('create', 'pool', 'counters', '--cluster', 'till-shop', '--wait')
    await ok('create', 'onboarding', 'tills', '--cluster', 'till-shop', '--pool', 'counters')
    await ok('machine', 'add', 'demo-1', '--wait')
    await ok('machine', 'run-script', 'demo-1', 'tills')
    await until('the node to run', async () => (await statuses('node', '--cluster', 'till-shop')).includes('demo-1 Running/Ok'), 30_000)
    const { code, stdout, stderr } = await run(['demo', '--region', 'sim-1'])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^edgehold demo: names that it needs are taken in sim-1: the machine demo-1\. Nothing was changed\.$/m)
    assert.deepEqual((await json<{ Name: string }[]>('machine', 'list')).map(machine => machine.Name).filter(name => name !== 'till-1'), ['demo-1'])
    assert.deepEqual(await statuses('node', '--cluster', 'till-shop'), ['demo-1 Running/Ok'])
    await ok('delete', 'cluster', 'till-shop', '--wait')
    await ok(...commandIn(stderr, 'machine remove'))
  })

  test('after a demo that was killed the next one names what is left, by commands that take it away', async () => {
    const held = async () => (await json<{ Id: string }[]>('ledger', 'list')).map(entry => entry.Id), before = await held()
    const killed = server.spawn(join(repository, 'edgehold'), ['demo', '--region', 'sim-1'])
    const ended = new Promise(resolve => killed.once('close', resolve))
    await until('the machines of the demo to be there', async () => (await json<{ Name: string }[]>('machine', 'list')).some(machine => machine.Name === 'demo-2'), 60_000, 20)
    killed.kill('SIGKILL')
    await ended
    const { code, stderr } = await run(['demo', '--region', 'sim-1'])
    assert.equal(code, 1)
    assert.match(stderr, /the cluster demo, the machine demo-1, the machine demo-2\./)
    for (const what of ['delete cluster demo', 'machine remove demo-1', 'machine remove demo-2']) await ok(...commandIn(stderr, what))
    assert.deepEqual(await statuses('cluster'), [])
    assert.equal((await json<{ Name: string }[]>('machine', 'list')).filter(machine => machine.Name !== 'till-1').length, 0)
    assert.deepEqual(await held(), before, 'nothing goes on being billed')
  })

  test('a demo that is interrupted takes away what it made', async () => {
    const stopped = server.spawn(join(repository, 'edgehold'), ['demo', '--region', 'sim-1'])
    const ended = new Promise(resolve => stopped.once('close', resolve))
    await until('the first machine of the demo to be there', async () => (await json<{ Name: string }[]>('machine', 'list')).some(machine => machine.Name === 'demo-1'), 60_000, 20)
    stopped.kill('SIGINT')
    assert.equal(await ended, 130)
    assert.deepEqual(await statuses('cluster'), [])
    assert.equal((await json<{ Name: string }[]>('machine', 'list')).filter(machine => machine.Name !== 'till-1').length, 0)
  })

  const regionsOfStories = async () => (await json<{ Region: string }[]>('region', 'list')).map(region => region.Region).filter(region => region.startsWith('story-'))

  // oxfmt-ignore
  const stories: readonly (readonly [name: string, ...rows: RegExp[]])[] = [
    ['arrears',        /Cluster shop +\{Stopped,\[Balance\]\}/, /Node burst-\w+ +\{Failed,\[Balance\]\}/, /CreateEdgeNodePool is refused: The account is in arrears since/, /Cluster shop +\{Starting,\[Progressing\]\}[^]*Node burst-\w+ +\{Running,\[Ok\]\}/],
    ['stockout',       /NodePool burst +\{Running,\[StockOut\]\}[^]*NodePool burst +\{Running,\[Ok\]\}/],
    ['stuck-deletion', /\{Failed,\[ResourceCleanupFailed\]\} +The load balancer shop-LoadBalancer .* is protected/, /LoadBalancer of Cluster shop: Releasing/, /Cluster shop +gone[^]* {3}nothing/],
    ['autoscaler',     /\{Stopped,\[Ok\]\}[^]*\{Starting,\[Progressing\]\}[^]*\{Running,\[Ok\]\}/],
    ['flapping',       /nothing is told\.\n\nNow for[^]*\{Failed,\[NotReady\]\}.*\n.*\{Running,\[Ok\]\}.*\n$/],
    ['no-nodes',       /Addon ingress-nginx +\{Failed,\[SchedulingFailed\]\} .*0 schedulable nodes[^]*Addon ingress-nginx +\{Running,\[Ok\]\}/],
  ]
  test('the demo tells other stories, each to its end in a region of its own that goes with it', async () => {
    assert.deepEqual((await ok('demo', '--story', 'list')).trimEnd().split('\n').map(line => line.split(' ')[0]), stories.map(([name]) => name))
    for (const [name, ...rows] of stories) {
      const told = await ok('demo', '--story', name)
      for (const row of rows) assert.match(told, row)
    }
    assert.deepEqual(await regionsOfStories(), [])
    assert.equal((await run(['demo', '--story', 'moon'])).code, 1)
  })

  test('a story whose output is closed ends quietly and takes its region with it, unless it is kept', async () => {
    for (const [args, kept] of [['--story stockout', 0], ['--story stockout --keep', 1]] as const) {
      const { stderr, code } = await server.runShell(`"$0" demo ${args} | head -n 1 >/dev/null; exit "\${PIPESTATUS[0]}"`)
      assert.deepEqual([code, stderr], [0, ''], args)
      const left = await regionsOfStories()
      assert.equal(left.length, kept, args)
      for (const region of left) await ok('region', 'delete', region)
    }
  })

  test('a story whose server is killed in its middle goes on when there is one again, and takes its region with it', async () => {
    const [, ...rows] = stories.find(([name]) => name === 'autoscaler') ?? assert.fail('no such story')
    const client = server.client(), telling = run(['demo', '--story', 'autoscaler'])
    await until('the region of the story to be there', async () => (await client.all('ListRegions')).some(({ Region }) => Region.startsWith('story-')), 30_000, 5)
    await server.kill()
    await server.up()
    const { code, stdout } = await telling
    assert.equal(code, 0, stdout)
    assert.match(stdout, /^The server gives no answer for now; what was asked is sent again for up to 90 s\.$/m)
    for (const row of rows) assert.match(stdout, row)
    assert.deepEqual(await regionsOfStories(), [])
  })

  test('a server whose output nobody reads serves on, and one whose terminal is closed ends as one that is stopped', async () => {
    await server.down()
    const attached = server.runShell('"$0" up 2>&1 | true; exit "${PIPESTATUS[0]}"')
    const { pid } = await until('the server to answer', async () => findServer(server.state)?.answers && findServer(server.state), 60_000)
    await until('the region to be ready', async () => (await server.client().call('ListRegions', {})).Items[0]?.Ready, 30_000)
    for (const _ of ['the terminal', 'its shell']) process.kill(pid, 'SIGHUP')
    assert.deepEqual(await attached, { code: 0, stdout: '', stderr: '' })
    assert.equal(findServer(server.state), undefined)
    await server.up()
  })
})

/** The command that a message tells people to type. */
function commandIn(message: string, wanted: string): string[] {
  const line = message.split('\n').find(each => each.includes(`./edgehold ${wanted}`)) ?? assert.fail(`no ${wanted} in:\n${message}`)
  return line.trim().split(' ').slice(1)
}
