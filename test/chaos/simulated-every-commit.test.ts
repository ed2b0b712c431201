/**
 * On PostgreSQL, at every kind of commit of a whole life in a simulated region — of its records and of its world — a server is killed, once before and once after it; a kind is
 * all that the transaction changes, and what goes on meanwhile. What is then there is what is there where nobody dies.
 */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { repository } from '#test/harness/command.ts'
import { RootlessServer } from '#test/harness/rootless-server.ts'
import { SimulatedLife, type Rest } from './simulated-life.ts'

const MOST_LIVES = 300
/** A death may bring what is left of a transaction of several things in others, so that a kind does not come in that life. In the next one nobody dies until it does. */
const MOST_ROUNDS = 20
const REGION = 'commits'

interface Lived { readonly deaths: readonly string[]; readonly commits: readonly string[] }

/** A life over servers of which each dies at a commit of a kind at which none died yet, in this life or in the `earlier` ones, and the next one is started at once. */
async function lived(when: 'never' | 'before' | 'after', tell: (stage: string, rest: Rest) => void, earlier: readonly string[] = []): Promise<Lived> {
  const server = await RootlessServer.start()
  const linesOf = (name: string) => (existsSync(join(server.state, name)) ? readFileSync(join(server.state, name), 'utf8').trim().split('\n') : [])
  let running: ChildProcess | undefined, ended = false
  try {
    await server.client().call('CreateRegion', { Region: REGION, Seed: 1, Paused: true })
    await server.down()
    writeFileSync(join(server.state, 'earlier-deaths.log'), earlier.join('\n'))
    const failed = Promise.withResolvers<never>()
    let lives = 0
    const begin = () => {
      // Two hundred of them start: they do not look for links in the paths of all modules.
      running = server.spawn(process.execPath, ['--preserve-symlinks', '--preserve-symlinks-main', join(repository, 'test/harness/simulated-server-that-dies.ts'), when])
      running.on('exit', (code, signal) => {
        if (ended) return
        if (signal !== 'SIGKILL') failed.reject(new Error(`a server ended with ${code ?? signal}`))
        else if (++lives > MOST_LIVES) failed.reject(new Error(`more than ${MOST_LIVES} deaths:\n${linesOf('deaths.log').join('\n')}`))
        else begin()
      })
    }
    begin()
    await Promise.race([new SimulatedLife(server.client(REGION), server.state).live(tell), failed.promise])
    return { deaths: linesOf('deaths.log'), commits: linesOf('commits.log') }
  } finally {
    ended = true
    const gone = running && new Promise(resolve => running?.on('exit', resolve))
    running?.kill('SIGKILL')
    await gone
    await server.remove()
  }
}

describe('a life in a simulated region over the death of servers at every kind of commit', { timeout: 1_200_000, concurrency: 2 }, () => {
  const undisturbed = new Map<string, Rest>()
  let commits: ReadonlySet<string>
  before(async () => {
    commits = new Set((await lived('never', (stage, rest) => undisturbed.set(stage, rest))).commits)
  })

  test('where nobody dies everything works, stops for arrears, comes back, and goes', () => {
    const at = (stage: string) => undisturbed.get(stage) ?? assert.fail(stage)
    assert.deepEqual(at('elastic pool').nodes, ['burst-… Running/Ok', 'burst-… Running/Ok', 'till-1 Running/Ok'])
    assert.deepEqual([at('arrears').clusters, at('payment').clusters], [['shop Stopped/Balance'], ['shop Running/Ok']])
    assert.deepEqual([at('install').addons.length, at('uninstall').addons.length], [2, 1])
    const { stories, ...rest } = at('delete machine')
    assert.deepEqual(Object.values(rest).flat(), [])
    assert.ok(stories.every(story => story.endsWith(' gone')))
  })

  for (const when of ['before', 'after'] as const) {
    test(`${when} each kind of commit: the same is there`, async () => {
      let deaths: readonly string[] = []
      const counts: number[] = []
      const missed = () => [...commits].filter(kind => !deaths.includes(kind))
      while (missed().length > 0) {
        assert.ok(counts.length < MOST_ROUNDS, `in ${MOST_ROUNDS} lives nobody died ${when} a commit of these kinds:\n${missed().join('\n')}`)
        const more = (await lived(when, (stage, rest) => assert.deepEqual(rest, undisturbed.get(stage), `at the end of: ${stage}`), deaths)).deaths
        deaths = [...deaths, ...more]
        counts.push(more.length)
      }
      process.stdout.write(`${deaths.length} servers died ${when} a commit, ${counts.join(' and ')} in one life after the other; among them one at each of the ${commits.size} kinds that come where nobody dies\n`)
    })
  }
})
