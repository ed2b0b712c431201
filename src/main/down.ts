import { readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { removeHostNetwork } from '#providers/local/host-network/host-network.ts'
import { makeLauncher } from '#store/open.ts'
import { openComponents } from './components.ts'
import { SHARED_RUN_FOLDER, type Configuration } from './configuration.ts'
import { whyNoLocalRegion } from './local/host.ts'
import { rememberedNetwork } from './local/remembered-network.ts'
import { localParts } from './local/parts.ts'
import { removeOverlayFromHost } from './local/outside-machines.ts'
import { pinoLog } from './pino-log.ts'
import { findServer, startTicks } from './server-mark.ts'

/** A shutdown takes at most ten seconds; then it is not coming. */
const PATIENCE_MS = 15_000

/**
 * Stops the server; with `all` also control planes, machines, registry, network and database. Records and disks stay in the state folder, and the next `up` brings
 * everything back. Nothing stops the rest: what could not be stopped is named, and the exit code is 1.
 */
export async function down(configuration: Configuration, all: boolean): Promise<number> {
  const say = (text: string) => void process.stdout.write(`${text}\n`)
  const stopped = await stopServer(configuration)
  if (stopped === 'would not') {
    process.stderr.write(`edgehold: the server did not stop within ${PATIENCE_MS / 1000} s; end process ${findServer(configuration.stateDir)?.pid ?? ''} by hand.\n`)
    return 1
  }
  say(stopped === 'was not running' ? 'No server was running.' : 'The server has stopped.')
  if (!all) return 0

  const failures: string[] = []
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work()
      say(what)
    } catch (error) {
      failures.push(error instanceof AggregateError ? [error.message, ...error.errors.map(String)].join('; ') : error instanceof Error ? error.message : String(error))
    }
  }
  const log = pinoLog({ path: join(configuration.stateDir, 'log', 'down.log') }, 'info')
  const network = rememberedNetwork(configuration.stateDir)
  if (network && whyNoLocalRegion() === undefined) {
    const parts = localParts(configuration, network, openComponents(configuration), log)
    await attempt('Machines are off.', () => parts.machines.ensureAllStopped())
    await attempt('Control planes have stopped.', async () => {
      const results = await Promise.allSettled(clustersOnHost(configuration).map(id => parts.host.ensureStopped(id)))
      const errors = results.flatMap(result => (result.status === 'rejected' ? [result.reason as Error] : []))
      if (errors.length > 0) throw new AggregateError(errors, 'Stopping control planes')
    })
    await attempt('The registry has stopped.', () => parts.registry.ensureGone())
    await attempt('The network is gone.', async () => {
      await removeOverlayFromHost(configuration)
      await removeHostNetwork(network)
    })
  }
  if (configuration.databaseUrl === undefined) {
    await attempt('The database has stopped.', async () => (await makeLauncher({ stateDir: configuration.stateDir, log })).stop())
  }
  if (failures.length === 0) await attempt('Nothing of this installation is left on the host but its state folder.', async () => removeRunFolder(configuration.runDir))
  for (const failure of failures) process.stderr.write(`edgehold: ${failure}\n`)
  return failures.length === 0 ? 0 : 1
}

/** With the folder around it where that is one for this alone; a state folder is not. */
export function removeRunFolder(runDir: string, shared = SHARED_RUN_FOLDER): void {
  rmSync(runDir, { recursive: true, force: true })
  if (dirname(runDir) !== shared) return
  try {
    rmdirSync(shared)
  } catch (error) {
    // Something of another state folder is in it, or it went with the last of them.
    if (!['ENOTEMPTY', 'ENOENT', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** By the folders that control planes leave, on disk and in memory: the database need not answer for this. */
function clustersOnHost(configuration: Configuration): readonly string[] {
  const ids = new Set<string>()
  for (const folder of [join(configuration.stateDir, 'clusters'), join(configuration.runDir, 'clusters')]) {
    try {
      for (const id of readdirSync(folder)) ids.add(id)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return [...ids]
}

async function stopServer(configuration: Configuration): Promise<'stopped' | 'was not running' | 'would not'> {
  const server = findServer(configuration.stateDir)
  if (!server) return 'was not running'
  process.kill(server.pid, 'SIGTERM')
  const end = performance.now() + PATIENCE_MS
  while (startTicks(server.pid) === server.startTicks) {
    if (performance.now() > end) return 'would not'
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return 'stopped'
}
