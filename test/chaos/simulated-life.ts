import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ActionName, Calls } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { ApiError } from '#client/errors.ts'
import { until } from '#test/harness/command.ts'
import { pairOf } from '#test/harness/stepped-region.ts'

/** One call may be sent to several servers: each begins with what the one before it had left, and may die of that. */
const PATIENCE_MS = 300_000
/** All that is ever there at once: a world that keeps one too many, or lost one and makes another, meets its limit. */
const QUOTA = { Machine: 3, LoadBalancer: 1, Nat: 1, Address: 1, SecurityGroup: 1 } as const
const ORDER = {
  Name: 'shop', Profile: 'Edge', ClusterConfig: { SubnetIds: ['subnet-1'] },
  PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: ['172.27.0.0/16'] } }, ServicesConfig: { ServiceCidrsv4: ['172.26.0.0/20'] },
}
const ELASTIC = { CloudServerIdentity: 'cloudserver-edge', AutoScaleConfig: { Enabled: false, MinReplicas: 0, MaxReplicas: 5, DesiredReplicas: 2, Priority: 10 }, InstanceArea: { AreaName: 'beijing', Isp: 'CMCC' } }

/** What is there at rest, by names that do not come from ids, since a server that was started again gives others. */
export interface Rest {
  readonly clusters: readonly string[]
  readonly pools: readonly string[]
  readonly nodes: readonly string[]
  readonly addons: readonly string[]
  readonly machines: readonly string[]
  readonly ledger: readonly string[]
  /** Of each cluster, pool, node and add-on the statuses that it had, in order. */
  readonly stories: readonly string[]
}

/** A life in a region whose clock stands still, by calls that are sent until they are answered and steps to instants that are fixed: it goes on over the death of any server. */
export class SimulatedLife {
  readonly #client: EdgeholdClient
  readonly #state: string
  #tokens = 0
  #at = 0

  constructor(client: EdgeholdClient, state: string) {
    this.#client = client
    this.#state = state
  }

