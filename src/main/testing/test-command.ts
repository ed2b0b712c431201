import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { READER_LEFT } from '#client/outputs.ts'
import { longestFirst, TIERS, type Need, type Tier } from './tiers.ts'

interface Counts { passed: number; failed: number; skipped: number; failures: string[]; leftOut: string[] }

export interface TestCommandPorts {
  readonly repository: string
  /** Aborted when nobody reads any more what is told: no further tier begins then, and those that have begun tidy up after themselves. */
  readonly left?: AbortSignal
  /** Brings what a need names, with progress on standard output; answers a sentence where it cannot be had. */
  bring(need: Need): Promise<string | undefined>
}

/**
 * `./edgehold test [TIER…]`: runs the tiers named, or all that this machine can run, says what was left out and why, and ends with the line
 * `N passed, N failed`. Answers the exit code.
 */
export async function testCommand(names: readonly string[], ports: TestCommandPorts): Promise<number> {
  const unknown = names.filter(name => !TIERS.some(tier => tier.name === name))
  if (unknown.length > 0) {
    process.stderr.write(`edgehold test: there is no tier ${unknown.join(', ')}; the tiers are ${TIERS.map(tier => tier.name).join(', ')}\n`)
    return 2
  }
  const total: Counts = { passed: 0, failed: 0, skipped: 0, failures: [], leftOut: [] }
  const leftOut: string[] = []
  const times: string[] = []
  const take = (tier: Tier, counts: Counts, startedAt: number) => {
    times.push(`${tier.name} ${Math.round((performance.now() - startedAt) / 1000)} s`)
    total.passed += counts.passed
    total.failed += counts.failed
    total.skipped += counts.skipped
    total.failures.push(...counts.failures)
    leftOut.push(...counts.leftOut.map(line => `${tier.name}: ${line}`))
  }
  const beside: Promise<void>[] = []
  const wanted = TIERS.filter(tier => names.length === 0 || names.includes(tier.name))
  for (const [index, tier] of wanted.entries()) {
    // It ran with the one before it.
    if (tier.alone && wanted[index - 1]?.alone) continue
    if (ports.left?.aborted) break
    const runs: Run[] = []
    for (const one of tier.alone ? wanted.slice(index, index + aloneFrom(wanted, index)) : [tier]) {
      const files = await prepared(one)
      if (files) runs.push({ tier: one, files })
    }
    const [first] = runs
    if (!first) continue
    if (first.tier.alone) await Promise.all(beside)
    const { tier: run, files } = asOne(first, runs)
    const startedAt = performance.now()
    const title = `\n== ${run.name}: ${run.what}\n`
    if (run.beside) {
      process.stdout.write(`\n-- ${run.name} begins, beside those that follow\n`)
      const held: Buffer[] = []
      beside.push(runFiles(run, files, ports.repository, held).then(counts => {
        process.stdout.write(Buffer.concat([Buffer.from(title), ...held]))
        take(run, counts, startedAt)
      }))
      continue
    }
    process.stdout.write(title)
    take(run, run.command ? await runCommand(run, ports.repository) : await runFiles(run, files, ports.repository), startedAt)
  }
  await Promise.all(beside)
  if (ports.left?.aborted) return READER_LEFT
  if (total.failures.length > 0) process.stdout.write(`\nFailed:\n${total.failures.map(failure => `  ${failure}\n`).join('')}`)
  process.stdout.write(leftOut.length > 0 ? `\nLeft out:\n${leftOut.map(line => `  ${line}\n`).join('')}` : '\nNothing was left out.\n')
  process.stdout.write(`Times: ${times.join(', ')}\n`)
  if (total.passed + total.failed === 0) process.stdout.write('No test ran.\n')
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}\n`)
  return total.failed === 0 && total.passed > 0 ? 0 : 1

  /** Its files; undefined where it does not run, which is noted. */
  async function prepared(tier: Tier): Promise<readonly string[] | undefined> {
    if (tier.onRequest && names.length === 0) {
      leftOut.push(`${tier.name}: it runs when it is named: ./edgehold test ${tier.name}`)
      return undefined
    }
    const files = tier.files.flatMap(pattern => globSync(pattern, { cwd: ports.repository })).toSorted()
    if (tier.command === undefined && files.length === 0) {
      leftOut.push(`${tier.name}: it has no test files`)
      return undefined
    }
    let missing: string | undefined
    try {
      missing = await firstMissing(tier, ports)
    } catch (error) {
      total.failed++
      total.failures.push(`${tier.name}: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
    if (missing !== undefined) {
      leftOut.push(`${tier.name}: ${missing}`)
      return undefined
    }
    for (const wish of tier.wishes ?? []) {
      const absent = await ports.bring(wish)
      if (absent !== undefined) leftOut.push(`${tier.name}: what needs it: ${absent}`)
    }
    return files
  }
}

