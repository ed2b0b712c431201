/** How statuses settle in a tree of records; over three hundred lines, since all of it is told of one little store. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { AddonRecord } from './addon/record.ts'
import type { ClusterRecord, ClusterSpec, RecordBase } from './cluster/record.ts'
import { CLUSTER_RULES } from './cluster/rules.ts'
import { clusterSight } from './cluster/sight.ts'
import { countPhases, NO_NODES, sumCounts } from './counts.ts'
import type { NodePoolRecord } from './node-pool/record.ts'
import { NODE_POOL_RULES } from './node-pool/rules.ts'
import { nodePoolSight } from './node-pool/sight.ts'
import type { NodeRecord } from './node/record.ts'
import { settle, type Forgotten, type HistoryRow, type Settled, type WriterBecause, type Written } from './settle.ts'
import { DEADLINES } from './status/deadlines.ts'
import { verdict } from './status/rules.ts'
import { STATUS_TABLES } from './status/kinds.ts'
import { isAllowed, sameStatus } from './status/table.ts'
import { withFacts, type FactsChange } from './with-facts.ts'

const NOW = 1_800_000_000_000
const wrote: WriterBecause = { evidence: [{ observer: 'a test', source: 'the test', observedAt: NOW, fact: 'It was written' }], operation: 'DoIt' }

function base(id: string): RecordBase {
  return { id, accountId: 'a', region: 'r', revision: 1, createdAt: NOW, updatedAt: NOW }
}

/** A little store: one cluster, its pools and nodes, written only through `settle`. */
class World {
  now = NOW
  cluster: ClusterRecord
  readonly pools = new Map<string, NodePoolRecord>()
  readonly nodes = new Map<string, NodeRecord>()
  readonly history: HistoryRow[] = []

  constructor() {
    const fresh: Written<ClusterRecord> = { ...base('c1'), spec: { name: 'shop' } as ClusterSpec, facts: { obstacles: [], unpaid: false, controlPlane: 'absent' } }
    const settled = settle({ now: NOW, cluster: fresh, nodePools: [], nodes: [], forgotten: [], touched: new Map([['c1', wrote]]) })
    assert.ok(settled.cluster)
    this.cluster = { ...fresh, said: settled.cluster.said, counts: settled.cluster.counts }
  }

  write(change: { cluster?: FactsChange<ClusterRecord['facts']>; pools?: readonly Written<NodePoolRecord>[]; nodes?: readonly Written<NodeRecord>[]; forget?: readonly Forgotten[]; touchCluster?: boolean }): Settled {
    const cluster = change.cluster ? { ...this.cluster, facts: withFacts(this.cluster.facts, change.cluster) } : this.cluster
    const { pools = [], nodes = [], forget = [] } = change
    const gone = new Set(forget.map(one => one.record.id))
    const touched = new Map([...(change.cluster || change.touchCluster ? ['c1'] : []), ...pools.map(pool => pool.id), ...nodes.map(node => node.id)].map(id => [id, wrote]))
    const allPools = [...this.pools.values()].filter(pool => !gone.has(pool.id) && !pools.some(written => written.id === pool.id))
    const input = { now: this.now, cluster, nodePools: [...allPools, ...pools], nodes, forgotten: forget, touched }
    const before = structuredClone(input)
    const settled = settle(input)
    assert.deepEqual(settle(input), settled, 'the same input gave another answer')
    assert.deepEqual(input, before, 'the input was changed')
    this.apply(cluster, [...allPools, ...pools], nodes, gone, settled)
    return settled
  }

  private apply(cluster: ClusterRecord, pools: readonly Written<NodePoolRecord>[], nodes: readonly Written<NodeRecord>[], gone: ReadonlySet<string>, settled: Settled) {
    this.cluster = { ...cluster, ...settled.cluster }
    for (const id of gone) {
      this.pools.delete(id)
      this.nodes.delete(id)
    }
    for (const pool of pools) this.pools.set(pool.id, { ...pool, ...settled.nodePools.find(one => one.id === pool.id) } as NodePoolRecord)
    for (const node of nodes) this.nodes.set(node.id, { ...node, ...settled.nodes.find(one => one.id === node.id) } as NodeRecord)
    this.history.push(...settled.history)
  }

