/** The whole way, once, through reality, by the README's own commands: up → cluster → machine → pod → every status with its cause → deletion with nothing left. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { freePort, Installation, repository, until } from '#test/harness/command.ts'
import { leftOnHost } from '#test/harness/left-on-host.ts'
import { denyingWebhook, metricsServer } from './manifests.ts'

interface Status { Phase: string; Conditions: { Type: string }[] }
interface Item { Id: string; Name: string; Status: Status }
interface Evidence { Observer: string; Source: string; Fact: string }
interface Explanation { Status: Status; Because: string; Evidence: Evidence[]; CauseChain: { Because: string }[] }

const MINUTE = 60_000
let place: Installation
let clusterId = ''

async function call<T>(action: string, body: object, version?: string): Promise<T> {
  return JSON.parse(await place.ok(['call', action, JSON.stringify(body), ...(version ? ['--version', version] : [])])) as T
}

async function items(action: string, filter: object = {}): Promise<Item[]> {
  return (await call<{ Items: Item[] }>(action, { Filter: filter, PageSize: 100 })).Items
}

const pair = (status: Status | undefined): string => (status ? `${status.Phase}/${status.Conditions.map(condition => condition.Type).join('+')}` : 'absent')

function reaches(what: string, action: string, filter: object, wanted: string, deadlineMs: number): Promise<true> {
  let last = ''
  return until(`${what} to be ${wanted}`, async () => {
    last = pair((await items(action, filter))[0]?.Status)
    if (last !== wanted) throw new Error(`it is ${last}`)
    return true as const
  }, deadlineMs)
}

const node = (name: string) => ({ ClusterIds: [clusterId], Name: name })
const explain = (kind: string, name: string) => place.ok(['explain', kind, name, ...(kind === 'node' ? ['--cluster', 'shop'] : [])])

async function explainNode(name: string): Promise<Explanation> {
  const [found] = await items('ListEdgeNodes', node(name))
  assert.ok(found, `node ${name} is listed`)
  return call<Explanation>('ExplainStatus', { Id: found.Id }, '2026-12-01')
}

function kubectl(...args: string[]): Promise<string> {
  return place.ok(['kubectl', 'shop', ...args], { deadlineMs: 2 * MINUTE })
}

async function imageOf(name: string): Promise<string> {
  const { registry, images } = JSON.parse(await place.ok(['images', 'list', '--output', 'json'])) as { registry: string; images: { name: string; tags: string[] }[] }
  const image = images.find(each => each.name === name)
  assert.ok(image, `the registry holds ${name}`)
  return `${registry}/${name}:${image.tags[0] ?? ''}`
}

async function apply(file: string, manifest: string): Promise<void> {
  writeFileSync(join(place.state, file), manifest)
  await kubectl('apply', '-f', join(place.state, file))
}

describe('the whole way', () => {
  before(async () => {
    place = await Installation.make()
  })
  after(async () => {
    await place.remove()
  })

  test('1. up starts the server and says where the API is and which account was made', async () => {
    const said = await place.ok(['up', '--detach'], { deadlineMs: 5 * MINUTE })
    assert.match(said, new RegExp(`http://${place.listen}`))
    assert.match(said, /credentials\.json/)
    const again = await place.run(['up', '--detach'])
    assert.equal(again.code, 1, 'a second up is refused')
    assert.match(again.stderr, /already runs/)
  })

  test('2. a cluster is Creating at once, then Running, and kubectl works in it', async () => {
    const created = await place.ok(['create', 'cluster', 'shop', '--output', 'json'])
    clusterId = (JSON.parse(created) as { Id: string }).Id
    const [at] = await items('ListClusters', { Ids: [clusterId] })
    assert.match(pair(at?.Status), /^(Creating\/Progressing|Running\/Ok)$/)
    await reaches('cluster', 'ListClusters', { Ids: [clusterId] }, 'Running/Ok', 2 * MINUTE)
    const history = await place.ok(['history', 'cluster', 'shop'])
    assert.match(history, /Creating/)
    writeFileSync(join(place.state, 'k.yaml'), await place.ok(['kubeconfig', 'shop'], { deadlineMs: MINUTE }))
    assert.match(await kubectl('get', 'namespaces'), /kube-system/)
  })

  test('3. and 4. a machine that runs the onboarding script becomes a Running node, its pool and cluster move with it', async () => {
    await place.ok(['create', 'pool', 'counters', '--cluster', 'shop', '--wait'], { deadlineMs: MINUTE })
    const onboarding = await place.ok(['create', 'onboarding', 'tills', '--cluster', 'shop', '--pool', 'counters', '--ttl', '1h'])
    assert.match(onboarding, /curl -fsSk --pinnedpubkey/)
    await place.ok(['machine', 'add', 'shop-1'], { deadlineMs: MINUTE })
    await place.ok(['machine', 'run-script', 'shop-1', 'tills'], { deadlineMs: 3 * MINUTE })
    await reaches('node shop-1', 'ListEdgeNodes', node('shop-1'), 'Running/Ok', MINUTE)
    await reaches('pool', 'ListEdgeNodePools', { ClusterIds: [clusterId] }, 'Running/Ok', 10_000)
    await reaches('cluster', 'ListClusters', { Ids: [clusterId] }, 'Running/Ok', 10_000)
    const history = await call<{ Items: { Kind: string; Status: Status }[] }>('ListStatusHistory', { Filter: { ClusterIds: [clusterId] }, PageSize: 100 }, '2026-12-01')
    const seen = new Set(history.Items.map(row => `${row.Kind} ${pair(row.Status)}`))
    for (const row of ['Node Creating/Progressing', 'NodePool Scaling/Progressing', 'Cluster Updating/Progressing']) assert.ok(seen.has(row), `${row} was shown; shown were ${[...seen].join(', ')}`)
  })

  test('5. pods on two machines reach one another by address, Service and DNS name; logs, exec and proxy work', async () => {
    await place.ok(['machine', 'add', 'shop-2'], { deadlineMs: MINUTE })
    await place.ok(['machine', 'run-script', 'shop-2', 'tills'], { deadlineMs: 3 * MINUTE })
    await reaches('node shop-2', 'ListEdgeNodes', node('shop-2'), 'Running/Ok', MINUTE)
    const image = await imageOf('agnhost')
    await apply('web.json', JSON.stringify({
      apiVersion: 'v1', kind: 'List', items: [
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default' }, spec: {
          replicas: 4, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: {
            topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } }],
            containers: [{ name: 'web', image, args: ['netexec', '--http-port=8080'], ports: [{ containerPort: 8080 }] }] } } } },
        { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] } },
      ] }))
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=90s')
    const pods = (JSON.parse(await kubectl('get', 'pods', '-l', 'app=web', '-o', 'json')) as { items: { metadata: { name: string }; spec: { nodeName: string }; status: { podIP: string } }[] }).items
    assert.deepEqual(new Set(pods.map(pod => pod.spec.nodeName)), new Set(['shop-1', 'shop-2']))
    const from = pods.find(pod => pod.spec.nodeName === 'shop-1')
    const to = pods.find(pod => pod.spec.nodeName === 'shop-2')
    assert.ok(from && to)
    for (const target of [`${to.status.podIP}:8080`, 'web:80', 'web.default.svc.cluster.local:80']) {
      await until(`${from.metadata.name} to reach ${target}`, () => kubectl('exec', from.metadata.name, '--', '/agnhost', 'connect', target, '--timeout=3s').then(() => true), MINUTE)
    }
    assert.match(await kubectl('logs', from.metadata.name), /Started HTTP server|netexec/i)
    assert.match(await kubectl('get', '--raw', '/api/v1/namespaces/default/services/web:80/proxy/hostname'), /^web-/)
  })

  test('5b. port-forward, a webhook served by a pod, and top after metrics-server was applied', async () => {
    const [pod] = (JSON.parse(await kubectl('get', 'pods', '-l', 'app=web', '-o', 'json')) as { items: { metadata: { name: string } }[] }).items
    const port = await freePort()
    const forward = spawn(join(repository, 'edgehold'), ['kubectl', 'shop', 'port-forward', `pod/${pod?.metadata.name ?? ''}`, `${port}:8080`], { env: place.environment, stdio: 'ignore', detached: true })
    try {
      const hostname = await until('the forwarded port to answer', async () => (await fetch(`http://127.0.0.1:${port}/hostname`)).text(), 30_000)
      assert.equal(hostname, pod?.metadata.name)
    } finally {
      if (forward.pid !== undefined) process.kill(-forward.pid, 'SIGTERM')
    }
    const image = await imageOf('agnhost')
    const { server, registration } = await denyingWebhook(image)
    await apply('guard.json', server)
    await kubectl('rollout', 'status', 'deployment/guard', '--timeout=90s')
    await apply('registration.json', registration)
    await until('the webhook to deny', async () => {
      const tried = await place.run(['kubectl', 'shop', '-n', 'guarded', 'create', 'configmap', `tried-${Date.now()}`], { deadlineMs: MINUTE })
      return tried.code !== 0 && /denied the request: this webhook denies all requests/.test(tried.stderr)
    }, MINUTE)
    await apply('metrics.json', metricsServer(await imageOf('metrics-server')))
    await kubectl('-n', 'kube-system', 'rollout', 'status', 'deployment/metrics-server', '--timeout=90s')
    const top = await until('kubectl top to show both machines', async () => {
      const shown = await kubectl('top', 'nodes')
      return shown.includes('shop-1') && shown.includes('shop-2') && shown
    }, 2 * MINUTE, 2_000)
    assert.match(top, /CPU\(cores\)/)
  })

  test('6. cordon, power off, power on, network cut: each status with the evidence that is true', async () => {
    await kubectl('cordon', 'shop-1')
    await reaches('node shop-1', 'ListEdgeNodes', node('shop-1'), 'Running/Unschedulable', 10_000)
    await kubectl('uncordon', 'shop-1')
    await reaches('node shop-1', 'ListEdgeNodes', node('shop-1'), 'Running/Ok', 10_000)

    await place.ok(['machine', 'power-off', 'shop-1'], { deadlineMs: MINUTE })
    await reaches('node shop-1', 'ListEdgeNodes', node('shop-1'), 'Failed/NotReady', 10_000)
    const off = await explainNode('shop-1')
    assert.match(`${off.Because} ${off.Evidence.map(each => each.Fact).join(' ')}`, /power.* off|switched off/i)
    await place.ok(['machine', 'power-on', 'shop-1'], { deadlineMs: MINUTE })
    await reaches('node shop-1', 'ListEdgeNodes', node('shop-1'), 'Running/Ok', 2 * MINUTE)

    await place.ok(['machine', 'cut', 'shop-2'], { deadlineMs: MINUTE })
    await reaches('node shop-2', 'ListEdgeNodes', node('shop-2'), 'Failed/NotReady', 90_000)
    const cut = await explainNode('shop-2')
    assert.match(cut.Because, /heartbeat/i)
    assert.doesNotMatch(cut.Because, /power(ed)? (is )?off/i)
    await place.ok(['machine', 'heal', 'shop-2'], { deadlineMs: MINUTE })
    await reaches('node shop-2', 'ListEdgeNodes', node('shop-2'), 'Running/Ok', 2 * MINUTE)
  })

  test('7. explain and history tell in sentences who saw what, which rule, and the first cause', async () => {
    assert.match(await explain('node', 'shop-1'), /Running/)
    const cluster = await explain('cluster', 'shop')
    assert.match(cluster, /Running/)
    const history = await place.ok(['history', 'node', 'shop-1', '--cluster', 'shop'])
    assert.match(history, /NotReady/)
  })

  test('9. deletion is Deleting at once, then absent; nothing of ours is left on the host and the ledger is empty', async () => {
    const [shop1] = await items('ListEdgeNodes', node('shop-1'))
    const [pool] = await items('ListEdgeNodePools', { ClusterIds: [clusterId] })
    assert.ok(shop1 && pool)
    await call('DeleteEdgeNodes', { ClusterId: clusterId, NodePoolId: pool.Id, Ids: [shop1.Id] })
    assert.match(pair((await items('ListEdgeNodes', { Ids: [shop1.Id] }))[0]?.Status), /^(Deleting\/Progressing|absent)$/)
    await reaches('node shop-1', 'ListEdgeNodes', { Ids: [shop1.Id] }, 'absent', 3 * MINUTE)
    await call('DeleteNodePool', { ClusterId: clusterId, Id: pool.Id, CascadingDeleteResources: ['Ecs'] })
    await reaches('pool', 'ListEdgeNodePools', { Ids: [pool.Id] }, 'absent', 5 * MINUTE)
    await call('DeleteCluster', { Id: clusterId, CascadingDeleteResources: ['All'] })
    assert.match(pair((await items('ListClusters', { Ids: [clusterId] }))[0]?.Status), /^(Deleting\/Progressing|absent)$/)
    await reaches('cluster', 'ListClusters', { Ids: [clusterId] }, 'absent', 2 * MINUTE)
    for (const machine of ['shop-1', 'shop-2']) await place.ok(['machine', 'remove', machine, '--wait'], { deadlineMs: MINUTE })
    const ledger = await call<{ Items: unknown[] }>('ListLedger', { PageSize: 100 }, '2026-12-01')
    assert.deepEqual(ledger.Items, [], 'the ledger is empty')
    await place.ok(['down', '--all'], { deadlineMs: 2 * MINUTE })
    assert.deepEqual(await leftOnHost(place.state), [], 'nothing of this installation is left on the host')
  })
})
