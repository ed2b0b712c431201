/** The demo removes what it made itself, known by id; things of others may have the same names. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeholdClient } from '#client/client.ts'
import { Story } from './story.ts'
import { NoAnswer } from '#client/errors.ts'
import { OwnTime } from '#test/harness/own-time.ts'
import { keptText, takeAway, takeAwayOrTell, type Made } from './take-away.ts'

interface Thing { readonly Id: string; readonly Name: string }
type Body = { readonly Id?: string; readonly Filter?: { readonly Ids?: readonly string[]; readonly ClusterIds?: readonly string[] } }

/** A region that has these, and what a demo left in it. */
async function leftOf(made: Made, things: { readonly clusters: readonly Thing[]; readonly machines: readonly Thing[] }): Promise<{ readonly ids: readonly string[]; readonly told: string }> {
  const left = new Map([...things.clusters.map(one => ['ListClusters', one] as const), ...things.machines.map(one => ['ListMachines', one] as const)].map(([list, one]) => [one.Id, { list, one }]))
  const told: string[] = []
  const client = {
    all: (list: string, { Filter: { Ids } = {} }: Body = {}) => Promise.resolve([...left.values()].filter(each => each.list === list && (Ids?.includes(each.one.Id) ?? true)).map(each => each.one)),
    call: (_action: string, { Id = '' }: Body) => Promise.resolve(left.delete(Id)),
    list: async function* () {},
  } as unknown as Pick<EdgeholdClient, 'call' | 'all' | 'list'>
  const interrupted = AbortSignal.abort(new Error('interrupted'))
  await takeAway(client, new Story(client, text => told.push(text), { left: interrupted }), made)
  return { ids: [...left.keys()], told: told.join('\n') }
}

const THINGS = {
  clusters: [{ Id: 'c-ours', Name: 'demo' }, { Id: 'c-theirs', Name: 'demo' }],
  machines: [{ Id: 'm-ours', Name: 'demo-1' }, { Id: 'm-theirs', Name: 'demo-1' }, { Id: 'm-other', Name: 'demo-2' }],
}

test('only what the demo made goes, to the end even of one that is interrupted', async () => {
  const { ids, told } = await leftOf({ clusterId: 'c-ours', machineIds: ['m-ours'] }, THINGS)
  assert.deepEqual(ids, ['c-theirs', 'm-theirs', 'm-other'])
  assert.match(told, /The ledger has nothing of it left/)
})

test('a demo that made nothing takes nothing away, and says nothing of what others hold', async () => {
  assert.deepEqual(await leftOf({ machineIds: [] }, THINGS), { ids: ['c-ours', 'c-theirs', 'm-ours', 'm-theirs', 'm-other'], told: '' })
})

test('what somebody else took away meanwhile is no obstacle', async () => {
  const { ids } = await leftOf({ clusterId: 'c-gone', machineIds: ['m-gone', 'm-ours'] }, THINGS)
  assert.deepEqual(ids, ['c-ours', 'c-theirs', 'm-theirs', 'm-other'])
})

test('what is kept is told with commands for what was made, and no others', () => {
  assert.match(keptText({ machineIds: [] }, 'sim-1'), /Nothing was made/)
  assert.doesNotMatch(keptText({ clusterId: 'c-ours', machineIds: [] }, 'sim-1'), /demo-1/)
  const one = keptText({ clusterId: 'c-ours', machineIds: ['m-ours'] }, 'sim-1')
  assert.match(one, /machine remove demo-1/)
  assert.match(one, /delete cluster demo --cascade All /, 'as the demo itself asks: what nobody names stays, and is billed')
  assert.doesNotMatch(one, /demo-2/)
})

test('where the server is gone for good, the commands that take away what may be left are named', async () => {
  const told: string[] = [], tell = (text: string) => { told.push(text) }
  const silent = () => Promise.reject(new NoAnswer('connect ECONNREFUSED', true))
  const client = { call: silent, all: silent, list: silent } as unknown as Pick<EdgeholdClient, 'call' | 'all' | 'list'>
  const story = new Story(client, tell, { time: new OwnTime() })
  await assert.rejects(takeAwayOrTell(client, story, { begun: true, clusterId: 'c-ours', machineIds: ['m-ours'] }, 'sim-1'), NoAnswer)
  await takeAwayOrTell(client, story, { begun: true, machineIds: [] }, 'sim-2')
  assert.match(told.pop() ?? '', /delete cluster demo --cascade All --wait --region sim-2/)
  for (const command of ['delete cluster demo --cascade All --wait', 'machine remove demo-1 --wait', 'machine remove demo-2 --wait']) assert.ok(told.at(-1)?.includes(`./edgehold ${command} --region sim-1`), command)
})
