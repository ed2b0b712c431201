/** The part `writes` of the benchmark `calls`: signed calls that write, by the API and the store alone; and ten thousand clusters, each made by a signed call of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { runProgram } from '#test/harness/command.ts'
import type { ApiAlone } from './api-alone.ts'
import type { LoadOrder, LoadSeen } from './load-generator.ts'
import { creation } from './creations.ts'
import { familyOf, pin, processes, processorSeconds } from './processes.ts'
import { signedRequest } from './signed-requests.ts'
import { printNote, printTable, verdict } from './table.ts'

const CLUSTERS = Number(process.env['BENCH_CREATIONS'] ?? 10_000)
const CREATION_BAR_SECONDS = 60
const CONNECTIONS = 64
const PATIENCE_MS = 300_000

export async function measureWrites(cores: { readonly server: number; readonly others: number }, measureMs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-writes-'))
  chmodSync(folder, 0o711) // PostgreSQL runs as somebody else
  const server = spawn('taskset', ['-c', String(cores.server), process.execPath, join(import.meta.dirname, 'api-alone.ts'), folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(server, 'close')
  try {
    const said = await Promise.race([once(createInterface(server.stdout), 'line'), ended.then(() => { throw new Error('The API did not start') })]) as [string]
    const alone = JSON.parse(said[0]) as ApiAlone
    const all = await processes()
    const postmaster = all.find(one => one.command.includes(folder) && /\bpostgres\b.*-D/.test(one.command))
    if (!postmaster) throw new Error('The database does not run')
    await pin(familyOf(all, postmaster.pid), cores.others)

    const load = async (requests: readonly string[], times: 'again and again' | 'once'): Promise<{ seen: LoadSeen; seconds: number; processor: number; database: number }> => {
      const file = join(folder, 'requests.json')
      writeFileSync(file, JSON.stringify(requests))
      const { hostname, port } = new URL(alone.endpoint)
      const order: LoadOrder = { host: hostname, port: Number(port), files: [], pack: file, once: times === 'once', connections: CONNECTIONS, warmUpMs: Math.min(3_000, measureMs), measureMs }
      const before = processorSeconds(server.pid ?? 0)
      const databaseBefore = await databaseSeconds(postmaster.pid)
      const run = await runProgram('taskset', ['-c', String(cores.others), process.execPath, join(import.meta.dirname, 'load-generator.ts'), JSON.stringify(order)], { deadlineMs: measureMs + PATIENCE_MS })
      if (run.code !== 0) throw new Error(`The load ended with ${run.code}: ${run.stderr}`)
      const seen = JSON.parse(run.stdout) as LoadSeen
      return { seen, seconds: seen.total / seen.perSecond, processor: (processorSeconds(server.pid ?? 0) - before) / seen.total, database: (await databaseSeconds(postmaster.pid) - databaseBefore) / seen.total }
    }
    const scripts = await load(alone.fleet.map(ids => signedRequest(alone, 'CreateBatchEdgeMachine', { ClusterId: ids.clusterId, NodePoolId: ids.nodePoolId, TTLHours: 24 })), 'again and again')
    const updates = await load(['one', 'two', 'three'].flatMap(text => alone.fleet.map(({ clusterId }) => signedRequest(alone, 'UpdateClusterConfig', { Id: clusterId, Description: text }))), 'again and again')
    const creations = await load(Array.from({ length: CLUSTERS }, (_, number) => signedRequest(alone, 'CreateCluster', creation(number))), 'once')
    const row = (call: string, { seen, processor, database }: typeof scripts, bar = ''): Record<string, string | number> => ({
      call, 'a second': Math.round(seen.perSecond), 'server ms of processor': processor * 1000, 'PostgreSQL ms of processor': database * 1000, 'p50 ms': seen.p50, 'p99 ms': seen.p99, verdict: bar,
    })
    printTable(`calls: signed calls that write, ${CONNECTIONS} connections`, [
      row('CreateBatchEdgeMachine', scripts), row('UpdateClusterConfig', updates),
      row(`CreateCluster with ClientToken, ${CLUSTERS} of them`, creations, verdict(creations.seconds, CREATION_BAR_SECONDS * (CLUSTERS / 10_000), ' s')),
    ])
    printNote('Each answer was committed with synchronous_commit on. The region of these runs nothing: the server has processor 0 for itself, PostgreSQL and the load share processor 1.')
  } finally {
    server.stdin.end()
    await Promise.race([ended, once(AbortSignal.timeout(30_000), 'abort')])
    server.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function databaseSeconds(postmaster: number): Promise<number> {
  return familyOf(await processes(), postmaster).reduce((sum, pid) => sum + processorSeconds(pid), 0)
}
