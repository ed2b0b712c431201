import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decideNode } from '#controllers/node/decide.ts'
import { LoginsToMachines } from '#join/machine-logins.ts'
import { hashOf } from '#join/onboarding-token.ts'
import { requestHash } from '#api/idempotency.ts'
import type { Log } from '#ports/log.ts'
import type { Machines } from '#ports/machines.ts'
import { RemoteShellFailed, type LineEnd, type RemoteAddress, type RemoteShell } from '#ports/remote-shell.ts'
import { StoreUnavailable } from '#ports/store.ts'
import { MemoryStore } from '#test/harness/memory-store.ts'
import { systemTime, until } from '#test/harness/waiting.ts'
import { ApiUnderTest, type Answer } from './api-under-test.ts'
import { centralBody, elasticBody } from './small-world.ts'

const PASSWORD = 'tr0ub4dor-und-drei'

interface Asked { readonly at: RemoteAddress & { readonly password: string }; readonly signal: AbortSignal; in(): void; fails(error: Error): void }

/** A shell that does what a test says, and remembers who came. */
class ToldShell implements RemoteShell {
  readonly asked: Asked[] = []
  readonly lines: string[] = []
  readonly ended = Promise.withResolvers<LineEnd | undefined>()
  closed = 0

  logIn(at: Asked['at'], signal: AbortSignal): ReturnType<RemoteShell['logIn']> {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<RemoteShell['logIn']>>>()
    signal.addEventListener('abort', () => { reject(signal.reason as Error) })
    const start = async (line: string) => {
      this.lines.push(line)
      return { ended: this.ended.promise }
    }
    this.asked.push({ at, signal, in: () => resolve({ hostKey: 'SHA256:abc', start, close: () => { this.closed++ } }), fails: reject })
    return promise
  }

  at(number: number): Asked {
    const asked = this.asked[number]
    assert.ok(asked, `login ${number} was not asked for`)
    return asked
  }
}

async function open({ patienceMs = 30_000, withLogins = true } = {}) {
  const store = new MemoryStore(), shell = new ToldShell(), stop = new AbortController(), logged: string[] = []
  const note = (facts: object, text: string): void => { logged.push(`${text} ${JSON.stringify(facts)}`) }
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log }
  let api: ApiUnderTest | undefined
  const logins = new LoginsToMachines({ region: 'local-1', store, shell, clock: { now: () => api?.now ?? 0 }, realTime: systemTime, log, signal: stop.signal, patienceMs })
  api = await ApiUnderTest.open({}, { machines: {} as Machines, machineAddresses: () => ({ first: '10.213.128.1', last: '10.213.128.9' }), ...withLogins && { logins } }, store)
  const clusterId = await api.createCluster('shop', 1)
  await api.makeClusterRun(clusterId)
  const nodePoolId = (await api.done('CreateEdgeNodePool', { ClusterId: clusterId, Name: 'counters' })).Id ?? ''
  await api.makePoolRun(nodePoolId)
  const body = (auth: object = {}, config: object = {}, more: object = {}) => ({
    ClusterId: clusterId, NodePoolId: nodePoolId, Name: 'till-1', ...more,
    AutoCompleteConfig: { Enable: true, Address: '10.0.0.7', MachineAuth: { AuthType: 'Password', User: 'root', SSHPort: 22, Password: PASSWORD, ...auth }, ...config },
  })
  const opened = api
  const shows = async (id: string) => {
    const [item] = (await opened.done('ListEdgeNodes', { Filter: { Ids: [id] } })).Items ?? []
    const status = item?.['Status'] as { Phase: string; Conditions: { Type: string }[] } | undefined
    return status ? `${status.Phase}/${status.Conditions.map(({ Type }) => Type).join('+')}` : 'absent'
  }
  const because = async (id: string) => String((await opened.done('ExplainStatus', { Id: id }))['Because'])
  const create = async (...what: Parameters<typeof body>) => (await opened.done('CreateEdgeNode', body(...what))).Ids?.[0] ?? ''
  return { api, store, shell, stop, logged, logins, clusterId, nodePoolId, body, shows, because, create }
}

