/** What a story waited for has been told before it goes on, however late the history shows it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change, Status } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { NoAnswer } from '#client/errors.ts'
import { OwnTime } from '#test/harness/own-time.ts'
import { Story } from './story.ts'

const RUNNING: Status = { Phase: 'Running', Conditions: [{ Type: 'Ok' }] }
const change = (Position: number, Id: string, status: Status | null): Change =>
  ({ Kind: 'NodePool', Id, Name: Id, Position, At: '2026-12-01T00:00:00Z', Status: status, Rule: '', Because: 'because', Evidence: [] })

/** Lists show everything Running at once; the history tells one change more with each look, newest first, and shifts its pages as it grows. */
function slowHistory(changes: readonly Change[]): Pick<EdgeholdClient, 'call' | 'all' | 'list'> {
  let looks = 0
  const list = async function* () {
    const shown = changes.slice(0, looks++).toReversed()
    for (const [index, one] of shown.entries()) {
      yield await Promise.resolve(one)
      if (index === 1) yield one
    }
  }
  const all = (action: string): Promise<unknown[]> => Promise.resolve(action === 'ListClusters' ? [] : [{ Id: 'counters', Name: 'counters', Status: RUNNING }])
  return { call: () => Promise.reject(new Error('not asked')), all, list } as unknown as Pick<EdgeholdClient, 'call' | 'all' | 'list'>
}

test('what is said after a wait stands after what was waited for, and nothing is told twice', async () => {
  const told: string[] = []
  const scaling: Status = { Phase: 'Scaling', Conditions: [{ Type: 'Progressing' }] }
  const story = new Story(slowHistory([change(1, 'counters', scaling), change(2, 'counters', RUNNING), change(3, 'till', RUNNING), change(4, 'shop', null)]), text => told.push(text.trim()), { time: new OwnTime() })
  story.follow('shop')
  await story.until('NodePool', 'counters', 'Running/Ok', 10_000)
  story.say('And then')
  await story.until('Cluster', 'shop', 'gone', 10_000)
  story.say('The end')
  await story.end()
  assert.deepEqual(told.map(line => line.replaceAll(/^[\d.]+ s {2}| +because$/g, '').replaceAll(/ +/g, ' ')), [
    'NodePool counters {Scaling,[Progressing]}', 'NodePool counters {Running,[Ok]}', 'And then', 'NodePool till {Running,[Ok]}', 'NodePool shop gone', 'The end',
  ])
})

test('where nothing is told, as no creation was answered, nobody waits for it to be told', async () => {
  const story = new Story(slowHistory([]), () => undefined, { time: new OwnTime() })
  await story.until('Cluster', 'shop', 'gone', 1_000)
  await story.until('NodePool', 'counters', 'Running/Ok', 1_000)
  await story.end()
})

test('a server that gives no answer is asked again for a while; where none comes, whoever waits is told, and nobody else', async () => {
  const silent = (times: number) => {
    const client = slowHistory([change(1, 'counters', RUNNING)])
    const fails = <Args extends unknown[], Answer>(act: (...args: Args) => Answer) => (...args: Args): Answer => {
      if (times-- > 0) throw new NoAnswer('socket hang up', false)
      return act(...args)
    }
    return { ...client, all: fails(client.all as (...args: unknown[]) => Promise<unknown[]>), list: fails(client.list as (...args: unknown[]) => AsyncGenerator) } as unknown as typeof client
  }
  const told: string[] = [], tell = (text: string) => { told.push(text) }
  const back = new Story(silent(3), tell, { time: new OwnTime() })
  back.follow('shop')
  await back.until('NodePool', 'counters', 'Running/Ok', 20_000)
  await back.end()
  assert.equal(told.filter(text => text.startsWith('The server gives no answer')).length, 1)

  const lost = new Story(silent(Infinity), tell, { time: new OwnTime() })
  lost.follow('shop')
  await assert.rejects(lost.until('NodePool', 'counters', 'Running/Ok', 20_000), NoAnswer)
  await lost.end()
})
