/** An installation as tests of bad moments use it: its API, its server's process, and what of it is on this host, seen with tools of its own. Over three hundred lines, since it is what every such test holds in its hand. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Client } from 'pg'
import { EdgeholdClient } from '#client/client.ts'
import type { ActionName, Calls, Change, Status } from '#client/calls.ts'
import { Installation, until } from './command.ts'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const
export type Component = (typeof COMPONENTS)[number]

/** `Running/Ok`; `absent` for what is not listed. */
export const pair = (status: Status | null | undefined): string => (status ? `${status.Phase}/${status.Conditions.map(condition => condition.Type).join('+')}` : 'absent')

/** A process that is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false // no such process
  }
}

export async function kill9(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await until(`process ${pid} to be dead`, async () => !isAlive(pid), 10 * SECOND, 5)
}

/** The path of a component's program in the cache that all installations of this user share. */
export async function programPath(installation: Installation, name: string, version: string): Promise<string> {
  const states = await installation.json<{ name: string; version: string; path?: string }[]>(['components', 'list'], { deadlineMs: 2 * MINUTE })
  const found = states.find(state => state.name === name && state.version === version)
  assert.ok(found?.path, `${name} ${version} is installed`)
  return found.path
}

export class Place {
  readonly installation: Installation
  readonly hash: string
  #client: EdgeholdClient | undefined

  constructor(installation: Installation) {
    this.installation = installation
    this.hash = createHash('sha256').update(installation.state).digest('hex').slice(0, 8)
  }

  static async make(extra: NodeJS.ProcessEnv = {}): Promise<Place> {
    return new Place(await Installation.make(extra))
  }

  get state(): string {
    return this.installation.state
  }

  async up(): Promise<string> {
    return this.installation.ok(['up', '--detach'], { deadlineMs: 2 * MINUTE })
  }

  async down(all: boolean): Promise<void> {
    await this.installation.ok(['down', ...(all ? ['--all'] : [])], { deadlineMs: 2 * MINUTE })
  }

  remove(): Promise<void> {
    return this.installation.remove()
  }

  /** The process that serves now, by the file that scripts may rely on. */
  serverPid(): number {
    return (JSON.parse(readFileSync(join(this.state, 'server.json'), 'utf8')) as { pid: number }).pid
  }

  async killServer(): Promise<void> {
    await kill9(this.serverPid())
  }

