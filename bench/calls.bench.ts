/** Signed reads of a small fleet, requests a second on one core, beside a bare server that answers a constant; signed calls that write; what the idle server costs; what each hosted cluster costs beyond Kubernetes' own processes. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EdgeholdClient } from '#client/client.ts'
import { findServer } from '#main/server-mark.ts'
import { readConfiguration } from '#main/configuration.ts'
import { newId } from '#model/ids.ts'
import { freePort, Installation, runProgram } from '#test/harness/command.ts'
import { clusterSpec, nodePoolSpec, nodeSpec, NEW_NODE, READY_NODE, READY_POOL, USABLE_CLUSTER } from '#test/harness/sample-records.ts'
import { credentialsOf, start } from './client-of.ts'
import { recordsOf } from './cluster-of.ts'
import type { LoadOrder, LoadSeen } from './load-generator.ts'
import { clusterRuns, createCluster, deleteCluster } from './orders.ts'
import { collectGarbage } from './garbage.ts'
import { familyOf, memoryMiB, pin, processes, processorSeconds } from './processes.ts'
import { signedCall, signedRequest, type Signer } from './signed-requests.ts'
import { measureWrites } from './writes.ts'
import { atLeast, printNote, printTable, verdict } from './table.ts'

const MEASURE_MS = Number(process.env['BENCH_MEASURE_MS'] ?? 10_000)
const IDLE_MS = Number(process.env['BENCH_IDLE_MS'] ?? 20_000)
const HOSTED = Number(process.env['BENCH_HOSTED'] ?? 4)
const PARTS = new Set((process.env['BENCH_PARTS'] ?? 'calls,writes,memory').split(','))
const CONNECTIONS = 64
const CLUSTERS = 10
const NODES_A_CLUSTER = 10
const PER_SECOND = 10_000
const MIB_A_CLUSTER = 5
const SERVER_CORE = 0
const OTHERS_CORE = 1
/** A region without processes of its own: its fleet is records only. */
const REGION = 'sim-1'

const inspectorPort = await freePort()
const place = await Installation.make({ EDGEHOLD_READS_PER_SECOND: '10000000', NODE_OPTIONS: `--inspect-port=127.0.0.1:${inspectorPort}` })
const folder = mkdtempSync(join(tmpdir(), 'edgehold-calls-'))
const children: ChildProcess[] = []
try {
  const client = await start(place)
  const server = findServer(readConfiguration({ state: place.state }, {}).stateDir)
  if (!server) throw new Error('The server does not run')
  if (PARTS.has('memory')) await measureIdle(client, server.pid)
  if (PARTS.has('calls')) await measureCalls(server.pid, server.endpoint)
  if (PARTS.has('writes')) await measureWrites({ server: SERVER_CORE, others: OTHERS_CORE }, MEASURE_MS)
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
  await place.remove()
}

async function measureCalls(server: number, endpoint: string): Promise<void> {
  await quiet(server)
  const nodes = await fillFleet()
  await pin([server], SERVER_CORE)
  const all = await processes()
  const postmaster = all.find(one => one.command.includes(`${place.state}/postgres`) && /\bpostgres\b.*-D/.test(one.command))
  if (postmaster) await pin(familyOf(all, postmaster.pid), OTHERS_CORE)
  const reads = [
    { name: `ListClusters, all ${CLUSTERS}`, action: 'ListClusters', bodies: [{ PageSize: 10 }] },
    { name: 'ListClusters, one by id', action: 'ListClusters', bodies: nodes.map(({ clusterId }) => ({ Filter: { Ids: [clusterId] } })) },
    { name: 'ListEdgeNodes, ten of a cluster', action: 'ListEdgeNodes', bodies: nodes.map(({ clusterId }) => ({ Filter: { ClusterIds: [clusterId] }, PageSize: 10 })) },
    { name: 'ListEdgeNodes, one by id', action: 'ListEdgeNodes', bodies: nodes.map(({ nodeId }) => ({ Filter: { Ids: [nodeId] } })) },
  ]
  const rows: Record<string, string | number>[] = []
  for (const { name, action, bodies } of reads) {
    const files = bodies.map((body, index) => requestFile(`${name}-${index}`, endpoint, action, body))
    const seen = await loadOn(endpoint, files, server)
    const answer = await answerTo(endpoint, action, bodies[0] ?? {})
    const bare = await loadOnConstant(answer, files)
    const checked = await loadOnConstant(answer, files, String(credentialsOf(place).secretAccessKey))
    rows.push({
      call: name, bytes: seen.bytes, 'bare node:http': perSecond(bare), 'bare, signature checked': perSecond(checked), ours: perSecond(seen),
      'p50 ms': seen.p50, 'p99 ms': seen.p99, verdict: atLeast(Math.round(seen.perProcessorSecond), PER_SECOND),
    })
  }
  printTable(`calls: signed calls on one core, ${CLUSTERS} clusters, ${CLUSTERS * NODES_A_CLUSTER} nodes, ${CONNECTIONS} connections, ${MEASURE_MS / 1000} s each`, rows)
  printNote('Requests a second by the clock, and in brackets a second of processor time of the answering process: what one core gives that nothing else is busy on. The verdict is on that.')
  printNote('The server has processor 0 for itself; PostgreSQL and the load share processor 1. The bare servers answer the same bytes from memory to the same load on the same core.')
}

