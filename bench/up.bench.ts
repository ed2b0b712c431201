/** `up --detach` where everything is cached → its API answers; beside a bare start of the same PostgreSQL and a Node server. */
import { spawn } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { findEmbeddedBinaries } from '#store/postgres/binaries.ts'
import { unprivilegedUser } from '#store/postgres/traversable.ts'
import { Installation, runProgram } from '#test/harness/command.ts'
import { median, printNote, printTable, verdict } from './table.ts'

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5)
const BAR_S = 3

const first: number[] = []
const again: number[] = []
const bareFirst: number[] = []
const bareAgain: number[] = []
for (let round = 0; round <= ROUNDS; round++) {
  const place = await Installation.make()
  try {
    const bare = await bareStarts(place.state)
    const ours = [await timed(() => place.ok(['up', '--detach'], { deadlineMs: 120_000 }))]
    await place.ok(['down', '--all'], { deadlineMs: 120_000 })
    ours.push(await timed(() => place.ok(['up', '--detach'], { deadlineMs: 120_000 })))
    if (round === 0) continue // fills caches of both
    first.push(ours[0] ?? Number.NaN)
    again.push(ours[1] ?? Number.NaN)
    bareFirst.push(bare.first)
    bareAgain.push(bare.again)
  } finally {
    await place.remove()
  }
}
const row = (what: string, bare: readonly number[], ours: readonly number[]) => ({ what, 'bare PostgreSQL + node': median(bare), 'up --detach': median(ours), each: ours.map(seconds => seconds.toFixed(2)).join(' '), verdict: verdict(median(ours), BAR_S, ' s') })
printTable(`up: ./edgehold up --detach → its API answers, everything cached, seconds (median of ${ROUNDS})`, [
  row('a new state folder', bareFirst, first),
  row('again, after down --all', bareAgain, again),
])
printNote('Bare: initdb (new folder only), the same PostgreSQL until it takes connections, and a Node process that prints a line. Ours includes the command itself, from ./edgehold to its end.')

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return (performance.now() - startedAt) / 1000
}

async function bareStarts(beside: string): Promise<{ first: number; again: number }> {
  const { folder } = await findEmbeddedBinaries(beside)
  const data = mkdtempSync(`${beside}-bare-`)
  const user = unprivilegedUser()
  if (user) chownSync(data, user.uid, user.gid)
  const as = { ...user, cwd: '/', stdio: 'ignore' } as const
  const run = async (program: string, args: readonly string[]): Promise<void> => {
    const [code] = await once(spawn(join(folder, program), args, as), 'exit') as [number]
    if (code !== 0) throw new Error(`${program} ended with ${code}`)
  }
  const start = async (): Promise<void> => {
    await run('pg_ctl', ['start', '--wait', '--pgdata', data, '--log', join(data, 'log'), '--options', `-c listen_addresses= -c unix_socket_directories=${data}`])
    await runProgram(process.execPath, ['-e', 'require("node:http").createServer().listen(0, () => { console.log("listening"); process.exit() })'])
  }
  try {
    const first = await timed(async () => {
      await run('initdb', ['--pgdata', data, '--auth=trust', '--username=bench', '--encoding=UTF8', '--locale=C', '--no-instructions'])
      await start()
    })
    await run('pg_ctl', ['stop', '--wait', '--pgdata', data])
    const again = await timed(start)
    await run('pg_ctl', ['stop', '--wait', '--pgdata', data])
    return { first, again }
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}
