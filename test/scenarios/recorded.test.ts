/** What the official Terraform provider sent, sent again to sim-1 by the region's name of the product: each answer fits member for member, with and without faults of our own answers. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ActionName } from '#client/calls.ts'
import { ApiError, NoAnswer } from '#client/errors.ts'
import { compareMembers, readRecorded, translated, type Recorded, type RecordedItem } from '#test/harness/recorded-requests.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'
import { SteppedRegion } from '#test/harness/stepped-region.ts'

/** As long as the provider waits for a deletion, in the region's time. */
const POLLS = 60, POLL = '10s'
/** The double of the recording gave no cluster an add-on by itself; in ours core-dns is there from the beginning, and cannot be created. */
const IN_PLACE_OF: Readonly<Record<string, string>> = { 'core-dns': 'log-collector', '1.8.6-edge.4': 'v2.0.7', '1.8.6-edge.5': 'v2.1.0' }

type Fault = { readonly Effect: object; readonly isFor: (line: Recorded) => boolean }
/** A retry is harmless: a read, an update with all its members, or a create with a token. */
const mayBeRepeated = ({ action, body }: Recorded) => action.startsWith('List') || action.startsWith('Update') || 'ClientToken' in body
const FAULTS: readonly Fault[] = [
  { Effect: { Type: 'fail', Code: '500', Message: 'the database does not answer' }, isFor: () => true },
  { Effect: { Type: 'half' }, isFor: mayBeRepeated },
  { Effect: { Type: 'lie', For: '1h' }, isFor: ({ action, answer }) => action.startsWith('List') && (answer.Items?.length ?? 0) > 0 },
  { Effect: { Type: 'slow', For: '20ms' }, isFor: () => true },
  { Effect: { Type: 'double' }, isFor: ({ action, body }) => action.startsWith('List') || 'ClientToken' in body },
  { Effect: { Type: 'silent' }, isFor: mayBeRepeated },
  { Effect: { Type: 'fail', Code: 429 }, isFor: ({ action }) => action.startsWith('Create') },
]