/** Records of a fleet in a region that runs nothing. */
async function fillFleet(): Promise<readonly { clusterId: string; nodeId: string }[]> {
  const { accessKeyId } = credentialsOf(place)
  return recordsOf(place, async ({ store }) => {
    const account = await store.findAccessKey(String(accessKeyId))
    if (!account) throw new Error('The account is not there')
    const scope = { accountId: account.accountId, region: REGION }
    const because = { evidence: [{ observer: 'bench', source: 'bench', observedAt: Date.now(), fact: 'A benchmark made it.' }] }
    const made: { clusterId: string; nodeId: string }[] = []
    const now = Date.now()
    const id = (kind: 'cluster' | 'node-pool' | 'node') => newId(kind, now, randomBytes(8))
    for (let cluster = 0; cluster < CLUSTERS; cluster++) {
      await store.write(now, async tx => {
        const { id: clusterId } = await tx.insertCluster({ id: id('cluster'), ...scope, spec: clusterSpec({ name: `bench-${cluster}`, podCidrs: [`10.${100 + cluster}.0.0/16`], serviceCidrs: [`10.${200 + cluster}.0.0/16`] }), facts: USABLE_CLUSTER }, because)
        const { id: nodePoolId } = await tx.insertNodePool({ id: id('node-pool'), ...scope, clusterId, spec: nodePoolSpec(), facts: READY_POOL }, because)
        for (let node = 0; node < NODES_A_CLUSTER; node++) {
          const { id: nodeId } = await tx.insertNode({ id: id('node'), ...scope, clusterId, nodePoolId, spec: nodeSpec(`bench-${cluster}-${node}`), facts: node % 5 === 4 ? NEW_NODE : READY_NODE }, because)
          made.push({ clusterId, nodeId })
        }
      })
    }
    return made
  })
}

function signerOf(endpoint: string): Signer {
  const { accessKeyId, secretAccessKey } = credentialsOf(place)
  return { endpoint, region: REGION, accessKeyId: String(accessKeyId), secretAccessKey: String(secretAccessKey) }
}

function requestFile(name: string, endpoint: string, action: string, body: object): string {
  const file = join(folder, `${name.replaceAll(/\W+/g, '-')}.http`)
  writeFileSync(file, signedRequest(signerOf(endpoint), action, body))
  return file
}

async function answerTo(endpoint: string, action: string, body: object): Promise<string> {
  const { path, headers, text } = signedCall(signerOf(endpoint), action, body)
  const answer = await fetch(`${endpoint}${path}`, { method: 'POST', headers: { ...headers, 'accept-encoding': 'identity' }, body: text })
  return answer.text()
}

interface Measured extends LoadSeen { readonly perProcessorSecond: number }

function perSecond(seen: Measured): string {
  return `${Math.round(seen.perSecond)} (${Math.round(seen.perProcessorSecond)})`
}

async function loadOn(endpoint: string, files: readonly string[], server: number): Promise<Measured> {
  const { hostname, port } = new URL(endpoint)
  const order: LoadOrder = { host: hostname, port: Number(port), files, connections: CONNECTIONS, warmUpMs: Math.min(3_000, MEASURE_MS), measureMs: MEASURE_MS }
  const before = processorSeconds(server)
  const ended = await runProgram('taskset', ['-c', String(OTHERS_CORE), process.execPath, join(import.meta.dirname, 'load-generator.ts'), JSON.stringify(order)], { deadlineMs: MEASURE_MS + 60_000 })
  if (ended.code !== 0) throw new Error(`The load ended with ${ended.code}: ${ended.stderr}`)
  const seen = JSON.parse(ended.stdout) as LoadSeen
  return { ...seen, perProcessorSecond: seen.total / (processorSeconds(server) - before) }
}

