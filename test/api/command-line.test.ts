/** What the command line refuses, and what it does of its own accord; over three hundred lines, as all of it is asked of one server. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { repository, runProgram } from '#test/harness/command.ts'
import { MemoryMachines } from '#test/harness/world/machines.ts'
import { SteppedClock } from '#test/harness/stepped-clock.ts'
import { unheard } from '#test/harness/unheard.ts'
import { ApiUnderTest, OURS } from './api-under-test.ts'
import { forgetWithChildren } from './play-controllers.ts'

interface Ended { readonly code: number; readonly out: string; readonly err: string }

/** The command line as a program of its own, against an API that listens; this test plays the controllers. */
suite('the command line', () => {
  let api: ApiUnderTest
  let state: string
  const machines = new MemoryMachines(new SteppedClock())
  /** Passwords with which machines were to be logged in to. */
  const logins: string[] = []
  before(async () => {
    const prepare = () => ({ start: async ({ password }: { password: string }) => { logins.push(password) }, cancel: () => {} })
    api = await ApiUnderTest.open({}, { logins: { prepare, isUnderWay: () => false, end: () => {} }, machines, machineAddresses: () => ({ first: '10.213.128.1', last: '10.213.255.254' }), now: () => Date.now(), setSchedulable: async () => {} })
    // Signatures are made by real clocks.
    Object.defineProperty(api, 'now', { get: () => Date.now() })
    await api.app.listen({ host: '127.0.0.1', port: 0 })
    state = mkdtempSync(join(tmpdir(), 'edgehold-cli-'))
    const endpoint = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}`
    writeFileSync(join(state, 'credentials.json'), JSON.stringify({ AccessKeyId: OURS.accessKeyId, SecretAccessKey: OURS.secretAccessKey, Endpoint: endpoint, Region: 'local-1' }), { mode: 0o600 })
  })
  after(async () => {
    await api.app.close()
    rmSync(state, { recursive: true })
  })

  function run(args: readonly string[], environment: Record<string, string> = {}, input = ''): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/cli/edgehold.ts'), ...args], { env: { PATH: process.env['PATH'] ?? '', EDGEHOLD_STATE: state, ...environment } })
      child.stdin.end(input)
      let [out, err] = ['', '']
      child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString() })
      child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString() })
      child.once('error', reject)
      child.once('close', code => { resolve({ code: code ?? -1, out, err }) })
    })
  }

  async function eventually<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found> {
    const deadline = performance.now() + 20_000
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
      assert.ok(performance.now() < deadline, `${what} within 20 s`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  async function idOf(action: string): Promise<string> {
    return eventually(`an item of ${action}`, async () => (await api.done(action)).Items?.[0]?.['Id'] as string | undefined)
  }

  test('tells the whole way from a cluster to its end', async t => {
    let [clusterId, poolId, nodeId] = ['', '', '']
    await t.test('create cluster --wait tells each status and prints the id alone', async () => {
      const creating = run(['create', 'cluster', 'shop', '--wait', '--description', 'a shop'])
      clusterId = await idOf('ListClusters')
      await api.makeClusterRun(clusterId)
      const { code, out, err } = await creating
      assert.equal(code, 0, err)
      assert.equal(out, `${clusterId}\n`)
      assert.match(err, /cluster shop: Running \[Ok\]/)
    })

    await t.test('ranges are picked free, past what other clusters and the region have', async () => {
      const { code, err } = await run(['create', 'cluster', 'second', '--output', 'json', '--kubernetes-version', '1.20'])
      assert.equal(code, 0, err)
      assert.match(err, /cluster second: 1\.20 was asked for; v1\.34\.4 runs, the nearest newer version that is served\./)
      const { Items = [] } = await api.done('ListClusters')
      const ranges = Items.map(item => (item['PodsConfig'] as { FlannelConfig: { PodCidrs: string[] } }).FlannelConfig.PodCidrs[0])
      assert.equal(new Set(ranges).size, 2)
      const refused = await run(['create', 'cluster', 'third', '--pod-cidr', String(ranges[0])])
      assert.equal(refused.code, 1)
      assert.match(refused.err, /Conflict\.PodCidrs/)
    })

    await t.test('pool, onboarding and machine', async () => {
      const pool = await run(['create', 'pool', 'counters', '--cluster', 'shop', '--label', 'side=north', '--taint', 'only/counters=yes:NoExecute'])
      poolId = pool.out.trim()
      assert.match(poolId, /^p/, pool.err)
      await api.makePoolRun(poolId)
      const script = await run(['create', 'onboarding', 'tills', '--cluster', 'shop', '--pool', 'counters', '--ttl', '1h'])
      assert.match(script.out, /^curl [^\n]+\n$/)
      assert.match(script.err, /makes nodes of pool counters until/)
      const machine = await run(['machine', 'add', 'shop-1', '--output', 'json'])
      const { Id } = JSON.parse(machine.out) as { Id: string }
      await machines.ensure({ id: Id, name: 'shop-1', address: '10.213.128.1', power: 'on', link: 'up' })
      assert.equal((await run(['machine', 'run-script', 'shop-1', 'tills'])).code, 0)
      nodeId = await api.joinNode(clusterId, poolId, 'shop-1')
      assert.match((await run(['machine', 'list'])).out, /shop-1\s+m\w+\s+on\s+up\s+10\.213\./)
      assert.equal((await run(['machine', 'exec', 'shop-1', '--', 'ls', '--all'])).code, 0)
    })

    await t.test('of two scripts with one name both are told by id', async () => {
      await run(['create', 'onboarding', 'tills', '--cluster', 'shop', '--pool', 'counters'])
      for (const verb of ['get', 'explain', 'history', 'delete']) {
        const { code, err } = await run([verb, 'onboarding', 'tills'])
        assert.equal(code, 1)
        assert.match(err, /2 of the onboarding scripts are called tills: n\w{20}, n\w{20}\. Give the id\./, verb)
      }
      assert.match((await run(['list', 'onboarding'])).out, /tills\s+n\w{20}.*\ntills\s+n\w{20}/)
    })

    await t.test('lists and details, as tables and as JSON', async () => {
      assert.match((await run(['list', 'node', '--cluster', 'shop'])).out, /shop-1\s+n\w+\s+counters\s+Running \[Ok\]\s+\d+s\s+Its kubelet is Ready since/)
      assert.match((await run(['list', 'pools'])).out, /counters\s+p\w+\s+shop\s+static\s+Running \[Ok\]\s+\d+s\s+1\/1/)
      assert.match((await run(['get', 'cluster', 'shop'])).out, /^Name\s+shop\nId\s+c/)
      const { Items } = { Items: JSON.parse((await run(['list', 'cluster', '--output', 'json'])).out) as { Name: string }[] }
      assert.deepEqual(Items.map(item => item.Name).toSorted(), ['second', 'shop'])
      assert.match((await run(['list', 'cluster'])).out, /second\s.*\sv1\.34\.4 \(1\.20 was asked for\)\s.*\n/)
      assert.match((await run(['get', 'cluster', 'second'])).out, /\nVersion\s+v1\.34\.4 \(1\.20 was asked for\)\n/)
      assert.match((await run(['region', 'list'])).out, /sim-1\s+Simulated\s+no/)
      assert.match((await run(['ledger', 'list'])).err, /The ledger is empty/)
    })

    await t.test('explain and history say who saw what when, in sentences', async () => {
      assert.match((await run(['explain', 'cluster', 'second'])).out, /\nIt runs Kubernetes v1\.34\.4 \(1\.20 was asked for\)\.\n$/)
      await run(['delete', 'node', 'shop-1', '--cluster', 'shop'])
      const explained = await run(['explain', 'cluster', 'shop'])
      assert.match(explained.out, /^Cluster shop \(c\w+\) is Updating \[Progressing\] since /)
      assert.match(explained.out, /Node shop-1 is Deleting \[Progressing\]/)
      assert.match(explained.out, /Seen by caller AKLTOURS at \d\d:\d\d:\d\d \(DeleteEdgeNodes \w+\): The deletion of the node was asked for\./)
      const history = await run(['history', 'node', nodeId])
      assert.match(history.out, /Running \[Ok\][^]*Deleting \[Progressing\][^]*\(DeleteEdgeNodes\)/)
    })

    await t.test('a cluster that is being changed is deleted as soon as it may be, and waited out', async () => {
      const deleting = run(['delete', 'cluster', 'shop', '--wait', '--timeout', '60s'])
      await new Promise(resolve => setTimeout(resolve, 600))
      await forgetWithChildren(api, nodeId)
      await eventually('the deletion', async () => (await api.store.findCluster(clusterId))?.facts.deletion)
      await forgetWithChildren(api, poolId)
      await forgetWithChildren(api, clusterId)
      const { code, err } = await deleting
      assert.equal(code, 0, err)
      assert.match(err, /cluster shop: gone/)
    })
  })

  test('kubectl gets a kubeconfig that is gone afterwards, and its exit code comes back', async () => {
    const id = await api.createCluster('kube', 9)
    await api.makeClusterRun(id)
    const fake = join(state, 'kubectl')
    writeFileSync(fake, '#!/bin/sh\necho "$@"; cat "$KUBECONFIG"; ls -l "$KUBECONFIG" | cut -c1-10; echo "at $KUBECONFIG" >&2; exit 7\n')
    chmodSync(fake, 0o755)
    const running = run(['kubectl', '--kubectl', fake, 'kube', 'get', 'pods', '-o', 'wide', '--all-namespaces'])
    const kubeconfigId = await idOf('ListKubeconfigs')
    await api.store.write(Date.now(), tx => tx.changeKubeconfig(kubeconfigId, { text: Buffer.from('apiVersion: v1\n').toString('base64') }))
    const { code, out, err } = await running
    assert.equal(code, 7)
    assert.equal(out, 'get pods -o wide --all-namespaces\napiVersion: v1\n-rw-------\n')
    const [, file = ''] = /at (.*)/.exec(err) ?? []
    assert.equal(readdirSync(tmpdir()).some(name => file.startsWith(join(tmpdir(), name))), false, 'the file is gone')
    // The next one reuses it.
    assert.equal((await run(['kubectl', 'kube', 'version'], { EDGEHOLD_KUBECTL: fake })).code, 7)
    assert.equal((await api.done('ListKubeconfigs')).TotalCount, 1)
    // `kubeconfig` prints one of its own.
    const printing = run(['kubeconfig', 'kube'])
    const second = await eventually('a second one', async () => (await api.done('ListKubeconfigs')).Items?.find(item => item['Id'] !== kubeconfigId)?.['Id'] as string | undefined)
    await api.store.write(Date.now(), tx => tx.changeKubeconfig(second, { text: Buffer.from('apiVersion: v1\nkind: Config\n').toString('base64') }))
    assert.equal((await printing).out, 'apiVersion: v1\nkind: Config\n')
  })

  test('kubectl leaves no kubeconfig behind when its terminal interrupts it or closes, or somebody ends it', async () => {
    const fake = join(state, 'waiting-kubectl'), temporary = mkdtempSync(join(state, 'temporary-'))
    writeFileSync(fake, '#!/bin/sh\nulimit -c 0; [ -f "$KUBECONFIG" ] && echo runs; exec sleep 60\n')
    chmodSync(fake, 0o755)
    // A terminal sends to all that it runs. The kubeconfig of before is taken again.
    for (const [to, signals] of [['all', ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP']], ['us alone', ['SIGTERM', 'SIGHUP']]] as const) {
      for (const signal of signals) {
        const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/cli/edgehold.ts'), 'kubectl', '--kubectl', fake, 'kube', 'get', 'pods', '-w'], { env: { PATH: process.env['PATH'] ?? '', EDGEHOLD_STATE: state, TMPDIR: temporary }, detached: true })
        const ended = once(child, 'close')
        await once(child.stdout, 'data')
        process.kill(to === 'all' ? -child.pid! : child.pid!, signal)
        assert.deepEqual([...await ended as [number | null], ...readdirSync(temporary)], [128 + constants.signals[signal], null], `${signal} to ${to}`)
      }
    }
  })

  test('any action may be called', async () => {
    const { code, out } = await run(['call', 'ListRegions', '{"PageSize":1}'])
    assert.equal(code, 0)
    assert.equal((JSON.parse(out) as { Items: unknown[] }).Items.length, 1)
    const refused = await run(['call', 'ListClusters', '{"PageSize":101}'])
    assert.deepEqual([refused.code, refused.out], [1, ''])
    assert.match(refused.err, /ParameterOutOfRange\.PageSize/)
  })

  test('ends with whoever reads what it says, as after head: also where it would go on for ever', async () => {
    for (const words of [['call', 'WatchChanges', '{"LastEventId":"0"}'], ['list', 'cluster', '--output', 'json']]) {
      const ended = unheard([join(import.meta.dirname, '../../src/cli/edgehold.ts'), ...words], { PATH: process.env['PATH'], EDGEHOLD_STATE: state })
      assert.deepEqual(await ended, { code: 141, errors: '' }, words.join(' '))
    }
  })

  test('pools that order machines: made, scaled, shown, and their servers added and taken away', async () => {
    const id = await api.createCluster('plant', 7)
    await api.makeClusterRun(id)
    const made = async (...args: readonly string[]) => {
      const { code, out, err } = await run(['create', ...args, '--cluster', 'plant'])
      assert.equal(code, 0, err)
      return out.trim()
    }
    const elastic = await made('pool', 'burst', '--elastic', '--desired', '2', '--max', '5', '--auto-scaling', 'on', '--mode', 'Recycle')
    const central = await made('pool', 'central', '--central', '--label', 'a=b')
    await made('pool', 'default', '--central')
    for (const pool of [elastic, central]) await api.makePoolRun(pool)
    assert.match((await run(['list', 'pool', '--cluster', 'plant'])).out, /burst\s+p\w+\s+plant\s+elastic\s+Scaling [^]*central\s+p\w+\s+plant\s+central\s+Running [^]*vke-default-nodepool/)
    assert.match((await run(['get', 'pool', 'burst'])).out, /\nKind\s+elastic\n[^]*\nMachines\s+2 asked for last, 0 to 5, by itself, priority 10, Recycle\n/)
    assert.equal((await run(['update', 'pool', 'burst', '--desired', '3', '--max', '6'])).code, 0)
    assert.match((await run(['get', 'pool', 'burst'])).out, /\nMachines\s+3 asked for last, 0 to 6,/)
    assert.equal((await run(['update', 'pool', 'central', '--max', '4'])).code, 0)
    await api.makePoolRun(central)
    assert.match((await run(['get', 'pool', 'central'])).out, /\nMachines\s+0 asked for last, 0 to 4, by hand\n/)

    const server = await made('node', '--pool', 'central', '--instance', 'i-1', '--keep-instance-name')
    assert.match((await run(['list', 'node', '--pool', 'central'])).out, new RegExp(`i-1\\s+${server}\\s+central\\s+Creating`))
    assert.match((await run(['machine', 'list'])).out, new RegExp(`i-1\\s.*${server} of pool central`))
    assert.equal((await run(['delete', 'node', 'i-1', '--cascade', 'Ecs'])).code, 0)
    assert.equal((await api.store.findNode(server))?.facts.deletion?.machine, 'Destroy')
    await api.makePoolRun(elastic)
    await made('node', '--pool', 'burst', '--instance', 'veen1', '--instance', 'veen2', '--name', 'till')
    const before = (await api.done('ListEdgeNodePools')).TotalCount
    // oxfmt-ignore
    const refused: readonly (readonly [args: readonly string[], says: RegExp])[] = [
      [['create', 'pool', 'x1', '--elastic', '--central'],                         /elastic or central, not both/],
      [['create', 'pool', 'x1', '--desired', '2'],                                 /--desired does nothing for a static pool .*: it is for an elastic pool \(--elastic\) and a central pool \(--central\)\n/],
      [['create', 'pool', 'x1', '--area', 'z'],                                    /--area does nothing for a static pool .*: it is for an elastic pool \(--elastic\)\n/],
      [['create', 'pool', 'x1', '--cloud-server', 'x', '--server-type', 'y'],      /--cloud-server does nothing for a static pool/],
      [['create', 'pool', 'x1', '--central', '--cloud-server', 'x', '--area', 'z'], /--cloud-server does nothing for a central pool/],
      [['create', 'pool', 'x1', '--elastic', '--server-type', 'y'],                /--server-type does nothing for an elastic pool/],
      [['create', 'pool', 'x1', '--elastic', '--subnet', 's'],                     /--subnet does nothing for an elastic pool/],
      [['create', 'pool', 'default', '--central', '--max', '3'],                   /--max does nothing for the default pool/],
      [['create', 'pool', 'x1', '--elastic', '--desired', '3', '--max', '2'],      /--desired 3 is more than the pool may have, 2/],
      [['create', 'pool', 'x1', '--central', '--desired', '11'],                   /--desired 11 is more than the pool may have, 10/],
      [['create', 'pool', 'x1', '--elastic', '--desired', '0', '--min', '1'],      /--desired 0 is fewer than the pool always has, 1/],
      [['update', 'pool', 'burst', '--desired', '7'],                              /--desired 7 is more than the pool may have, 6/],
      [['update', 'pool', 'central', '--desired', '5'],                            /--desired 5 is more than the pool may have, 4/],
      [['update', 'pool', 'burst', '--label', 'a=b', '--clear-labels'],            /either --label or --clear-labels, not both/],
      [['update', 'pool', 'burst', '--taint', 'a:NoExecute', '--clear-taints'],    /either --taint or --clear-taints, not both/],
      [['create', 'node', '--pool', 'central', '--instance', 'i-9', '--name', 'x'], /--name does nothing for servers of a central pool .*: it is for servers of an edge pool .* and a machine of your own/],
      [['create', 'node', '--instance', 'i-9', '--name', 'x'],                     /--name does nothing for servers of a central pool/],
      [['create', 'node', '--pool', 'central', '--instance', 'i-9', '--user', 'x'], /--user does nothing for servers of a central pool .*: it is for a machine of your own/],
      [['create', 'node', '--pool', 'burst', '--instance', 'v', '--ssh-port', '9'], /--ssh-port does nothing for servers of an edge pool/],
      [['create', 'node', '--pool', 'burst', '--instance', 'v', '--keep-instance-name'], /--keep-instance-name does nothing for servers of an edge pool/],
      [['create', 'node', '--pool', 'burst', '--address', 'x', '--keep-instance-name'], /--keep-instance-name does nothing for a machine of your own/],
      [['create', 'node', '--address', '10.0.0.9'],                                /say which pool: --pool POOL/],
    ]
    for (const [args, says] of refused) {
      const { code, err } = await run([...args, '--cluster', 'plant'])
      assert.equal(code, 2, args.join(' '))
      assert.match(err, says)
    }
    assert.equal((await api.done('ListEdgeNodePools')).TotalCount, before)
    // A variable is for all commands: it counts for the kind that it is for.
    const { code, err } = await run(['create', 'pool', 'still', '--cluster', 'plant'], { EDGEHOLD_AREA: 'z', EDGEHOLD_SUBNET: 's' })
    assert.equal(code, 0, err)
  })

  test('the default pool of a cluster is found by the name by which it is made, and takes servers that are added without a pool', async () => {
    await api.makeClusterRun(await api.createCluster('mill', 15))
    const on = (...args: readonly string[]) => run([...args, '--cluster', 'mill'])
    const early = await on('create', 'node', '--instance', 'i-1')
    assert.deepEqual([early.code, early.out], [1, ''])
    assert.match(early.err, /has no default node pool.*\(NotFound\.DefaultNodePool\)\nFrom here: "edgehold create pool default --central/)
    assert.match((await on('get', 'pool', 'default')).err, /There is no pool default\./)
    const pool = (await on('create', 'pool', 'default', '--central')).out.trim()
    await api.makePoolRun(pool)
    assert.match((await on('get', 'pool', 'default')).out, new RegExp(`Name\\s+vke-default-nodepool\nId\\s+${pool}\n`))
    for (const where of [[], ['--pool', 'default'], ['--pool', 'vke-default-nodepool']]) {
      const { code, out, err } = await on('create', 'node', '--instance', `i-${where.join('')}`, ...where)
      assert.equal(code, 0, err)
      assert.equal((await api.store.findNode(out.trim()))?.nodePoolId, pool)
    }
    // One that is called so is that one.
    const other = (await on('create', 'pool', 'default')).out.trim()
    assert.match((await on('get', 'pool', 'default')).out, new RegExp(`Id\\s+${other}\n`))
  })

  test('adds a machine by its address; its password comes from a file or from standard input', async () => {
    const pool = (await api.done('CreateEdgeNodePool', { ClusterId: await api.createCluster('doors', 11).then(async id => { await api.makeClusterRun(id); return id }), Name: 'doors' })).Id ?? ''
    await api.makePoolRun(pool)
    const file = join(state, 'password')
    writeFileSync(file, 'first line\nsecond line\n', { mode: 0o600 })
    const create = ['create', 'node', '--cluster', 'doors', '--pool', pool, '--address', '10.0.0.7', '--ssh-port', '2222', '--name', 'door-1']
    for (const [more, input, password] of [[['--password-file', file], '', 'first line'], [[], 'typed\n', 'typed'], [['--password-file', '-', '--user', 'admin'], 'typed again', 'typed again']] as const) {
      const { code, out, err } = await run([...create, ...more], {}, input)
      assert.equal(code, 0, err)
      const node = await api.store.findNode(out.trim())
      assert.deepEqual([node?.spec.login, logins.at(-1)], [{ address: '10.0.0.7', port: 2222, user: more.some(word => word === '--user') ? 'admin' : 'root' }, password])
    }
    const refused = await run(create, {}, '')
    assert.deepEqual([refused.code, /Standard input holds no password in its first line/.test(refused.err)], [1, true])
    assert.equal((await run(['create', 'node', '--cluster', 'doors', '--pool', pool])).code, 2)
  })

  test('an option that would do nothing for what is asked is refused, and its variable is not', async () => {
    await api.createCluster('alone', 13)
    for (const [args, variable, says] of [
      [['explain', 'cluster', 'alone'], 'cluster', /--cluster does nothing for a cluster/],
      [['history', 'cluster', 'alone'], 'cluster', /--cluster does nothing for a cluster/],
      [['call', 'WatchChanges', '{}'], 'version', /--version does nothing for WatchChanges/],
    ] as const) {
      const { code, err } = await run([...args, `--${variable}`, 'nowhere'])
      assert.deepEqual([code, says.test(err)], [2, true], err)
      if (args[0] !== 'call') assert.equal((await run(args, { EDGEHOLD_CLUSTER: 'nowhere' })).code, 0)
    }
    const demo = (args: readonly string[], environment: Record<string, string> = {}) => runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(repository, 'src/main/edgehold.ts'), 'demo', '--story', 'list', ...args], { environment: { PATH: process.env['PATH'], EDGEHOLD_STATE: state, ...environment } })
    assert.deepEqual(await demo(['--region', 'sim-1']), { code: 2, stdout: '', stderr: 'edgehold: --region does nothing for --story, which is told in a region of its own\n' })
    assert.equal((await demo([], { EDGEHOLD_REGION: 'sim-1' })).code, 0)
  })

  test('a variable is for the commands for which it means something', async () => {
    for (const [args, environment] of [[['list', 'cluster'], { EDGEHOLD_TIMEOUT: '90s' }], [['region', 'list'], { EDGEHOLD_TIMEOUT: '90s' }], [['machine', 'add', 'timed'], { EDGEHOLD_TIMEOUT: '90s' }], [['list', 'addon', '--supported'], { EDGEHOLD_CLUSTER: 'nowhere' }]] as const) {
      const { code, err } = await run(args, environment)
      assert.notEqual(code, 2, err)
    }
  })

  const mistakes: readonly (readonly [what: string, args: readonly string[], code: number, says: RegExp, environment?: Record<string, string>])[] = [
    ['no such cluster', ['get', 'cluster', 'nowhere'], 1, /There is no cluster nowhere\. See what there is with "edgehold list cluster"/],
    ['no such command', ['destroy', 'cluster', 'shop'], 2, /unknown command/],
    ['no such flag', ['list', 'cluster', '--colour'], 2, /unknown option/],
    ['a missing flag', ['create', 'pool', 'counters'], 2, /--cluster/],
    ['a bad span', ['create', 'onboarding', 'x', '--cluster', 'c', '--pool', 'p', '--ttl', 'soon'], 2, /is not a span of time/],
    ['a body that is not JSON', ['call', 'ListClusters', '{'], 2, /not JSON/],
    ['an add-on of which nothing is to change', ['update', 'addon', 'core-dns', '--cluster', 'c'], 2, /say what to change: either --addon-version or --config/],
    ['an add-on of which too much is to change', ['update', 'addon', 'core-dns', '--cluster', 'c', '--addon-version', 'v9', '--config', '{}'], 2, /either --addon-version or --config/],
    ['a time for which nobody waits', ['create', 'cluster', 'idle', '--timeout', '90s'], 2, /--timeout says how long --wait waits, and does nothing without it/],
    ['the same where the variable says not to wait', ['get', 'cluster', 'idle', '--timeout', '90s'], 2, /--timeout says how long --wait waits/, { EDGEHOLD_WAIT: 'off' }],
    ['one fault and all of them', ['fault', 'clear', 'f1', '--all'], 2, /say which fault: either an id or --all/],
    ['no fault', ['fault', 'clear'], 2, /say which fault: either an id or --all/],
    ['what may be installed, of a cluster', ['list', 'addon', '--supported', '--cluster', 'c'], 2, /say either --supported or --cluster, not both/],
    ['a bad output', ['list', 'cluster', '--output', 'xml'], 2, /Allowed choices are table, json/],
    ['keys of another server', ['list', 'cluster'], 1, /The secret key is not the one of this access key/, { VOLCENGINE_SECRET_KEY: 'guess' }],
    ['no server there', ['list', 'cluster', '--endpoint', 'http://127.0.0.1:9'], 1, /Nobody answers at http:\/\/127\.0\.0\.1:9[^]*Start the server with "edgehold up --detach"/],
    ['no state folder', ['list', 'cluster', '--state', '/nowhere'], 1, /edgehold up --detach/],
    ['a bad name', ['create', 'cluster', '1st'], 1, /InvalidParameter\.Name/],
    ['a wait in vain', ['get', 'cluster', 'second', '--wait', '--timeout', '1s'], 3, /did not become Running within 1 s/],
  ]
  for (const [what, args, expected, says, environment] of mistakes) {
    test(`${what}: exit code ${expected} and what to do next`, async () => {
      const { code, out, err } = await run(args, environment)
      assert.equal(code, expected, err)
      assert.match(err, says)
      assert.equal(out, '', 'nothing but results on standard output')
    })
  }
})
