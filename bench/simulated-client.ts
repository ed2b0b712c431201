/**
 * A caller with a process of its own: creates clusters by signed calls, an elastic pool of ten nodes in each as soon as the cluster takes it, and waits until all nodes are Running. Prints a line
 * of JSON, see Progress, as often as it looks. Input: one JSON object as the first argument, see FleetOrder.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { creation } from './creations.ts'
import { signedCall, type Signer } from './signed-requests.ts'

export interface FleetOrder {
  readonly signer: Signer
  readonly clusters: number
  readonly nodesEach: number
  readonly connections: number
}

/** Milliseconds since the first call; what the API's lists counted. */
export interface Progress { readonly at: number; readonly clusters: number; readonly pools: number; readonly nodes: number }

type Result = { readonly Id?: string; readonly TotalCount?: number; readonly Speed?: number; readonly Items?: readonly { readonly Id: string; readonly Status: { readonly Phase: string } }[] }

const AT_ONCE = 100
const LOOK_EVERY_MS = 250
const DEADLINE_MS = Number(process.env['BENCH_DEADLINE_MS'] ?? 900_000)

/** Signed calls over connections that stay open. */
export class Caller {
  readonly #signer: Signer
  readonly #pool: Pool

  constructor(signer: Signer, connections: number) {
    this.#signer = signer
    this.#pool = new Pool(signer.endpoint, { connections, headersTimeout: 60_000 })
  }

  async call(action: string, body: object): Promise<Result> {
    const { path, headers, text } = signedCall(this.#signer, action, body)
    const answer = await this.#pool.request({ method: 'POST', path, headers: { ...headers }, body: text })
    const said = await answer.body.json() as { Result?: Result; ResponseMetadata: { Error?: { Code: string; Message: string } } }
    if (answer.statusCode !== 200) throw new Error(`${action} answered ${said.ResponseMetadata.Error?.Code}: ${said.ResponseMetadata.Error?.Message}`)
    return said.Result ?? {}
  }
}

/** Each of these, so many at once. */
export async function inLanes<Item>(items: Iterable<Item>, lanes: number, act: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items[Symbol.iterator]()
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (let next = waiting.next(); !next.done; next = waiting.next()) await act(next.value)
  }))
}

export const RUNNING_NODES = { Filter: { Statuses: [{ Phase: 'Running', ConditionsType: 'Ok' }] }, PageSize: 10 }

async function fill({ signer, clusters, nodesEach, connections }: FleetOrder): Promise<void> {
  const caller = new Caller(signer, connections)
  const startedAt = performance.now()
  const made: string[] = []
  let pools = 0, nodes = 0
  const creating = inLanes(Array(clusters).keys(), connections / 2, async number => {
    const { Id = '' } = await caller.call('CreateCluster', creation(number))
    made.push(Id)
  })
  const pooling = (async () => {
    let asked = 0, waiting: string[] = []
    while (pools < clusters) {
      while (waiting.length < AT_ONCE && asked < made.length) waiting.push(made[asked++] ?? '')
      const { Items = [] } = waiting.length > 0 ? await caller.call('ListClusters', { Filter: { Ids: waiting }, PageSize: AT_ONCE }) : {}
      const running = Items.filter(({ Status }) => Status.Phase === 'Running').map(({ Id }) => Id)
      await inLanes(running, connections / 2, async ClusterId => {
        await caller.call('CreateEdgeNodePool', {
          ClusterId, Name: 'elastic', NodePoolType: 'edge-machine-pool',
          ElasticConfig: { CloudServerIdentity: 'bench', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: nodesEach, DesiredReplicas: nodesEach, Priority: 10 }, InstanceArea: { AreaName: 'north' } },
        })
        pools++
      })
      const done = new Set(running)
      waiting = waiting.filter(id => !done.has(id))
      if (running.length < AT_ONCE / 4) await sleep(LOOK_EVERY_MS)
    }
  })()
  const looking = (async () => {
    while (nodes < clusters * nodesEach) {
      await sleep(LOOK_EVERY_MS)
      nodes = (await caller.call('ListEdgeNodes', RUNNING_NODES)).TotalCount ?? 0
      const seen: Progress = { at: performance.now() - startedAt, clusters: made.length, pools, nodes }
      process.stdout.write(`${JSON.stringify(seen)}\n`)
      if (seen.at > DEADLINE_MS) throw new Error('The fleet did not come to run in time')
    }
  })()
  await Promise.all([creating, pooling, looking])
}

if (import.meta.main) {
  await fill(JSON.parse(process.argv[2] ?? '') as FleetOrder)
  process.exit(0)
}
