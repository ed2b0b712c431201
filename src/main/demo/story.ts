import { randomUUID } from 'node:crypto'
import type { EdgeholdClient } from '#client/client.ts'
import { ApiError, NoAnswer } from '#client/errors.ts'
import type { Change, Status } from '#client/calls.ts'
import { Patience } from '#client/patience.ts'
import { realTime, type WaitingTime } from '#client/waiting-time.ts'

const LOOK_EVERY_MS = 150

type Asked = Pick<EdgeholdClient, 'call' | 'all' | 'list'>

export interface StoryOptions {
  /** Whoever listened has left, and nothing is waited for any more. */
  readonly left?: AbortSignal
  readonly time?: WaitingTime
}

/**
 * Tells what happens to one cluster and all in it: every status change with its reason, in the order in which it was committed. What is waited for has been
 * told when the wait ends, so that the next thing said stands after it.
 */
export class Story {
  readonly #client: Asked
  readonly #tell: (text: string) => void
  readonly #time: WaitingTime
  readonly #startedAt: number
  #clusterId: string | undefined
  #position = 0
  /** By Id, as it was told last; null: gone. */
  readonly #told = new Map<string, string | null>()
  #ended = false
  #left: AbortSignal | undefined
  #following: Promise<void> = Promise.resolve()
  #failed: Error | undefined
  readonly #patience: Patience

  constructor(client: Asked, tell: (text: string) => void, { left, time = realTime }: StoryOptions = {}) {
    this.#client = client
    this.#tell = tell
    this.#left = left
    this.#time = time
    this.#startedAt = time.now()
    this.#patience = new Patience({ tell, time })
  }