  /** Lives it to its end, and tells what is there at the end of each of its stages. */
  async live(tell: (stage: string, rest: Rest) => void): Promise<void> {
    this.#at = Date.parse((await this.#sent('GetClock', {})).Now)
    const names = new Map<string, string>()
    const id = (name: string) => names.get(name) ?? assert.fail(`${name} was not made`)
    const stages: Readonly<Record<string, () => Promise<void>>> = {
      'limits': async () => {
        for (const [Kind, Limit] of Object.entries(QUOTA)) await this.#sent('SetQuota', { Kind, Limit })
      },
      'create cluster': async () => {
        names.set('cluster', (await this.#made('CreateCluster', ORDER)).Id)
        await this.#pass(90)
      },
      'join': async () => {
        names.set('counters', (await this.#made('CreateEdgeNodePool', { ClusterId: id('cluster'), Name: 'counters' })).Id)
        await this.#pass(10)
        names.set('script', (await this.#made('CreateBatchEdgeMachine', { ClusterId: id('cluster'), NodePoolId: id('counters'), Name: 'tills', TTLHours: 24 })).Ids[0] ?? '')
        names.set('till', await this.#machine('till-1'))
        await this.#pass(30)
        await this.#sent('SetMachine', { Id: id('till'), RunScript: id('script') })
        await this.#pass(120)
      },
      'elastic pool': async () => {
        names.set('burst', (await this.#made('CreateEdgeNodePool', { ClusterId: id('cluster'), Name: 'burst', NodePoolType: 'edge-machine-pool', ElasticConfig: ELASTIC })).Id)
        await this.#pass(180)
      },
      'install': async () => {
        await this.#made('CreateAddon', { ClusterId: id('cluster'), Name: 'ingress-nginx' })
        await this.#pass(180)
      },
      'arrears': async () => {
        await this.#sent('SetBalance', { Amount: 0 })
        await this.#pass(125 * 60)
      },
      'payment': async () => {
        await this.#sent('SetBalance', { Amount: 1000 })
        await this.#pass(300)
      },
      'uninstall': async () => {
        await this.#gone('DeleteAddon', { ClusterId: id('cluster'), Name: 'ingress-nginx', CascadingDeleteResources: ['Crd'] })
        await this.#pass(300)
      },
      'delete node': async () => {
        const [node] = (await this.#read(client => client.all('ListEdgeNodes', { Filter: { NodePoolIds: [id('burst')] } }))).toSorted((one, other) => one.Name.localeCompare(other.Name))
        await this.#gone('DeleteEdgeNodes', { ClusterId: id('cluster'), NodePoolId: id('burst'), Ids: [node?.Id], CascadingDeleteResources: ['Ecs'] })
        await this.#pass(300)
      },
      'delete pool': async () => {
        await this.#gone('DeleteNodePool', { ClusterId: id('cluster'), Id: id('burst'), CascadingDeleteResources: ['Ecs'] })
        await this.#pass(300)
      },
      'delete cluster': async () => {
        // With a pool that made a machine, which it takes along.
        await this.#made('CreateEdgeNodePool', { ClusterId: id('cluster'), Name: 'again', NodePoolType: 'edge-machine-pool', ElasticConfig: ELASTIC })
        await this.#pass(180)
        await this.#gone('DeleteCluster', { Id: id('cluster'), CascadingDeleteResources: ['All'] })
        await this.#pass(600)
      },
      'delete machine': async () => {
        await this.#gone('RemoveMachine', { Id: id('till') })
        await this.#pass(60)
      },
    }
    for (const [name, stage] of Object.entries(stages)) {
      writeFileSync(join(this.#state, 'stage'), name)
      await stage()
      tell(name, await this.#rest())
    }
  }

  /** With a token, so that a call whose answer died with the server is not done twice. */
  #made<Name extends ActionName>(action: Name, body: object): Promise<Calls[Name]> {
    return this.#sent(action, { ...body, ClientToken: `life-${++this.#tokens}` })
  }

  async #machine(Name: string): Promise<string> {
    // This one takes no token; its name is taken by what the first call made.
    const { Id } = await this.#sent('AddMachine', { Name }).catch(async (error: unknown) => {
      const [made] = (await this.#read(client => client.all('ListMachines'))).filter(machine => machine.Name === Name)
      if (!made) throw error
      return made
    })
    return Id
  }

  /** Asks for the end of something; asked again after a server died, it may be gone, or on its way. */
  async #gone(action: ActionName, body: object): Promise<void> {
    await this.#sent(action, body).catch((error: unknown) => {
      const isGoing = error instanceof ApiError && (error.code.startsWith('NotFound') || (error.code.endsWith('Status') && error.message.includes('it is {Deleting,')))
      if (!isGoing) throw error
    })
  }

  /** Sends it until it is answered, however often the server dies; a refusal is thrown. */
  async #sent<Name extends ActionName>(action: Name, body: object): Promise<Calls[Name]> {
    const answer = await until(`an answer to ${action}`, async () => {
      try {
        return { result: await this.#client.call(action, body, { timeoutMs: PATIENCE_MS }) }
      } catch (error) {
        if (error instanceof ApiError && error.status < 500) return { refusal: error }
        throw error
      }
    }, PATIENCE_MS, 30)
    if ('refusal' in answer) throw answer.refusal
    return answer.result
  }

  /** To the instant that is so many seconds after the one before, until nothing is due there. What a server that died had not done of a step, the next one does. */
  async #pass(seconds: number): Promise<void> {
    this.#at += seconds * 1_000
    for (;;) {
      const { Now, Behind } = await this.#sent('SetClock', { Step: '0s' })
      if (Behind !== undefined) continue
      const left = this.#at - Date.parse(Now)
      if (left <= 0) return
      // Sent twice it would lead too far: whether it was heard shows above.
      await this.#client.call('SetClock', { Step: `${left}ms` }, { timeoutMs: PATIENCE_MS }).catch((error: unknown) => {
        if (error instanceof ApiError && error.status < 500) throw error
      })
    }
  }

  #read<T>(ask: (client: EdgeholdClient) => Promise<T>): Promise<T> {
    return until('all of a list', () => ask(this.#client) as Promise<T & object>, PATIENCE_MS, 30)
  }

  async #rest(): Promise<Rest> {
    const [clusters, pools, nodes, addons, machines, ledger, history] = await Promise.all([
      this.#read(client => client.all('ListClusters')), this.#read(client => client.all('ListEdgeNodePools')), this.#read(client => client.all('ListEdgeNodes')), this.#read(client => client.all('ListAddons')),
      this.#read(client => client.all('ListMachines')), this.#read(client => client.all('ListLedger')), this.#read(client => client.all('ListStatusHistory')),
    ])
    const stories = new Map<string, string[]>()
    for (const { Kind, Id, Name, Status } of history.toReversed()) {
      const story = stories.get(Id) ?? [`${Kind} ${withoutNumber(Name)}:`]
      const shown = pairOf(Status)
      if (story.at(-1) !== shown) story.push(shown)
      stories.set(Id, story)
    }
    return {
      clusters: clusters.map(({ Name, Status }) => `${Name} ${pairOf(Status)}`).toSorted(),
      pools: pools.map(({ Name, Status }) => `${Name} ${pairOf(Status)}`).toSorted(),
      nodes: nodes.map(({ Name, Status }) => `${withoutNumber(Name)} ${pairOf(Status)}`).toSorted(),
      addons: addons.map(({ Name, Version, Status }) => `${Name} ${Version} ${pairOf(Status)}`).toSorted(),
      machines: machines.map(({ Name, Power, Link, Made, OwnedBy, NodeId }) => `${withoutNumber(Name)} ${Power} ${Link} ${Made ? 'made' : 'ordered'} ${OwnedBy?.Kind ?? 'nobody'}'s ${NodeId === undefined ? 'free' : 'a node'}`).toSorted(),
      ledger: ledger.map(({ Kind, State, Owner }) => `${Kind} ${State} ${Owner.Kind}`).toSorted(),
      stories: [...stories.values()].map(story => story.join(' ')).toSorted(),
    }
  }
}

/** A machine that a pool made is named after the pool and its own id. */
function withoutNumber(name: string): string {
  return name.replace(/^(burst|again)-.*/, '$1-…')
}