  nodesOf(poolId: string): NodeRecord[] {
    return [...this.nodes.values()].filter(node => node.nodePoolId === poolId)
  }
}

function newPool(id: string): Written<NodePoolRecord> {
  return { ...base(id), clusterId: 'c1', spec: { name: id, type: 'edge-machine-set', labels: [], taints: [], kubernetesConfigSent: false }, facts: { ready: false, obstacles: [], openClaims: 0 } }
}

function newNode(id: string, nodePoolId: string, now: number): Written<NodeRecord> {
  return {
    ...base(id), clusterId: 'c1', nodePoolId, spec: { name: id, architecture: 'amd64', machineId: id },
    facts: { claimedAt: now, machineExistsAt: now, pausedMs: 0, obstacles: [], unschedulable: false, outOfSync: false, unpaid: false },
  }
}

type Step = (world: World, pick: number) => void
const nth = <Item>(items: Iterable<Item>, pick: number): Item | undefined => [...items][pick % Math.max(1, [...items].length)]

function changePool(facts: (pool: NodePoolRecord, world: World) => FactsChange<NodePoolRecord['facts']>): Step {
  return (world, pick) => {
    const pool = nth(world.pools.values(), pick)
    if (pool) world.write({ pools: [{ ...pool, facts: withFacts(pool.facts, facts(pool, world)) }] })
  }
}

function changeNode(facts: (node: NodeRecord, world: World) => FactsChange<NodeRecord['facts']>): Step {
  return (world, pick) => {
    const node = nth(world.nodes.values(), pick)
    if (node) world.write({ nodes: [{ ...node, facts: withFacts(node.facts, facts(node, world)) }] })
  }
}

const STEPS: Readonly<Record<string, Step>> = {
  usable: world => world.write({ cluster: { controlPlane: 'usable', firstReadyAt: 1, startingSince: undefined } }),
  unkept: world => world.write({ cluster: { controlPlane: 'unkept' } }),
  stopped: world => world.write({ cluster: { unpaid: true, controlPlane: 'absent', startingSince: undefined } }),
  paid: world => world.write({ cluster: { unpaid: false, startingSince: world.now } }),
  updating: world => world.write({ cluster: { updating: { action: 'UpdateClusterConfig', since: world.now } } }),
  degraded: world => world.write({ cluster: { degraded: { what: 'DNS', since: world.now } } }),
  look: world => world.write({ touchCluster: true }),
  time: (world, pick) => { world.now += (pick % 20) * 60_000 },
  addPool: (world, pick) => { if (!world.pools.has(`p${pick}`)) world.write({ pools: [newPool(`p${pick}`)] }) },
  poolReady: changePool(() => ({ ready: true })),
  poolUpdating: changePool((pool, world) => ({ updating: pool.facts.updating ? undefined : { since: world.now, waitsFor: [], off: [] } })),
  poolRefused: changePool(() => ({ refused: { as: 'StockOut', because: 'Sold out' } })),
  deletePool: (world, pick) => {
    const pool = nth(world.pools.values(), pick)
    if (!pool) return
    const deletion = { requestedAt: world.now, by: 'call' } as const
    world.write({
      pools: [{ ...pool, facts: withFacts(pool.facts, { deletion: { ...deletion, cascading: [], retain: [] } }) }],
      nodes: world.nodesOf(pool.id).map(node => ({ ...node, facts: withFacts(node.facts, { deletion: { requestedAt: world.now, by: 'pool', done: [] } }) })),
    })
  },
  forgetPool: (world, pick) => {
    const pool = nth(world.pools.values(), pick)
    if (pool?.facts.deletion && world.nodesOf(pool.id).length === 0) world.write({ forget: [{ kind: 'NodePool', record: pool, because: wrote, text: 'It is gone' }] })
  },
  addNode: (world, pick) => {
    const pool = nth(world.pools.values(), pick)
    const id = `n${world.nodes.size}-${pick}-${world.history.length}`
    if (pool && !world.nodes.has(id)) world.write({ nodes: [newNode(id, pool.id, world.now)] })
  },
  nodeReady: changeNode((_, world) => ({ firstReadyAt: world.now, ready: { status: 'True', since: world.now, reason: '', message: '' } })),
  nodeSilent: changeNode((_, world) => ({ ready: { status: 'Unknown', since: world.now, reason: '', message: '' } })),
  nodeOff: changeNode((node, world) => ({ power: { state: 'off', since: world.now, machine: node.spec.name } })),
  nodeOn: changeNode((node, world) => ({ power: { state: 'on', since: world.now, lastOnAt: world.now, machine: node.spec.name } })),
  nodeCordoned: changeNode(node => ({ unschedulable: !node.facts.unschedulable })),
  nodeFailed: changeNode((node, world) => ({ initialiseFailed: node.facts.initialiseFailed ? undefined : { step: 'preflight', text: 'nft is missing', at: world.now } })),
  nodeUnpaid: changeNode(node => ({ unpaid: !node.facts.unpaid })),
  deleteNode: changeNode((_, world) => ({ deletion: { requestedAt: world.now, by: 'call', done: [] } })),
  forgetNode: (world, pick) => {
    const node = nth(world.nodes.values(), pick)
    if (node?.facts.deletion) world.write({ forget: [{ kind: 'Node', record: node, because: wrote, text: 'It is gone' }] })
  },
}

