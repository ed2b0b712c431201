/**
 * A server as `up` starts it, but its process kills itself (SIGKILL) at a chosen commit of the store: `after N` right when the N-th write has committed,
 * before anybody hears of it; `before N` when the N-th is about to commit, after all that was done in the world before it. Configured by EDGEHOLD_… variables.
 *
 * usage: server-that-dies.ts after|before N
 */
import type { Store, Transaction } from '#ports/store.ts'
import { readConfiguration } from '#main/configuration.ts'
import { pinoLog } from '#main/pino-log.ts'
import { startServer } from '#main/server.ts'
import { takeServerMark } from '#main/server-mark.ts'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

const [when = '', count = ''] = process.argv.slice(2)
const at = Number(count)
let commits = 0

/** Only writes that say what they change count: a transaction that only looked commits nothing. */
function dying(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'write') return value.bind(target)
      return async (now: number, work: (tx: Transaction) => Promise<unknown>) => {
        let changes: string[] = []
        const result = await target.write(now, async tx => {
          changes = []
          const answer = await work(watched(tx, changes))
          if (changes.length > 0 && when === 'before' && commits + 1 >= at) die(changes)
          return answer
        })
        if (changes.length > 0) commits++
        if (changes.length > 0 && when === 'after' && commits >= at) die(changes)
        return result
      }
    },
  })
}

function watched(tx: Transaction, changes: string[]): Transaction {
  return new Proxy(tx, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...given: unknown[]) => {
        // A simulated region that is opened says so at every start, which is no step of what is watched here.
        if (name !== 'putRegion' && /^(insert|change|put|forget|bind|delete|release|enqueue)/.test(String(name))) changes.push(`${String(name)}${name === 'putLedger' ? ` ${(given[0] as { kind: string; state: string }).kind} ${(given[0] as { state: string }).state}` : ''}`)
        return value.apply(target, given) as unknown
      }
    },
  })
}

function die(changes: readonly string[]): void {
  appendFileSync(join(configuration.stateDir, 'deaths.log'), `${when} ${changes.join(', ')}\n`)
  process.kill(process.pid, 'SIGKILL')
  for (;;); // a signal to oneself may take a moment
}

const configuration = readConfiguration({}, process.env)
const endpoint = `http://${configuration.listen.host}:${configuration.listen.port}`
const other = takeServerMark(configuration.stateDir, endpoint)
if (other) throw new Error(`Process ${other.pid} serves already`)
await startServer(configuration, { log: pinoLog({ path: join(configuration.stateDir, 'log', 'server.log') }, 'info'), say: () => undefined, signal: new AbortController().signal, wrapStore: dying })