const code = ({ status, body }: Answer) => `${status} ${body.ResponseMetadata.Error?.Code ?? 'Ok'}`

describe('CreateEdgeNode by address and password', () => {
  test('answers at once, shows that it logs in, and then that the script runs', async () => {
    const { api, store, shell, create, shows, because } = await open()
    const id = await create()
    assert.deepEqual([await shows(id), await because(id)], ['Creating/Progressing', 'It was claimed at 2026-11-25T12:00:00Z and is no Ready member of the cluster yet; the step login is under way since 2026-11-25T12:00:00Z: its machine is being logged in to'])
    const { at } = shell.at(0)
    assert.deepEqual([at.address, at.port, at.user, at.password], ['10.0.0.7', 22, 'root', PASSWORD])
    shell.at(0).in()
    await until(async () => (await store.findNode(id))?.facts.login === undefined)
    assert.match(await because(id), /it was logged in to, and runs the onboarding script$/)
    const [line = ''] = shell.lines, token = /token=(\S+)/.exec(line)?.[1] ?? ''
    assert.equal((await store.findNodeToken(hashOf(token)))?.nodeId, id, 'the line is bound to this node')
    const [item] = (await api.done('ListEdgeNodes', { Filter: { Ids: [id] } })).Items ?? []
    assert.partialDeepStrictEqual(item, { Name: 'till-1', EdgeNodeType: 'edge-machine', InstanceId: '', ProviderId: '' })
    await api.app.close()
  })

  test('user and port have their usual values, and a host name is an address', async () => {
    const { api, shell, create } = await open()
    await create({ User: undefined, SSHPort: 0, AuthType: undefined }, { Address: 'till-1.shop.example' })
    assert.deepEqual([shell.at(0).at.user, shell.at(0).at.port, shell.at(0).at.address], ['root', 22, 'till-1.shop.example'])
    await api.app.close()
  })

  test('what stands in the way is told with its step, and never with the password, whoever says it', async () => {
    const { api, shell, create, shows, because, logged } = await open()
    const id = await create()
    shell.at(0).fails(new RemoteShellFailed('Closed', shell.at(0).at, `you said ${PASSWORD}\r\nto me`))
    await until(async () => await shows(id) === 'Failed/InitializeFailed')
    assert.equal(await because(id), 'The step login failed at 2026-11-25T12:00:00Z, 0 s after it had begun: Connection closed by 10.0.0.7 port 22: you said … to me')
    const { Items } = await api.done('ListStatusHistory', { Filter: { Ids: [id] } })
    assert.match(JSON.stringify(Items), /Logging in as root@10\.0\.0\.7, port 22, begun at 2026-11-25T12:00:00Z, failed: Connection closed/)
    assert.ok(!JSON.stringify([Items, logged]).includes(PASSWORD))
    await api.app.close()
  })

  test('a login that hangs is given up', async () => {
    const { api, shell, create, shows, because } = await open({ patienceMs: 50 })
    const id = await create()
    await until(async () => await shows(id) === 'Failed/InitializeFailed')
    assert.match(await because(id), /^The step login failed .*: ssh: connect to host 10\.0\.0\.7 port 22: Connection timed out: it was not logged in within 0\.05 s$/)
    assert.ok(shell.at(0).signal.aborted)
    await api.app.close()
  })

  test('a script that ends before the machine was admitted says why; one that ended well, or whose end nobody heard, says nothing', async () => {
    const { api, store, shell, create, shows, because } = await open()
    const id = await create()
    shell.at(0).in()
    await until(async () => (await store.findNode(id))?.facts.progress !== undefined)
    shell.ended.resolve({ exitCode: 1, output: 'edgehold: This script must be run as root. Nothing was changed.' })
    await until(async () => await shows(id) === 'Failed/InitializeFailed')
    assert.match(await because(id), /^The step preflight failed .*: edgehold: This script must be run as root\. Nothing was changed$/)
    assert.equal(shell.closed, 1)
    for (const end of [{ exitCode: 0, output: '' }, undefined]) {
      const other = await open(), well = await other.create()
      other.shell.at(0).in()
      await until(() => other.shell.lines.length === 1)
      other.shell.ended.resolve(end)
      await until(() => other.shell.closed === 1)
      assert.equal(await other.shows(well), 'Creating/Progressing')
      await other.api.app.close()
    }
    await api.app.close()
  })

  test('a repeat with its ClientToken answers the same node and logs in to nothing, by whatever password; with another address it is refused', async () => {
    const { api, shell, body, store } = await open()
    const call = (auth: object, config: object = {}) => api.call('CreateEdgeNode', body(auth, config, { ClientToken: 'once' }))
    const answers = await Promise.all([call({}), call({}), call({ Password: 'another' })])
    assert.equal(new Set(answers.map(answer => answer.body.Result?.Ids?.[0])).size, 1)
    assert.equal(shell.asked.length, 1)
    assert.equal(code(await call({}, { Address: '10.0.0.8' })), '400 IdempotentParameterMismatch')
    // A hash over the password could be guessed from.
    const kept = await store.write(api.now, tx => tx.claimClientToken({ accountId: '2100000001', region: 'local-1' }, 'CreateEdgeNode', 'once', requestHash(body())))
    assert.equal(kept.kind, 'mismatch')
    await api.app.close()
  })

  test('a deletion ends a login where it is, and a machine that was let in meanwhile runs nothing', async () => {
    const { api, store, shell, logins, create, clusterId, nodePoolId } = await open()
    for (const number of [0, 1]) {
      const id = await create()
      await api.done('DeleteEdgeNodes', { ClusterId: clusterId, NodePoolId: nodePoolId, Ids: [id] })
      assert.ok(logins.isUnderWay(id))
      if (number === 0) logins.end(id) // as its controller does
      else shell.at(number).in()
      await until(() => !logins.isUnderWay(id))
      assert.equal((await store.findNode(id))?.facts.initialiseFailed, undefined)
    }
    assert.ok(shell.at(0).signal.aborted)
    assert.deepEqual([shell.lines, shell.closed], [[], 1])
    await api.app.close()
  })

  test('sixteen are logged in to at once; the others wait for their turn', async () => {
    const { api, shell, create, shows } = await open()
    const ids = await Promise.all(Array.from({ length: 20 }, () => create()))
    assert.equal(shell.asked.length, 16)
    for (let number = 0; number < 20; number++) {
      await until(() => shell.asked.length > number)
      shell.at(number).fails(new RemoteShellFailed('Refused', shell.at(number).at))
    }
    for (const id of ids) await until(async () => await shows(id) === 'Failed/InitializeFailed')
    await api.app.close()
  })

  test('a process that ends leaves the login begun, and whoever comes next says that it cannot go on', async () => {
    const { api, store, shell, stop, create, logins, clusterId } = await open()
    const id = await create()
    stop.abort(new Error('the server stops'))
    await until(() => !logins.isUnderWay(id))
    const record = await store.findNode(id), cluster = await store.findCluster(clusterId)
    assert.ok(record?.facts.login && shell.at(0).signal.aborted)
    const seen = { now: api.now, record, cluster, pool: undefined, object: undefined, machine: undefined, power: undefined, apiAnswers: false }
    assert.equal(decideNode({ ...seen, loginUnderWay: true }).facts.initialiseFailed, undefined)
    const { facts, evidence, lookAgainAt } = decideNode(seen)
    assert.deepEqual([facts.login, facts.initialiseFailed?.step, facts.initialiseFailed?.text], [undefined, 'login', 'the server ended before it had logged in; the password is not kept: delete the node and send CreateEdgeNode again'])
    assert.equal(evidence[0]?.fact, 'No process is under way with it any more.')
    assert.ok(decideNode({ ...seen, loginUnderWay: true }).lookAgainAt === api.now + 2_000 && lookAgainAt === undefined)
    // The script may have been started: it is waited for a little.
    const letIn = { ...record, facts: { ...record.facts, login: { since: api.now, loggedInAt: api.now } } }
    assert.equal(decideNode({ ...seen, record: letIn, now: api.now + 59_000 }).facts.initialiseFailed, undefined)
    assert.match(decideNode({ ...seen, record: letIn, now: api.now + 60_000 }).facts.initialiseFailed?.text ?? '', /has not been heard of within a minute/)
    assert.deepEqual([decideNode({ ...seen, record: { ...letIn, facts: { ...letIn.facts, joinedAt: api.now } } }).facts].map(one => [one.login, one.initialiseFailed]), [[undefined, undefined]])
    await api.app.close()
  })

  test('a database that is away for a moment is waited for', async () => {
    const { api, store, shell, create, shows } = await open()
    const id = await create(), write = store.write.bind(store)
    store.write = async () => { throw new StoreUnavailable('away') }
    shell.at(0).fails(new RemoteShellFailed('Refused', shell.at(0).at))
    setTimeout(() => { store.write = write }, 200)
    await until(async () => await shows(id) === 'Failed/InitializeFailed')
    await api.app.close()
  })

  test('is refused where no machine of its owner can be, and where nobody is there to log in', async () => {
    const { api, shell, body, clusterId } = await open()
    const refusal = async (...what: Parameters<typeof body>) => {
      const answer = await api.call('CreateEdgeNode', body(...what))
      assert.ok(!answer.text.includes(PASSWORD))
      return code(answer)
    }
    assert.equal(await refusal({ Password: '' }), '400 MissingParameter.AutoCompleteConfig.MachineAuth.Password')
    assert.equal(await refusal({ Password: undefined }), '400 MissingParameter.AutoCompleteConfig.MachineAuth.Password')
    assert.equal(await refusal({ Password: `${PASSWORD}\0` }), '400 InvalidParameter.AutoCompleteConfig.MachineAuth.Password')
    assert.equal(await refusal({ Password: [PASSWORD] }), '400 InvalidParameter.AutoCompleteConfig.MachineAuth.Password')
    assert.equal(await refusal({ Password: PASSWORD.repeat(200) }), '400 InvalidParameter.AutoCompleteConfig.MachineAuth.Password')
    assert.equal(await refusal({ User: 'ro ot' }), '400 InvalidParameter.AutoCompleteConfig.MachineAuth.User')
    assert.equal(await refusal({}, { MachineAuth: undefined }), '400 MissingParameter.AutoCompleteConfig.MachineAuth')
    for (const Address of ['10.0.0.300', '::1', 'a b', '-x', 'till_1', '10.0.0.7:22']) assert.equal(await refusal({}, { Address }), '400 InvalidParameter.AutoCompleteConfig.Address', Address)
    for (const [action, pool] of [['CreateEdgeNodePool', elasticBody(clusterId, 'burst')], ['CreateNodePool', centralBody(clusterId, 'central')]] as const) {
      const id = (await api.done(action, pool)).Id ?? ''
      await api.makePoolRun(id)
      assert.equal(await refusal({}, {}, { NodePoolId: id }), '400 InvalidParameter.NodePoolId')
    }
    assert.equal(shell.asked.length, 0)
    const without = await open({ withLogins: false })
    assert.equal(code(await without.api.call('CreateEdgeNode', without.body())), '400 OperationDenied.RegionNotReady')
    for (const each of [api, without.api]) await each.app.close()
  })
})
