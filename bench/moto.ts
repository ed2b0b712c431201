/** A baseline: moto's EKS server, which keeps clusters in memory and knows no states in between: create, describe and list of one cluster, one call at a time. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, runProgram, until } from '#test/harness/command.ts'
import type { Signer } from './signed-requests.ts'
import { creation } from './creations.ts'
import { Caller } from './simulated-client.ts'
import { median, printNote, printTable } from './table.ts'

const TIMES = 50
const INSTALL_MS = 300_000
const folder = process.env['BENCH_MOTO'] ?? join(tmpdir(), 'edgehold-moto')
const AUTHORIZATION = 'AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/eks/aws4_request, SignedHeaders=host, Signature=none'

export async function compareWithMoto(signer: Signer): Promise<void> {
  const program = join(folder, 'bin/moto_server')
  if (!existsSync(program)) {
    const made = await runProgram('python3', ['-m', 'venv', folder], { deadlineMs: INSTALL_MS }).catch(() => undefined) // no Python is the same as none that works
    const installed = made?.code === 0 ? await runProgram(join(folder, 'bin/pip'), ['install', '--quiet', 'moto[server]'], { deadlineMs: INSTALL_MS }).catch(() => undefined) : undefined
    if (installed?.code !== 0) return printNote('moto: skipped, as Python\'s pip could not install it here.')
  }
  const port = await freePort()
  const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  try {
    const ask = async (method: string, path: string, body?: object) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { authorization: AUTHORIZATION, 'content-type': 'application/json' }, ...(body && { body: JSON.stringify(body) }) })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`moto answered ${answer.status}: ${text}`)
    }
    await until('moto to answer', async () => { await ask('GET', '/clusters'); return true }, 60_000)
    const caller = new Caller(signer, 1)
    const ids: string[] = []
    const ours = {
      create: await timed(async number => { ids.push((await caller.call('CreateCluster', creation(200_000 + number))).Id ?? '') }),
      describe: await timed(async number => { await caller.call('ListClusters', { Filter: { Ids: [ids[number]] } }) }),
      list: await timed(async () => { await caller.call('ListClusters', { PageSize: 100 }) }),
    }
    const theirs = {
      create: await timed(number => ask('POST', '/clusters', { name: `made-${number}`, roleArn: 'arn:aws:iam::123456789012:role/bench', resourcesVpcConfig: { subnetIds: ['subnet-1'] } })),
      describe: await timed(number => ask('GET', `/clusters/made-${number}`)),
      list: await timed(() => ask('GET', '/clusters')),
    }
    printTable(`sim: beside moto's EKS server, median of ${TIMES} calls, ms`, (['create', 'describe', 'list'] as const).map(call => ({ call, edgehold: ours[call], moto: theirs[call] })))
    printNote('Edgehold answers from a database after a commit, at the size of the fleet that is there; moto from its memory, which holds these clusters alone.')
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit').catch(() => undefined) // it is gone either way
  }
}

async function timed(act: (number: number) => Promise<void>): Promise<number> {
  const times: number[] = []
  for (let number = 0; number < TIMES; number++) {
    const startedAt = performance.now()
    await act(number)
    times.push(performance.now() - startedAt)
  }
  return median(times)
}