async function loadOnConstant(text: string, files: readonly string[], secret?: string): Promise<Measured> {
  const file = join(folder, 'answer.json')
  writeFileSync(file, text)
  const port = await freePort()
  const child = spawn('taskset', ['-c', String(SERVER_CORE), process.execPath, join(import.meta.dirname, 'constant-server.ts'), String(port), file, ...secret === undefined ? [] : [secret]], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout, 'data')
  try {
    return await loadOn(`http://127.0.0.1:${port}`, files, child.pid ?? 0)
  } finally {
    child.kill('SIGKILL')
  }
}

async function measureIdle(client: EdgeholdClient, server: number): Promise<void> {
  await quiet(server)
  const empty = await idle(server)
  // One cluster comes and goes first: what is made once by the first of them belongs to none.
  const first = await createCluster(client, { name: 'first' })
  await clusterRuns(client, first)
  await deleteCluster(client, first)
  const before = await idle(server)
  const ids = await Promise.all(Array.from({ length: HOSTED }, (_, index) => createCluster(client, { name: `hosted-${index}`, pods: `172.${20 + index}.0.0/16`, services: `172.30.${index * 16}.0/20` })))
  await clusterRuns(client, ...ids)
  await quiet(server)
  const hosting = await idle(server)
  const all = await processes()
  const supervisors = all.filter(one => one.command.includes('supervisor.sh') && ids.some(id => one.command.includes(id)))
  const kubernetes = supervisors.flatMap(one => familyOf(all, one.pid).slice(1)).filter(pid => /\/(etcd|kube-[a-z-]+) /.test(all.find(one => one.pid === pid)?.command ?? ''))
  const helpers = supervisors.flatMap(one => familyOf(all, one.pid)).filter(pid => !kubernetes.includes(pid))
  const sum = (pids: readonly number[]) => pids.reduce((total, pid) => total + memoryMiB(pid), 0)
  const growth = Math.max(0, hosting.memory - before.memory)
  const ours = (sum(helpers) + growth) / HOSTED
  printTable('calls: the idle server', [
    { what: 'no cluster yet', 'processor %': empty.share * 100, 'MiB (PSS)': empty.memory },
    { what: 'after the first cluster was made and deleted', 'processor %': before.share * 100, 'MiB (PSS)': before.memory },
    { what: `${HOSTED} real clusters hosted`, 'processor %': hosting.share * 100, 'MiB (PSS)': hosting.memory },
  ])
  printTable(`calls: memory a hosted cluster, MiB (PSS), mean of ${HOSTED}`, [
    { what: 'Kubernetes\' own processes (baseline)', MiB: sum(kubernetes) / HOSTED, verdict: '' },
    { what: 'supervisors and their helpers', MiB: sum(helpers) / HOSTED, verdict: '' },
    { what: 'growth of the server', MiB: growth / HOSTED, verdict: '' },
    { what: 'ours beyond Kubernetes\' own', MiB: ours, verdict: verdict(ours, MIB_A_CLUSTER, ' MiB') },
  ])
  printNote(`Processor shares over ${IDLE_MS / 1000} s; memory right after a full garbage collection; PostgreSQL apart (${(await databaseMiB()).toFixed(0)} MiB).`)
  for (const id of ids) await deleteCluster(client, id)
}

async function idle(server: number): Promise<{ share: number; memory: number }> {
  await sleep(3_000)
  const before = processorSeconds(server)
  const from = performance.now()
  await sleep(IDLE_MS)
  const share = (processorSeconds(server) - before) / ((performance.now() - from) / 1000)
  await collectGarbage(server, inspectorPort)
  return { share, memory: memoryMiB(server) }
}

/** Until what the server does at its start, or after a cluster was made, is done; a minute at most. */
async function quiet(server: number): Promise<void> {
  for (let calm = 0, tries = 0; calm < 3 && tries < 30; tries++) {
    const before = processorSeconds(server)
    await sleep(2_000)
    calm = processorSeconds(server) - before < 0.1 ? calm + 1 : 0
  }
}

async function databaseMiB(): Promise<number> {
  const all = await processes()
  const postmaster = all.find(one => one.command.includes(`${place.state}/postgres`) && /\bpostgres\b.*-D/.test(one.command))
  return postmaster ? familyOf(all, postmaster.pid).reduce((total, pid) => total + memoryMiB(pid), 0) : 0
}
