/** Runs `./edgehold` as a person would, against a state folder of the test's own. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { downWhenEnded, type Farewell } from './when-ended.ts'

export const repository = join(import.meta.dirname, '../..')

export interface Ended { readonly code: number; readonly stdout: string; readonly stderr: string }

export class Installation {
  readonly state: string
  readonly environment: NodeJS.ProcessEnv
  readonly listen: string
  readonly #farewell: Farewell

  private constructor(state: string, listen: string, extra: NodeJS.ProcessEnv) {
    this.state = state
    this.listen = listen
    const { VOLCENGINE_ACCESS_KEY: _key, VOLCENGINE_SECRET_KEY: _secret, VOLCENGINE_ENDPOINT: _endpoint, VOLCENGINE_REGION: _region, ...inherited } = process.env
    this.environment = { ...inherited, EDGEHOLD_STATE: state, EDGEHOLD_LISTEN: listen, ...extra }
    this.#farewell = downWhenEnded(this.environment, [state])
  }

  /** `below`: where its state folder is made. Not below a folder that only root may enter: PostgreSQL runs as another user. */
  static async make(extra: NodeJS.ProcessEnv = {}, below = tmpdir()): Promise<Installation> {
    const state = mkdtempSync(join(below, `edgehold-e2e-${randomBytes(3).toString('hex')}-`))
    return new Installation(state, `127.0.0.1:${await freePort()}`, extra)
  }

  /** Runs to the end; kills the command at the deadline and says what it had printed. */
  run(args: readonly string[], options: { stdin?: string; deadlineMs?: number } = {}): Promise<Ended> {
    return runProgram(join(repository, 'edgehold'), args, { ...options, environment: this.environment })
  }

  /** Like `run`, and fails with all that was printed unless the command ended with 0. */
  async ok(args: readonly string[], options: { stdin?: string; deadlineMs?: number } = {}): Promise<string> {
    const ended = await this.run(args, options)
    if (ended.code !== 0) throw new Error(`edgehold ${args.join(' ')} ended with ${ended.code}:\n${ended.stdout}\n${ended.stderr}`)
    return ended.stdout
  }

  async json<T>(args: readonly string[], options: { deadlineMs?: number } = {}): Promise<T> {
    return JSON.parse(await this.ok([...args, '--output', 'json'], options)) as T
  }

  /** Everything down and the state folder gone. */
  async remove(): Promise<void> {
    await takeDown(() => this.run(['down', '--all'], { deadlineMs: 120_000 }))
    this.#farewell.dismiss()
    rmSync(this.state, { recursive: true, force: true })
  }
}

/** Tries it twice; fails with what was printed, and then what is left can still be taken down by its state folder. */
export async function takeDown(downAll: () => Promise<Ended>): Promise<void> {
  for (const round of [1, 2]) {
    const { code, stdout, stderr } = await downAll()
    if (code === 0) return
    if (round === 2) throw new Error(`edgehold down --all ended with ${code}, so that something may be left on this host:\n${stdout}\n${stderr}`)
  }
}

export function runProgram(program: string, args: readonly string[], options: { stdin?: string; deadlineMs?: number; environment?: NodeJS.ProcessEnv; cwd?: string } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: options.environment ?? process.env, cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
    child.stdin.on('error', () => undefined) // the program may end before it read all
    child.stdin.end(options.stdin ?? '')
    const limit = setTimeout(() => {
      stderr += `\n(ended by the test after ${options.deadlineMs ?? 60_000} ms)`
      child.kill('SIGKILL')
      // What it started itself may hold its pipes for ever.
      child.stdout.destroy()
      child.stderr.destroy()
    }, options.deadlineMs ?? 60_000)
    child.on('error', reject)
    child.on('close', code => {
      clearTimeout(limit)
      resolve({ code: code ?? -1, stdout, stderr })
    })
  })
}

/** Asks again until the answer is there; fails with the last refusal at the deadline. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, deadlineMs: number, everyMs = 250): Promise<T> {
  const end = performance.now() + deadlineMs
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
      last = answer
    } catch (error) {
      last = error
    }
    if (performance.now() > end) throw new Error(`Waited ${deadlineMs} ms in vain for: ${what}`, { cause: last })
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}
