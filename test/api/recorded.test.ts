import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ApiUnderTest } from './api-under-test.ts'
import { compareMembers, readRecorded, translated, type Recorded } from '#test/harness/recorded-requests.ts'
import { MemoryMachines } from '#test/harness/world/machines.ts'
import { SteppedClock } from '#test/harness/stepped-clock.ts'
import { forgetWithChildren } from './play-controllers.ts'

/** Requests that the official provider 0.0.195 sent, in their order, with answers that satisfied it: every member it was given there has to be in ours. The pools were recorded against a simulated region of ours: applied, changed, destroyed, with empty plans between. */
suite('recorded requests of the Terraform provider', () => {
  for (const file of ['terraform-provider.jsonl', 'terraform-pools.jsonl'] as const) test(`get answers that fit member for member: ${file}`, async () => {
    const lines = readRecorded(file)
    assert.ok(lines.length > 50)
    const api = await ApiUnderTest.open({}, { machines: new MemoryMachines(new SteppedClock()), machineAddresses: () => ({ first: '10.213.128.1', last: '10.213.255.254' }) })
    const ours = new Map<string, string>()
    for (const line of lines) {
      if (line.action.startsWith('List')) await catchUp(api, line, ours)
      if (line.action === 'DeleteCluster') await takeProtectionOff(api, translated(line.body, ours))
      const result = await api.done(line.action, translated(line.body, ours), { region: 'cn-beijing' })
      const made = line.answer.Ids ?? (line.answer.Id === undefined ? [] : [line.answer.Id])
      made.forEach((id, index) => ours.set(id, result.Ids?.[index] ?? result.Id ?? assert.fail(`${line.action} answered no id`)))
      for (const item of line.answer.Items ?? []) {
        const id = ours.get(item.Id)
        if (id === undefined) continue
        const found = result.Items?.find(one => one['Id'] === id)
        // A script is gone with the call that deletes it; the double took a while.
        if (!found && item.Status.Phase === 'Deleting') continue
        assert.ok(found, `${line.action} does not list ${item.Id}`)
        compareMembers(translated(item, ours), found, `${line.from} ${line.action}`)
      }
      const forgotten = line.answer.Items?.length === 0
      if (forgotten) assert.deepEqual(result.Items, [], line.action)
    }
    await api.app.close()
  })
})

/** What the controllers would have done between two polls: the recorded answer says how far they were. */
async function catchUp(api: ApiUnderTest, line: Recorded, ours: ReadonlyMap<string, string>): Promise<void> {
  const { Ids = [] } = (line.body['Filter'] ?? {}) as { Ids?: readonly string[] }
  for (const asked of Ids) {
    const id = ours.get(asked) ?? ''
    const recorded = line.answer.Items?.find(item => item.Id === asked)
    if (recorded?.Status.Phase === 'Running' && id.startsWith('c')) await api.makeClusterRun(id)
    if (recorded?.Status.Phase === 'Running' && id.startsWith('p')) await api.makePoolRun(id)
    if (recorded?.Status.Phase === 'Running' && id.startsWith('n')) await makeNodeRun(api, id)
    if (!recorded && id !== '') await forgetWithChildren(api, id)
  }
}

/** Scripts have ids like those of nodes and are none. */
async function makeNodeRun(api: ApiUnderTest, id: string): Promise<void> {
  await api.store.write(api.now, async tx => {
    const node = await tx.lockNode(id)
    if (node) await tx.changeNode(id, { facts: { ...node.facts, firstReadyAt: api.now, ready: { status: 'True', since: api.now, reason: 'KubeletReady', message: '' } } }, { evidence: [] })
  })
}

/** The double deleted protected clusters; ours refuses in words that do not mean "gone". */
async function takeProtectionOff(api: ApiUnderTest, body: Record<string, unknown>): Promise<void> {
  const [cluster] = (await api.done('ListClusters', { Filter: { Ids: [body['Id']] } })).Items ?? []
  if (cluster?.['DeleteProtectionEnabled'] !== true) return
  const { status, body: envelope } = await api.call('DeleteCluster', body)
  assert.deepEqual([status, envelope.ResponseMetadata.Error?.Code], [400, 'OperationDenied.DeleteProtection'])
  await api.done('UpdateClusterConfig', { Id: body['Id'], DeleteProtectionEnabled: false })
  await api.makeClusterRun(String(body['Id']))
}
