/** The distribution's PostgreSQL as a user's own database: an unprivileged user's server in a folder of the test, on a port of loopback. */
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, globSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, until } from './command.ts'

export interface OwnPostgres {
  readonly url: string
  readonly version: string
  stop(): Promise<void>
}

/** The folder of the distribution's programs; undefined where there are none. */
export function distributionPostgres(): string | undefined {
  return globSync('/usr/lib/postgresql/*/bin').toSorted().find(folder => existsSync(join(folder, 'postgres')))
}

export async function startOwnPostgres(binaries: string): Promise<OwnPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-own-postgres-'))
  const [uid, gid] = ['-u', '-g'].map(flag => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))) as [number, number]
  chownSync(folder, uid, gid)
  const data = join(folder, 'data')
  execFileSync(join(binaries, 'initdb'), ['-D', data, '-U', 'owner', '--auth=trust', '-E', 'UTF8', '--no-sync'], { uid, gid, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] })
  const port = await freePort()
  const log = openSync(join(folder, 'log'), 'a')
  const server = spawn(join(binaries, 'postgres'), ['-D', data, '-c', 'listen_addresses=127.0.0.1', '-c', `port=${port}`, '-c', 'unix_socket_directories='], { uid, gid, cwd: '/', stdio: ['ignore', log, log] })
  const ended = new Promise<void>(resolve => server.on('exit', () => resolve()))
  await until('the database to be ready', async () => execFileSync(join(binaries, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' }) === null || true, 30_000)
  return {
    url: `postgres://owner@127.0.0.1:${port}/postgres`,
    version: execFileSync(join(binaries, 'postgres'), ['--version'], { encoding: 'utf8' }).trim(),
    async stop() {
      server.kill('SIGINT')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
