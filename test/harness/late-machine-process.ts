import { setTimeout as sleep } from 'node:timers/promises'
import { machineController, type MachinePorts } from '#controllers/machine/reconcile.ts'
import { openStore } from '#store/open.ts'
import { systemTime } from './waiting.ts'

/** A process of its own that finishes a machine whose record goes meanwhile: `late-machine-process.ts STATE URL ID`. Its provider takes nothing away. Prints `left` once its pass has ended, and lives until it is killed. */
const [stateDir = '', databaseUrl = '', id = ''] = process.argv.slice(2)
const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }

const { store } = await openStore({ stateDir, databaseUrl, log, clock: systemTime })
const machines = {
  async ensure() {
    await store.write(Date.now(), tx => tx.forgetMachine(id))
    return { id, power: 'on', link: 'up', powerSince: Date.now(), machineId: `i-${id}` }
  },
  ensureGone: () => Promise.reject(new Error('TerminateInstances: internal error')),
}
const ports = { store, newLedgerId: () => `l-${id}`, regionOf: () => ({ clock: systemTime, machines }) } as unknown as MachinePorts
const controller = machineController(ports)
await controller.reconcile(id, new AbortController().signal)
process.stdout.write('left\n')
for (;;) await sleep(60_000)