interface Run { readonly tier: Tier; readonly files: readonly string[] }

/** How many tiers from there on need the host for themselves. */
function aloneFrom(tiers: readonly Tier[], index: number): number {
  const others = tiers.slice(index).findIndex(tier => !tier.alone)
  return others === -1 ? tiers.length - index : others
}

/** The files of all of them, those that take long first. */
function asOne({ tier }: Run, runs: readonly Run[]): Run {
  const files = longestFirst(runs.flatMap(run => run.files))
  if (runs.length === 1) return { tier, files }
  return { files, tier: { ...tier, name: runs.map(run => run.tier.name).join('+'), what: runs.map(run => run.tier.what).join('; '), limitMinutes: runs.reduce((sum, run) => sum + run.tier.limitMinutes, 0) } }
}

async function firstMissing(tier: Tier, ports: TestCommandPorts): Promise<string | undefined> {
  for (const need of tier.needs) {
    const missing = await ports.bring(need)
    if (missing !== undefined) return missing
  }
  return undefined
}

async function runCommand(tier: Tier, repository: string): Promise<Counts> {
  const [program = '', ...args] = tier.command ?? []
  const ended = await runProcess(join(repository, 'node_modules/.bin', program), args, repository, tier.limitMinutes)
  return { passed: ended === 0 ? 1 : 0, failed: ended === 0 ? 0 : 1, skipped: 0, leftOut: [], failures: ended === 0 ? [] : [`${tier.name}: ${String(ended)}`] }
}

/** Linux shares the processor out among sessions before it looks at how nice their processes are, so the session is made nice, too. */
const AT_LEISURE = ['sh', '-c', '{ echo 19 >/proc/self/autogroup; } 2>/dev/null; exec nice -n 19 "$@"', 'sh']

/** `held`: takes what it prints; without it that is printed as it comes. */
async function runFiles(tier: Tier, files: readonly string[], repository: string, held?: Buffer[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-test-'))
  const countsFile = join(folder, 'counts.json')
  try {
    const words = [process.execPath, join(repository, 'src/main/testing/run-files.ts'), countsFile, tier.isolation, String(tier.atOnce ?? 1), String(tier.testMinutes ?? 5), ...files]
    const [program = '', ...args] = tier.beside === 'idle' ? [...AT_LEISURE, ...words] : words
    const ended = await runProcess(program, args, repository, tier.limitMinutes, held)
    if (!existsSync(countsFile)) return { passed: 0, failed: 1, skipped: 0, leftOut: [], failures: [`${tier.name}: ended without a result (${String(ended)})`] }
    const counts = JSON.parse(readFileSync(countsFile, 'utf8')) as Counts
    if (counts.failed === 0 && ended !== 0) return { ...counts, failed: 1, failures: [`${tier.name}: the runner ended with ${String(ended)}`] }
    return counts
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Answers the exit code, or a sentence if it was ended. The process leads a group of its own, so that what a stuck test started ends with it. */
function runProcess(program: string, args: readonly string[], cwd: string, limitMinutes: number, held?: Buffer[]): Promise<number | string> {
  return new Promise((resolve, reject) => {
    const printing = held ? 'pipe' : 'inherit'
    const child = spawn(program, args, { cwd, stdio: ['ignore', printing, printing], detached: true })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => held?.push(bytes))
    let late = false
    const limit = setTimeout(() => {
      late = true
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, limitMinutes * 60_000)
    child.on('error', reject)
    child.on(held ? 'close' : 'exit', (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(limit)
      resolve(late ? `it was ended after ${limitMinutes} minutes` : (code ?? `signal ${String(signal)}`))
    })
  })
}