function checkWorld(world: World): void {
  for (const pool of world.pools.values()) {
    assert.deepEqual(pool.counts, countPhases(world.nodesOf(pool.id).map(node => node.said.status.phase)), `counters of ${pool.id}`)
  }
  assert.deepEqual(world.cluster.counts, sumCounts([...world.pools.values()].map(pool => pool.counts)))
  for (const [kind, records] of [['Cluster', [world.cluster]], ['NodePool', world.pools.values()], ['Node', world.nodes.values()]] as const) {
    for (const { said } of records) assert.ok(isAllowed(STATUS_TABLES[kind].rows, STATUS_TABLES[kind].together, said.status))
  }
}

/** A parent is a function of its children and its own facts, with no memory of what was said before. */
function checkParents(world: World): void {
  for (const pool of world.pools.values()) assert.deepEqual(verdict(NODE_POOL_RULES, nodePoolSight(pool, world.cluster, world.now)).status, pool.said.status, pool.id)
  assert.deepEqual(verdict(CLUSTER_RULES, clusterSight(world.cluster, [...world.pools.values()], world.now)).status, world.cluster.said.status)
}

test('whatever is written in whatever order: counters add up, parents follow their children, and settling again changes nothing', () => {
  const names = Object.keys(STEPS)
  const steps = fc.array(fc.record({ step: fc.constantFrom(...names), pick: fc.nat({ max: 30 }) }), { minLength: 10, maxLength: 60, size: 'max' })
  fc.assert(fc.property(steps, list => {
    const world = new World()
    world.write({ cluster: { controlPlane: 'usable', firstReadyAt: 1 }, pools: [{ ...newPool('p0'), facts: { ready: true, obstacles: [], openClaims: 0 } }] })
    for (const { step, pick } of list) {
      STEPS[step]?.(world, pick)
      checkWorld(world)
      world.write({ touchCluster: true })
      checkParents(world)
      assert.deepEqual(world.write({ touchCluster: true }), { nodePools: [], nodes: [], addons: [], history: [] }, `settling again after ${step}`)
    }
    checkHistory(world)
  }), { numRuns: 100 })
})

