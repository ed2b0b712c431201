import { systemTime } from './waiting.ts'
import { runWorker } from '#kernel/worker.ts'
import { openStore } from '#store/open.ts'

/**
 * A process of its own that works on the queue of the database in its arguments, for tests that kill it: `worker-process.ts STATE URL NAME PASS_MS`. Prints
 * `ready`, and `+id time` and `-id time` around each pass; on SIGTERM it ends as a server does.
 */
const [stateDir = '', databaseUrl = '', name = '', passMs = '0'] = process.argv.slice(2)
const log = { debug() {}, info() {}, warn: say, error: say, child: () => log }
function say(facts: object, text: string): void {
  process.stderr.write(`${name}: ${text} ${'error' in facts && facts.error instanceof Error ? (facts.error.stack ?? '') : JSON.stringify(facts)}\n`)
}

const { store, queue, close } = await openStore({ stateDir, databaseUrl, log, clock: systemTime })
const worker = runWorker({
  queue, clock: systemTime, log, name, hosts: [], now: () => Date.now(), regions: async () => ['sim-1'],
  controllers: [{
    kind: 'cluster',
    reconcile: async (id, signal) => {
      process.stdout.write(`+${id} ${Date.now()}\n`)
      await store.findCluster(id)
      await systemTime.sleep(Number(passMs), signal)
      process.stdout.write(`-${id} ${Date.now()}\n`)
      return {}
    },
  }],
})
process.on('SIGTERM', () => void worker.stop().then(close).then(() => process.exit(0)))
process.stdout.write('ready\n')