describe('recorded requests of the Terraform provider, sent to sim-1', () => {
  let server: RootlessServer, region: SteppedRegion
  before(async () => {
    server = await RootlessServer.start()
    region = new SteppedRegion(server.client('cn-beijing'))
    await region.call('SetClock', { Paused: true })
  })
  after(() => server.remove())

  const addOns = () => {
    const text = JSON.stringify([...readRecorded('terraform-provider.jsonl').filter(line => line.from === 'edge').slice(0, 4), ...readRecorded('terraform-add-ons.jsonl')])
    return JSON.parse(Object.entries(IN_PLACE_OF).reduce((all, [theirs, ours]) => all.replaceAll(`"${theirs}"`, `"${ours}"`), text)) as readonly Recorded[]
  }
  const recordings: readonly (readonly [string, () => readonly Recorded[]])[] = [
    ['cluster, edge pools, edge node, script, central pool', () => readRecorded('terraform-provider.jsonl')], ['elastic, central and hand-filled pools', () => readRecorded('terraform-pools.jsonl')], ['an add-on', addOns],
  ]
  for (const faults of [false, true]) {
    for (const [what, lines] of recordings) {
      test(`${what}, ${faults ? 'with faults at every call' : 'as they came'}`, async () => {
        try {
          await replay(lines(), faults)
        } finally {
          await region.call('ClearFault', { All: true })
          for (const { Id } of await region.client.all('ListClusters')) await region.call('DeleteCluster', { Id, Force: true, CascadingDeleteResources: ['All'] })
          await region.step('10m')
        }
        assert.deepEqual([(await region.client.all('ListClusters')).length, (await region.client.all('ListLedger')).filter(entry => entry.State !== 'Retained').length], [0, 0])
      })
    }
  }

  async function replay(lines: readonly Recorded[], faults: boolean): Promise<void> {
    const ours = new Map<string, string>()
    let hits = 0
    for (const [index, line] of lines.entries()) {
      if (line.action === 'DeleteCluster') await takeProtectionOff(translated(line.body, ours))
      const effect = faults ? FAULTS.slice(index % FAULTS.length).concat(FAULTS).find(fault => fault.isFor(line))?.Effect : undefined
      const fault = effect && await region.call('InjectFault', { Port: 'api', Call: line.action, Effect: effect, Times: 1 })
      const result = await untilAsRecorded(line, ours)
      const made = line.answer.Ids ?? (line.answer.Id === undefined ? [] : [line.answer.Id])
      made.forEach((id, place) => ours.set(id, result.Ids?.[place] ?? result.Id ?? assert.fail(`${line.action} answered no id`)))
      for (const item of line.answer.Items ?? []) {
        const found = foundIn(result.Items ?? [], item, ours)
        if (found) compareMembers(translated(item, ours), found, `${index + 1} ${line.action}`)
      }
      if (!fault) continue
      const [standing] = (await region.client.all('ListFaults')).filter(one => one.Id === fault.Id)
      hits += standing?.Hits ?? 0
      await region.call('ClearFault', { Id: fault.Id })
    }
    if (faults) assert.ok(hits >= lines.length * 0.9, `${hits} of ${lines.length} faults struck`)
  }

  /** The double of the recording deleted protected clusters; ours refuses, in words that do not mean "gone". */
  async function takeProtectionOff(body: Record<string, unknown>): Promise<void> {
    const { Items: [cluster] } = await region.call('ListClusters', { Filter: { Ids: [body['Id']] } })
    if (cluster?.DeleteProtectionEnabled !== true) return
    assert.equal((await region.refused('DeleteCluster', body)).code, 'OperationDenied.DeleteProtection')
    await region.call('UpdateClusterConfig', { Id: cluster.Id, DeleteProtectionEnabled: false })
    await region.step(POLL)
  }

  /** As the provider does: a call is repeated after an error that says so, and a list until it shows what it waits for. */
  async function untilAsRecorded(line: Recorded, ours: ReadonlyMap<string, string>): Promise<{ readonly Id?: string; readonly Ids?: readonly string[]; readonly Items?: readonly RecordedItem[] }> {
    const body = translated(line.body, ours)
    for (let poll = 0; ; poll++) {
      const result = await sent(line.action as ActionName, body)
      const amiss = line.answer.Items === undefined ? undefined : whatIsAmiss(line, line.answer.Items, result.Items ?? [], ours)
      if (amiss === undefined) return result
      assert.ok(poll < POLLS, `${line.action} ${JSON.stringify(body)}: ${amiss}`)
      await region.step(POLL)
    }
  }

  async function sent(action: ActionName, body: object): ReturnType<typeof untilAsRecorded> {
    for (let attempt = 1; ; attempt++) {
      try {
        // Empty counts as not sent, and keeps our client from sending a token that the provider did not.
        return await region.client.callAny(action, action.startsWith('Create') ? { ClientToken: '', ...body } : body, { timeoutMs: 30_000 }) as Awaited<ReturnType<typeof untilAsRecorded>>
      } catch (error) {
        const again = error instanceof NoAnswer || (error instanceof ApiError && error.status === 500)
        if (!again || attempt === 4) throw error
      }
    }
  }

  /** Lists by ids or clusters show a thing at once, until it is gone, and the phase at which the provider's wait ended. */
  function whatIsAmiss(line: Recorded, wanted: readonly RecordedItem[], found: readonly RecordedItem[], ours: ReadonlyMap<string, string>): string | undefined {
    if (wanted.length === 0) return found.length === 0 ? undefined : `it still lists ${found.map(item => item.Status.Phase).join()}`
    for (const item of wanted) {
      const one = foundIn(found, item, ours)
      if (!one && (item.Status?.Phase === 'Deleting' || (ours.get(item.Id) === undefined && !line.action.endsWith('Addons')))) continue
      if (!one) return `${item.Id} is not listed`
      // A script is no more than a template, which shows the same for ever.
      if (line.action === 'ListBatchEdgeMachine') continue
      if (item.Status.Phase === 'Running' && one.Status.Phase !== 'Running') return `${item.Id} is ${one.Status.Phase}`
    }
    return undefined
  }

  function foundIn(items: readonly RecordedItem[], recorded: RecordedItem, ours: ReadonlyMap<string, string>): RecordedItem | undefined {
    const id = ours.get(recorded.Id)
    // An add-on has no id of its own that a call would answer.
    return items.find(item => id === undefined ? recorded.ClusterId !== undefined && ours.get(recorded.ClusterId) === item.ClusterId && recorded['Name'] === item['Name'] : item.Id === id)
  }
})
