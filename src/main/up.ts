import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Configuration } from './configuration.ts'
import { pinoLog } from './pino-log.ts'
import { dropServerMark, findServer, markAnswering, startTicks, takeServerMark } from './server-mark.ts'

/** Serves until SIGTERM, SIGINT or the end of its terminal, not until nobody reads what it says; then ends within 10 s: no request cut, leases released. Control planes and machines go on. */
export async function up(configuration: Configuration): Promise<number> {
  const endpoint = `http://${configuration.listen.host}:${configuration.listen.port}`
  const other = takeServerMark(configuration.stateDir, endpoint)
  if (other) return refuse(configuration, other)
  const { startServer } = await import('./server.ts')
  const log = pinoLog({ path: join(configuration.stateDir, 'log', 'server.log') }, process.env['EDGEHOLD_LOG_LEVEL'] ?? 'info')
  const ended = new AbortController()
  let asked = 0
  const end = () => {
    if (++asked > 1) process.exit(1)
    ended.abort()
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  // A terminal that is closed may say so more than once, and hurries nobody.
  process.on('SIGHUP', () => ended.abort())
  process.on('unhandledRejection', error => log.error({ error: error instanceof Error ? error.stack : String(error) }, 'A promise was rejected and nobody looked'))
  try {
    const server = await startServer(configuration, { log, say: text => process.stdout.write(`${text}\n`), signal: ended.signal })
    markAnswering(configuration.stateDir)
    if (!ended.signal.aborted) await new Promise<void>(resolve => ended.signal.addEventListener('abort', () => resolve(), { once: true }))
    await server.close()
    process.stdout.write('Edgehold has stopped. Control planes and machines go on; ./edgehold down --all stops them too.\n')
    return 0
  } catch (error) {
    if (ended.signal.aborted) return 0
    log.error({ error: error instanceof Error ? error.stack : String(error) }, 'Starting the server failed')
    process.stderr.write(`edgehold: ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  } finally {
    dropServerMark(configuration.stateDir)
    setTimeout(() => process.exit(), 1_000).unref() // something still open must not keep a stopped server alive
  }
}

function refuse(configuration: Configuration, other: { pid: number; endpoint: string }): number {
  process.stderr.write(`edgehold: it already runs for ${configuration.stateDir}: process ${other.pid}, API at ${other.endpoint}. ./edgehold down stops it; another --state and --listen start one beside it.\n`)
  return 1
}

/** The words that start a server of just this configuration. What came by variables goes on by variables. */
export function upArguments({ stateDir, listen, file, open }: Pick<Configuration, 'stateDir' | 'listen' | 'file' | 'open'>): readonly string[] {
  return ['up', '--state', stateDir, '--listen', `${listen.host}:${listen.port}`, ...(file === undefined ? [] : ['--config', file]), ...(open ? ['--open'] : [])]
}

/** Starts the server in the background and returns when its API answers. */
export async function upDetached(configuration: Configuration): Promise<number> {
  const other = findServer(configuration.stateDir)
  if (other) return refuse(configuration, other)
  mkdirSync(join(configuration.stateDir, 'log'), { recursive: true })
  const outputFile = join(configuration.stateDir, 'log', 'output.log')
  const output = openSync(outputFile, 'w')
  const child = spawn(process.execPath, [...process.execArgv, join(configuration.repository, 'src/main/edgehold.ts'), ...upArguments(configuration)], {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, EDGEHOLD_DETACH: undefined },
  })
  child.unref()
  let code: number | undefined
  child.on('exit', exit => (code = exit ?? 1))
  let shown = 0
  const show = () => {
    const text = readFileSync(outputFile, 'utf8')
    process.stdout.write(text.slice(shown))
    shown = text.length
  }
  const ticks = child.pid === undefined ? undefined : startTicks(child.pid)
  for (;;) {
    show()
    if (code !== undefined || ticks === undefined) return code || 1
    if (findServer(configuration.stateDir)?.answers) {
      show()
      return 0
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
