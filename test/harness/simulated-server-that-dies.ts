/**
 * A server of simulated regions whose process kills itself (SIGKILL) at commits of its records and of its worlds: in each life at the first one of a kind at which none
 * died yet, here or in the lives that `earlier-deaths.log` tells of. A kind is all that the transaction changes, and what the driver says is going on (the file `stage` of the state folder). `before`: when it is about to commit;
 * `after`: when it has, before anybody hears of it; `never`: it lives, and only tells its commits. `deaths.log` and `commits.log` have a line each.
 *
 * usage: simulated-server-that-dies.ts never|before|after
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfiguration } from '#main/configuration.ts'
import { pinoLog } from '#main/pino-log.ts'
import { startServer } from '#main/server.ts'
import { takeServerMark } from '#main/server-mark.ts'
import type { Store, Transaction } from '#ports/store.ts'
import type { KeptThing, WorldStore } from '#providers/simulated/store/world-store.ts'

const [when = ''] = process.argv.slice(2)
const configuration = readConfiguration({}, process.env)
const [deaths, commits, stage] = ['deaths.log', 'commits.log', 'stage'].map(name => join(configuration.stateDir, name)) as [string, string, string]
const died = new Set([deaths, join(configuration.stateDir, 'earlier-deaths.log')].filter(existsSync).flatMap(file => readFileSync(file, 'utf8').trim().split('\n')))

/** The region's own record holds its clock, and the others those who run it: no part of what is told. */
const CHANGES = /^(insert|change|put(?!Region)|forget|bind|delete|release|claim(?!ClientToken))/

function dying(store: Store): Store {
  return wrapped(store, 'write', (write: Store['write']) => async (now: number, work: (tx: Transaction) => Promise<unknown>) => {
    let changes: string[] = []
    const result = await write(now, async tx => {
      changes = []
      const answer = await work(watched(tx, changes))
      if (changes.length > 0) pass('before', changes)
      return answer
    })
    if (changes.length > 0) pass('after', changes)
    return result
  })
}

function dyingWorld(store: WorldStore): WorldStore {
  return wrapped(store, 'write', (write: WorldStore['write']) => async (region: string, claim: number, things: readonly KeptThing[]) => {
    const changes = things.map(({ kind, text }) => `world ${kind}${text === undefined ? ' gone' : ''}`)
    if (changes.length > 0) pass('before', changes)
    await write(region, claim, things)
    if (changes.length > 0) pass('after', changes)
  })
}

function wrapped<T extends object>(store: T, name: string, wrap: (method: never) => unknown): T {
  return new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      const bound: unknown = value.bind(target)
      return property === name ? wrap(bound as never) : bound
    },
  })
}

function watched(tx: Transaction, changes: string[]): Transaction {
  return new Proxy(tx, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...given: unknown[]) => {
        if (CHANGES.test(String(name))) changes.push(told(String(name), given))
        return value.apply(target, given) as unknown
      }
    },
  })
}

function told(name: string, given: readonly unknown[]): string {
  if (name !== 'putLedger') return name
  const { kind, state } = given[0] as { kind: string; state: string }
  return `${name} ${kind} ${state}`
}

function pass(at: 'before' | 'after', changes: readonly string[]): void {
  const all = [...new Set(changes)].toSorted().join(', ')
  const kind = `${existsSync(stage) ? readFileSync(stage, 'utf8') : 'start'}: ${all}`
  if (at === 'after') appendFileSync(commits, `${kind}\n`)
  if (at !== when || died.has(kind)) return
  appendFileSync(deaths, `${kind}\n`)
  process.kill(process.pid, 'SIGKILL')
  for (;;); // a signal to oneself may take a moment
}

const endpoint = `http://${configuration.listen.host}:${configuration.listen.port}`
const other = takeServerMark(configuration.stateDir, endpoint)
if (other) throw new Error(`Process ${other.pid} serves already`)
await startServer(configuration, {
  log: pinoLog({ path: join(configuration.stateDir, 'log', 'server.log') }, 'info'), say: () => undefined, signal: new AbortController().signal, wrapStore: dying, wrapWorldStore: dyingWorld,
})