/** The history alone tells what each resource shows now; each derived row names what brought it about. */
function checkHistory(world: World): void {
  const last = new Map(world.history.map(row => [row.resource.id, row]))
  for (const record of [...world.pools.values(), ...world.nodes.values()]) {
    const row = last.get(record.id)
    assert.ok(row?.status && sameStatus(row.status, record.said.status), record.id)
  }
  for (const row of world.history) if (row.evidence.some(one => one.observer === 'derived')) assert.ok(row.causedBy, JSON.stringify(row))
}

describe('the story of a first node', () => {
  test('its pool scales, its cluster updates, each row names its cause, and all come to rest', () => {
    const world = new World()
    world.write({ cluster: { controlPlane: 'usable', firstReadyAt: 1 } })
    world.write({ pools: [{ ...newPool('counters'), facts: { ready: true, obstacles: [], openClaims: 0 } }] })
    world.now += 1000
    const { history } = world.write({ nodes: [newNode('shop-1', 'counters', world.now)] })
    assert.deepEqual(history.map(row => [row.resource.name, row.status?.phase, row.causedBy?.name, row.operation]), [
      ['shop-1', 'Creating', undefined, 'DoIt'], ['counters', 'Scaling', 'shop-1', undefined], ['shop', 'Updating', 'counters', undefined],
    ])
    assert.deepEqual(history[1]?.evidence, [{ observer: 'derived', source: 'Node shop-1', observedAt: world.now, fact: '1 node of it is being created' }])
    STEPS['nodeReady']?.(world, 0)
    assert.deepEqual([world.cluster, ...world.pools.values(), ...world.nodes.values()].map(one => one.said.status.phase), ['Running', 'Running', 'Running'])
    assert.equal(world.cluster.counts.running, 1)
  })

  test('a parent that is written itself still names the child that moves it, and keeps that cause while only the sentence changes', () => {
    const world = new World()
    world.write({ cluster: { controlPlane: 'usable', firstReadyAt: 1 } })
    world.write({ pools: [{ ...newPool('p'), facts: { ready: true, obstacles: [], openClaims: 0 } }], nodes: [newNode('n', 'p', world.now)], touchCluster: true })
    const cause = () => [world.cluster.said.causedBy?.name, world.pools.get('p')?.said.causedBy?.name]
    assert.deepEqual(cause(), ['p', 'n'])
    STEPS['look']?.(world, 0)
    changePool(() => ({ openClaims: 2 }))(world, 0)
    assert.equal(world.pools.get('p')?.said.because, '1 node of it is being created, 2 machines are asked for')
    assert.deepEqual(cause(), ['p', 'n'])
  })

  test('what a pool holds by facts of its own is caused by no node, though one of them uncovered it; its evidence is what the facts remember', () => {
    const world = new World(), refusal = { observer: 'machine controller', source: 'machine p-2', observedAt: NOW - 1, fact: 'Sold out.' }
    world.write({ cluster: { controlPlane: 'usable', firstReadyAt: 1 } })
    world.write({ pools: [{ ...newPool('p'), facts: { ready: true, obstacles: [], openClaims: 0, refused: { as: 'StockOut', because: 'Sold out', evidence: [refusal] } } }], nodes: [newNode('n', 'p', world.now)] })
    assert.deepEqual(world.pools.get('p')?.said.status, { phase: 'Scaling', conditions: ['Progressing'] })
    STEPS['nodeReady']?.(world, 0)
    const { said } = world.pools.get('p') ?? assert.fail()
    assert.deepEqual([said.status.conditions, said.causedBy, said.evidence], [['StockOut'], undefined, [refusal]])
    assert.equal(world.history.findLast(row => row.resource.id === 'p')?.causedBy, undefined)
  })

  test('what a cluster holds by facts of its own is caused by no pool, and says so', () => {
    const world = new World()
    world.write({ cluster: { controlPlane: 'usable', firstReadyAt: 1, degraded: { what: 'DNS', since: 1 } }, pools: [newPool('p')] })
    changePool(() => ({ ready: true }))(world, 0)
    assert.deepEqual([world.cluster.said.status.conditions, world.cluster.said.causedBy, world.cluster.said.evidence.map(({ observer, source }) => [observer, source])], [['Degraded'], undefined, [['record', 'Cluster shop']]])
  })

  test('a parent names a child that moves for as long as it moves, and then one that still does, not who has come to rest', () => {
    const world = new World(), ready = (id: string): FactsChange<NodePoolRecord['facts']> => ({ ready: world.pools.get(id)?.facts.ready !== true })
    const pool = (id: string) => changePool(() => ready(id))(world, [...world.pools.keys()].indexOf(id))
    world.write({ cluster: { controlPlane: 'usable', firstReadyAt: 1 }, pools: [newPool('a')] })
    world.now += 1000
    world.write({ pools: [newPool('b')] })
    const cause = () => world.cluster.said.causedBy?.name
    assert.equal(cause(), 'a', 'it is Updating since a is Creating')
    pool('a')
    assert.deepEqual([cause(), world.cluster.said.evidence[0]?.source], ['b', 'NodePool b'])
    world.write({ nodes: [newNode('one', 'a', world.now), newNode('other', 'a', world.now)] })
    const [one, other] = world.nodesOf('a') as [NodeRecord, NodeRecord], deletion = { requestedAt: world.now, by: 'call', done: [] } as const
    assert.equal(world.pools.get('a')?.said.causedBy?.name, 'other')
    world.write({ nodes: [{ ...other, facts: { ...other.facts, firstReadyAt: world.now, ready: { status: 'True', since: world.now, reason: '', message: '' } } }, { ...one, facts: { ...one.facts, deletion } }] })
    assert.deepEqual([world.pools.get('a')?.said.status.phase, world.pools.get('a')?.said.causedBy?.name], ['Scaling', 'one'])
  })

  test('since moves only with the pair; a new rule under the same pair is a row of history, a new sentence is none', () => {
    const world = new World()
    world.write({ cluster: { controlPlane: 'usable', firstReadyAt: 1 }, pools: [{ ...newPool('p'), facts: { ready: true, obstacles: [], openClaims: 0 } }], nodes: [newNode('n', 'p', world.now)] })
    STEPS['nodeReady']?.(world, 0)
    STEPS['nodeOff']?.(world, 0)
    const since = world.now
    world.now += 60_000
    STEPS['nodeOn']?.(world, 0)
    const said = () => world.nodes.get('n')?.said
    assert.deepEqual([said()?.since, said()?.rule], [since, 'not heard of since its machine was switched on'])
    assert.equal(world.history.at(-1)?.rule, 'not heard of since its machine was switched on')
    const rows = world.history.length
    world.now += 60_000
    STEPS['nodeOn']?.(world, 0)
    assert.match(said()?.because ?? '', /switched on at 2027-01-15T08:02:00Z/)
    assert.equal(world.history.length, rows)
  })

  test('no status is without evidence: a writer that saw nothing new leaves what was seen before', () => {
    const world = new World(), nothing = { evidence: [] }
    const write = (facts: ClusterRecord['facts']) => settle({ now: world.now, cluster: { ...world.cluster, facts }, nodePools: [], nodes: [], forgotten: [], touched: new Map([['c1', nothing]]) })
    const sentence = write({ ...world.cluster.facts, waitsFor: 'It waits for components' })
    assert.deepEqual([sentence.cluster?.said.because, sentence.cluster?.said.evidence, sentence.history], ['It waits for components', wrote.evidence, []])
    const moved = write({ ...world.cluster.facts, controlPlane: 'usable', firstReadyAt: 1 })
    assert.deepEqual(moved.history[0]?.evidence.map(one => one.observer), ['deadline'])
  })

  test('deadlines of every kind are judged by what was heard, and what they give is of now', () => {
    const minute = 60_000, heard = NOW + 15 * minute - 1, now = heard + 1_000
    const cluster: Written<ClusterRecord> = { ...base('c1'), spec: { name: 'shop' } as ClusterSpec, facts: { obstacles: [], unpaid: false, controlPlane: 'starting', attemptStartedAt: NOW } }
    const addon: Written<AddonRecord> = { ...base('c1:dns'), clusterId: 'c1', spec: { name: 'dns', version: '1', deployMode: 'Unmanaged', deployNodeType: 'EdgeNode' }, facts: { reasons: {}, obstacles: [], applied: { version: '1', at: NOW }, unavailable: { since: NOW + 14 * minute, text: 'nobody says why' } } }
    const phases = (heardUntil: number) => {
      const usable = { ...cluster, facts: { ...cluster.facts, controlPlane: 'usable' as const, firstReadyAt: NOW } }
      const settled = [cluster, usable].map(of => settle({ now, heardUntil, cluster: of, nodePools: [], nodes: [], addons: [addon], forgotten: [], touched: new Map([['c1', wrote], ['c1:dns', wrote]]) }))
      assert.ok(settled.flatMap(({ history }) => history).every(({ at }) => at === now))
      return [settled[0]?.cluster?.said.status.phase, settled[1]?.addons[0]?.said.status.phase]
    }
    assert.deepEqual(phases(heard), ['Creating', 'Running'])
    assert.deepEqual(phases(heard + 1), ['Failed', 'Failed'])
  })

  test('a stopped cluster takes its pools along and gives them back', () => {
    const world = new World()
    world.write({ cluster: { controlPlane: 'usable', firstReadyAt: 1 }, pools: [{ ...newPool('p'), facts: { ready: true, obstacles: [], openClaims: 0 } }] })
    STEPS['stopped']?.(world, 0)
    assert.deepEqual(world.history.slice(-2).map(row => [row.resource.name, row.status?.conditions[0], row.causedBy?.name]), [['shop', 'Balance', undefined], ['p', 'ClusterNotRunning', 'shop']])
    STEPS['paid']?.(world, 0)
    assert.equal(world.pools.get('p')?.said.status.conditions[0], 'ClusterNotRunning')
    world.now += DEADLINES.clusterStart
    STEPS['look']?.(world, 0)
    assert.deepEqual([world.cluster.said.status.phase, world.pools.get('p')?.said.status.conditions[0]], ['Failed', 'ClusterNotRunning'], 'not before it was seen working again')
    STEPS['usable']?.(world, 0)
    assert.deepEqual(world.history.slice(-2).map(row => [row.resource.name, row.status?.phase, row.causedBy?.name]), [['shop', 'Running', undefined], ['p', 'Running', 'shop']])
  })

  test('what is forgotten leaves a last row, and its parents follow', () => {
    const world = new World()
    world.write({ cluster: { controlPlane: 'usable', firstReadyAt: 1 }, pools: [{ ...newPool('p'), facts: { ready: true, obstacles: [], openClaims: 0 } }], nodes: [newNode('n', 'p', world.now)] })
    STEPS['deleteNode']?.(world, 0)
    STEPS['forgetNode']?.(world, 0)
    assert.deepEqual(world.history.slice(-3).map(row => [row.resource.name, row.status?.phase, row.because]), [['n', undefined, 'It is gone'], ['p', 'Running', 'It admits members; it has no nodes'], ['shop', 'Running', 'Its control plane is usable, and nothing is under way']])
    assert.deepEqual(world.cluster.counts, NO_NODES)
  })

  test('a forgotten cluster leaves only its last row', () => {
    const { cluster } = new World()
    const settled = settle({ now: NOW, cluster: undefined, nodePools: [], nodes: [], forgotten: [{ kind: 'Cluster', record: cluster, because: wrote, text: 'Everything of it is gone' }], touched: new Map() })
    assert.deepEqual(settled, { nodePools: [], nodes: [], addons: [], history: [{ at: NOW, resource: { kind: 'Cluster', id: 'c1', name: 'shop' }, status: undefined, rule: 'gone', because: 'Everything of it is gone', evidence: wrote.evidence, operation: 'DoIt' }] })
  })
})