  postmasterPid(): number {
    return Number(readFileSync(join(this.state, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
  }

  /** A question to our own database, as its owner. */
  async query<Row extends object>(text: string): Promise<Row[]> {
    const client = new Client({
      host: `/run/edgehold/${createHash('sha256').update(this.state).digest('hex').slice(0, 16)}`, port: 5432, user: 'edgehold', database: 'postgres',
      password: readFileSync(join(this.state, 'secrets/postgres.password'), 'utf8').trim(),
    })
    client.on('error', () => undefined) // the query says it
    await client.connect()
    try {
      return (await client.query<Row>(text)).rows
    } finally {
      await client.end().catch(() => undefined) // it is dead
    }
  }

  get client(): EdgeholdClient {
    if (!this.#client) {
      const saved = JSON.parse(readFileSync(join(this.state, 'credentials.json'), 'utf8')) as { AccessKeyId: string; SecretAccessKey: string; Region: string; Endpoint: string }
      this.#client = new EdgeholdClient({ endpoint: saved.Endpoint, accessKeyId: saved.AccessKeyId, secretAccessKey: saved.SecretAccessKey, region: saved.Region })
    }
    return this.#client
  }

  call<Name extends ActionName>(action: Name, body: object): Promise<Calls[Name]> {
    return this.client.call(action, body)
  }

  /** Sends a write until it is answered, whatever happens to the server meanwhile; its ClientToken makes it one write. A refusal is thrown. */
  async callThrough<Name extends ActionName>(action: Name, body: object, deadlineMs = MINUTE): Promise<Calls[Name]> {
    const token = `token-${action}-${process.hrtime.bigint()}`
    return until(`an answer to ${action}`, async () => {
      try {
        return { result: await this.client.call(action, { ...body, ClientToken: token }) }
      } catch (error) {
        if (error instanceof Error && 'kind' in error && error.kind === 'ApiError' && 'status' in error && Number(error.status) < 500) return { refusal: error }
        throw error
      }
    }, deadlineMs).then(answer => {
      if ('refusal' in answer) throw answer.refusal
      return answer.result
    })
  }

  /** A cluster that overlaps no other of this test: `number` picks its ranges. */
  clusterOrder(name: string, number: number): object {
    return {
      Name: name, Profile: 'Edge', Description: '',
      ClusterConfig: { SubnetIds: ['subnet-default'] },
      PodsConfig: { PodNetworkMode: 'Flannel', FlannelConfig: { PodCidrs: [`172.16.${number * 16}.0/20`], MaxPodsPerNode: 64 } },
      ServicesConfig: { ServiceCidrsv4: [`172.17.${number * 16}.0/20`] },
    }
  }

  async cluster(id: string): Promise<string> {
    return pair((await this.call('ListClusters', { Filter: { Ids: [id] } })).Items[0]?.Status)
  }

  async pool(id: string): Promise<string> {
    return pair((await this.call('ListEdgeNodePools', { Filter: { Ids: [id] } })).Items[0]?.Status)
  }

  async node(clusterId: string, name: string): Promise<string> {
    return pair((await this.call('ListEdgeNodes', { Filter: { ClusterIds: [clusterId], Name: name } })).Items[0]?.Status)
  }

  async because(id: string): Promise<string> {
    const { Because, Evidence } = await this.call('ExplainStatus', { Id: id })
    return [Because, ...Evidence.map(each => `${each.Fact} ${each.Raw ?? ''}`)].join('\n')
  }

  async history(id: string): Promise<readonly Change[]> {
    return this.client.all('ListStatusHistory', { Filter: { Ids: [id] } })
  }

  /** Polls until `ask` answers `wanted`; fails with the last answer and, where `explain` is given, its reason. */
  async reaches(what: string, ask: () => Promise<string>, wanted: string, deadlineMs: number, explain?: string): Promise<void> {
    let last = ''
    try {
      await until(`${what} to be ${wanted}`, async () => (last = await ask()) === wanted, deadlineMs)
    } catch (error) {
      const why = explain === undefined ? '' : await this.because(explain).catch(() => '')
      throw new Error(`${what} is ${last} and not ${wanted}. ${why}`, { cause: error })
    }
  }

  /** The processes of a cluster's component in its cgroup that run its program, its supervisor left out. */
  componentPids(clusterId: string, component: Component): number[] {
    return this.#inCgroup(`edgehold-${this.hash}/${clusterId}/${component}`).filter(pid => programOf(pid) === component)
  }

  supervisorPids(clusterId: string, component: Component): number[] {
    return this.#inCgroup(`edgehold-${this.hash}/${clusterId}/${component}`).filter(pid => commandOf(pid).includes('supervisor.sh'))
  }

  /** Programs of that name in the machine's cgroup, by the host's pids. */
  machinePids(machineId: string, program: string): number[] {
    return this.#inCgroup(`edgehold-${this.hash}/boxes/${machineId}`).filter(pid => programOf(pid) === program)
  }

  /** How often that command line runs on the machine; its first process sleeps as well, but for longer. */
  runsOn(machineId: string, command: string): number {
    return this.#inCgroup(`edgehold-${this.hash}/boxes/${machineId}`).filter(pid => commandOf(pid).trim() === command).length
  }

  /** Every process of this installation, by its cgroups or its command line. */
  allPids(): number[] {
    return pids().filter(pid => pid !== process.pid && (cgroupOf(pid).includes(`edgehold-${this.hash}/`) || commandOf(pid).includes(this.state)))
  }

  programPids(program: string): number[] {
    return this.allPids().filter(pid => programOf(pid) === program)
  }

  /** Exactly one process of each component, in its cgroup, and none of that cluster elsewhere; one that ended and is started again is waited for, a second one is not excused. */
  async assertOneControlPlane(clusterId: string): Promise<void> {
    const counted = () => COMPONENTS.flatMap(component => [
      [component, this.componentPids(clusterId, component).length],
      [`supervisor of ${component}`, this.supervisorPids(clusterId, component).filter(pid => !isChildShell(pid)).length],
      [`${component} on the whole host`, pids().filter(pid => programOf(pid) === component && commandOf(pid).includes(`/${clusterId}/`)).length],
    ] as const)
    const all = await until(`all of the control plane of ${clusterId} to be there`, async () => {
      const counts = counted(), missing = counts.filter(([, count]) => count === 0).map(([what]) => what)
      if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`)
      return counts
    }, 30_000)
    assert.deepEqual(all.filter(([, count]) => count !== 1), [], `one of each of ${clusterId}`)
  }

  /** What of clusters and machines is on this host: ids, found by namespaces, cgroups, folders. */
  onHost(): { clusters: string[]; machines: string[] } {
    const clusters = new Set<string>()
    const machines = new Set<string>()
    for (const name of list('/run/netns')) {
      if (name.startsWith(`eh-${this.hash}-`)) clusters.add(name.slice(`eh-${this.hash}-`.length))
      if (name.startsWith(`eh${this.hash}-box-`)) machines.add(name.slice(`eh${this.hash}-box-`.length))
    }
    for (const tree of list('/sys/fs/cgroup')) {
      for (const name of list(`/sys/fs/cgroup/${tree}/edgehold-${this.hash}`).filter(each => /^c[0-9a-z]{20}$/.test(each))) clusters.add(name)
      for (const kind of ['boxes', 'box-waiters']) for (const name of list(`/sys/fs/cgroup/${tree}/edgehold-${this.hash}/${kind}`).filter(each => /^m[0-9a-z]{20}$/.test(each))) machines.add(name)
    }
    for (const name of [...list(join(this.state, 'clusters')), ...list(`/run/edgehold/${this.hash}/clusters`)]) clusters.add(name)
    for (const name of list(join(this.state, 'boxes'))) if (name !== 'state') machines.add(name)
    return { clusters: [...clusters].toSorted(), machines: [...machines].toSorted() }
  }

  /** At rest the host holds exactly what the ledger says is held. */
  async assertLedgerEqualsHost(): Promise<void> {
    const rows = await this.client.all('ListLedger')
    // A machine that a pool ordered is its node's.
    const ofNode = new Map((await this.client.all('ListMachines')).map(machine => [machine.NodeId, machine.Id]))
    const held = (kind: string) => rows.filter(row => row.Kind === kind).map(row => `${(row.Owner.Kind === 'Node' && ofNode.get(row.Owner.Id)) || row.Owner.Id} ${row.State}`).toSorted()
    const { clusters, machines } = this.onHost()
    for (const kind of ['ControlPlane', 'Network', 'Address']) assert.deepEqual(held(kind), clusters.map(id => `${id} Held`), `${kind} in the ledger and clusters on the host`)
    assert.deepEqual(held('Machine'), machines.map(id => `${id} Held`), 'machines in the ledger and on the host')
  }

  /** The history of a resource without a Failed in it, since nothing failed. */
  async assertNeverFailed(id: string): Promise<void> {
    const failed = (await this.history(id)).filter(row => row.Status?.Phase === 'Failed')
    assert.deepEqual(failed.map(row => `${row.At} ${pair(row.Status)}: ${row.Because}`), [])
  }

  kubectl(cluster: string, ...args: string[]): Promise<string> {
    return this.installation.ok(['kubectl', cluster, ...args], { deadlineMs: MINUTE })
  }

  /** Adds a machine, runs the script on it, and waits for the node. */
  async join(clusterId: string, onboardingId: string, name: string): Promise<string> {
    const machine = await this.addMachine(name)
    const ran = await this.client.call('SetMachine', { Id: machine, RunScript: onboardingId }, { timeoutMs: 4 * MINUTE })
    assert.equal(ran.ExitCode, 0, ran.Output ?? '')
    await this.reaches(`node ${name}`, () => this.node(clusterId, name), 'Running/Ok', 2 * MINUTE)
    return machine
  }

  async addMachine(name: string): Promise<string> {
    const { Id } = await this.callThrough('AddMachine', { Name: name })
    await until(`machine ${name} to be made`, async () => (await this.call('ListMachines', { Filter: { Ids: [Id] } })).Items[0]?.Made, MINUTE)
    return Id
  }

  async createPool(clusterId: string, name: string): Promise<string> {
    const { Id } = await this.callThrough('CreateEdgeNodePool', { ClusterId: clusterId, Name: name })
    await this.reaches(`pool ${name}`, () => this.pool(Id), 'Running/Ok', MINUTE)
    return Id
  }

  async createOnboarding(clusterId: string, poolId: string, name = 'tills'): Promise<string> {
    const { Ids: [id] } = await this.callThrough('CreateBatchEdgeMachine', { ClusterId: clusterId, NodePoolId: poolId, Name: name, TTLHours: 2 })
    assert.ok(id)
    return id
  }

  /** A cluster that is Running and never said otherwise on its way. */
  async createCluster(name: string, number: number): Promise<string> {
    const { Id } = await this.callThrough('CreateCluster', this.clusterOrder(name, number))
    await this.reaches(`cluster ${name}`, () => this.cluster(Id), 'Running/Ok', 3 * MINUTE, Id)
    return Id
  }

  async deleteCluster(id: string): Promise<void> {
    await this.call('DeleteCluster', { Id: id, CascadingDeleteResources: ['All'] })
    await this.reaches('the deleted cluster', () => this.cluster(id), 'absent', 3 * MINUTE, id)
  }

  #inCgroup(path: string): number[] {
    return pids().filter(pid => cgroupOf(pid).split('\n').some(line => `${line}/`.includes(`:/${path}/`)))
  }
}

function pids(): number[] {
  return list('/proc').filter(name => /^\d+$/.test(name)).map(Number)
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

function cgroupOf(pid: number): string {
  return textOf(`/proc/${pid}/cgroup`)
}

function commandOf(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
}

function programOf(pid: number): string {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, '')
  } catch {
    return '' // it ended meanwhile
  }
}

/** A supervisor's own subshells have its command line too. */
function isChildShell(pid: number): boolean {
  const parent = /^PPid:\s*(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1]
  return parent !== undefined && commandOf(Number(parent)).includes('supervisor.sh')
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it ended meanwhile
  }
}