  /** A call that may be sent again, and is where its server gives no answer for a while. */
  asked<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    return this.#patience.ask(call, { left: this.#left })
  }

  say(text: string): void {
    this.#tell(`\n${text}`)
  }

  follow(clusterId: string): void {
    this.#clusterId = clusterId
    // Nobody may wait for it just then; whoever waits next is told.
    this.#following = this.#followOn().catch((error: unknown) => { this.#failed = error instanceof Error ? error : new Error(String(error)) })
  }

  /** From here on it is told to its end, whoever left: what was made goes. */
  tidies(): void {
    this.#left = undefined
  }

  async end(): Promise<void> {
    this.#ended = true
    await this.#following
    if (this.#failed) throw this.#failed
  }

  /** Waits for `Running/Ok` and the like, or `gone`; throws with the reason when it Failed instead. */
  async until(kind: 'Cluster' | 'NodePool', id: string, wanted: string, deadlineMs: number): Promise<void> {
    await this.#wait(`${kind} ${id} to be ${wanted}`, deadlineMs, async () => {
      const [item] = kind === 'Cluster' ? await this.#client.all('ListClusters', { Filter: { Ids: [id] } }) : await this.#client.all('ListEdgeNodePools', { Filter: { Ids: [id] } })
      if (!item) return wanted === 'gone' && (this.#clusterId === undefined || this.#told.get(id) === null)
      if (item.Status.Phase === 'Failed') {
        const why = await this.#client.call('ExplainStatus', { Id: id })
        throw new Error(`${kind} ${id} is ${pair(item.Status)}: ${why.Because}`)
      }
      return this.#isTold(item, wanted)
    })
  }

  /** Sends a call that takes something away again while the status of the thing forbids it, as the product's own clients do. */
  async accepted(call: () => Promise<unknown>, deadlineMs: number): Promise<void> {
    let times = 0
    await this.#wait('the call to be accepted', deadlineMs, async () => {
      try {
        times++
        await call()
        return true
      } catch (error) {
        // An earlier one was done, and its answer was lost.
        if (times > 1 && error instanceof ApiError && error.status === 404) return true
        if (error instanceof ApiError && error.code.startsWith('OperationDenied.') && error.code.endsWith('Status')) return false
        throw error
      }
    })
  }

  async machine(id: string, deadlineMs: number): Promise<void> {
    await this.#wait(`machine ${id} to be on`, deadlineMs, async () => (await this.#client.all('ListMachines', { Filter: { Ids: [id] } })).some(machine => machine.Power === 'on' && machine.Made))
  }

  async machinesGone(ids: readonly string[], deadlineMs: number): Promise<void> {
    await this.#wait(`machines ${ids.join(', ')} to be gone`, deadlineMs, async () => (await this.#client.all('ListMachines', { Filter: { Ids: ids } })).length === 0)
  }

  async nodes(poolId: string, count: number, deadlineMs: number): Promise<void> {
    await this.#wait(`${count} nodes to be Running`, deadlineMs, async () => {
      const nodes = await this.#client.all('ListEdgeNodes', { Filter: { NodePoolIds: [poolId] } })
      const failed = nodes.find(node => node.Status.Phase === 'Failed')
      if (failed) throw new Error(`Node ${failed.Name} failed: ${(await this.#client.call('ExplainStatus', { Id: failed.Id })).Because}`)
      return nodes.filter(node => this.#isTold(node, 'Running/Ok')).length >= count
    })
  }

  async node(clusterId: string, name: string, wanted: string, deadlineMs: number): Promise<void> {
    await this.#wait(`node ${name} to be ${wanted}`, deadlineMs, async () => (await this.#client.all('ListEdgeNodes', { Filter: { ClusterIds: [clusterId], Name: name } })).some(node => this.#isTold(node, wanted)))
  }

  async kubeconfig(clusterId: string, deadlineMs: number): Promise<string> {
    const wanted = { ClusterId: clusterId, Type: 'Private', ValidDuration: 24, ClientToken: randomUUID() }, { Id: id } = await this.asked(() => this.#client.call('CreateKubeconfig', wanted))
    let text = ''
    await this.#wait('the kubeconfig to be made', deadlineMs, async () => {
      const [kubeconfig] = await this.#client.all('ListKubeconfigs', { Filter: { Ids: [id] } })
      text = Buffer.from(kubeconfig?.Kubeconfig ?? '', 'base64').toString('utf8')
      return text !== ''
    })
    return text
  }

  #isTold({ Id: id, Status: status }: { readonly Id: string; readonly Status: Status }, wanted: string): boolean {
    return pair(status) === wanted && (this.#clusterId === undefined || this.#told.get(id) === wanted)
  }

  async #followOn(): Promise<void> {
    for (;;) {
      const last = this.#ended
      try {
        await this.#tellNew()
      } catch (error) {
        // Whoever waits gives up where it stays so.
        if (!(error instanceof ApiError) && !(error instanceof NoAnswer)) throw error
      }
      if (last) return
      await this.#time.sleep(LOOK_EVERY_MS)
    }
  }

  async #tellNew(): Promise<void> {
    if (this.#clusterId === undefined) return
    const fresh: Change[] = []
    for await (const change of this.#client.list('ListStatusHistory', { Filter: { ClusterIds: [this.#clusterId] } })) {
      if (change.Position <= this.#position) break
      if (change.Position < (fresh.at(-1)?.Position ?? Infinity)) fresh.push(change) // what came meanwhile moves the pages
    }
    for (const change of fresh.toReversed()) {
      this.#position = change.Position
      this.#told.set(change.Id, change.Status && pair(change.Status))
      this.#tell(line(change, (this.#time.now() - this.#startedAt) / 1000))
    }
  }

  async #wait(what: string, deadlineMs: number, isSo: () => Promise<boolean>): Promise<void> {
    const end = this.#time.now() + deadlineMs
    this.#left?.throwIfAborted()
    while (!(await this.asked(isSo))) {
      if (this.#failed) throw this.#failed
      this.#left?.throwIfAborted()
      if (this.#time.now() > end) throw new Error(`Waited in vain for ${what}`)
      await this.#time.sleep(LOOK_EVERY_MS)
    }
  }
}

function line(change: Change, seconds: number): string {
  return `${seconds.toFixed(1).padStart(6)} s  ${`${change.Kind} ${change.Name}`.padEnd(20)} ${statusText(change.Status).padEnd(26)} ${change.Because}`
}

/** As people write it: `{Running,[Ok]}`; `gone` where there is none any more. */
export function statusText(status: Status | null): string {
  return status ? `{${status.Phase},[${status.Conditions.map(condition => condition.Type).join(',')}]}` : 'gone'
}

export function pair(status: Status): string {
  return `${status.Phase}/${status.Conditions.map(condition => condition.Type).join('+')}`
}
