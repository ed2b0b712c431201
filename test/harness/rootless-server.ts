/** A real server of somebody without root, in a state folder of its own: sim-1 is its only region, as on a CI machine. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EdgeholdClient } from '#client/client.ts'
import { findServer, startTicks } from '#main/server-mark.ts'
import { freePort, repository, runProgram, takeDown, until, type Ended } from './command.ts'
import { downWhenEnded, type Farewell } from './when-ended.ts'

/** Whoever runs the tests as root takes this user instead: Debian's nobody. */
const NOBODY = 65_534
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
const DEADLINE_MS = 120_000
const LOG_LINES = 20

export interface Keys { readonly AccessKeyId: string; readonly SecretAccessKey: string }

export class RootlessServer {
  /** `127.0.0.1:PORT` */
  readonly listen: string
  readonly #folder: string
  readonly #environment: NodeJS.ProcessEnv
  readonly #farewell: Farewell

  private constructor(folder: string, listen: string, settings: NodeJS.ProcessEnv) {
    this.#folder = folder
    this.listen = listen
    const { VOLCENGINE_ACCESS_KEY: _key, VOLCENGINE_SECRET_KEY: _secret, VOLCENGINE_ENDPOINT: _endpoint, VOLCENGINE_REGION: _region, NODE_COMPILE_CACHE: _compiled, ...inherited } = process.env
    this.#environment = { ...inherited, HOME: folder, EDGEHOLD_STATE: join(folder, 'state'), EDGEHOLD_LISTEN: listen, EDGEHOLD_CACHE: join(folder, 'cache'), ...settings }
    this.#farewell = downWhenEnded(this.#environment, [folder], process.getuid?.() === 0 ? `setpriv ${AS_NOBODY.join(' ')}` : '')
  }

  static async start(settings: NodeJS.ProcessEnv = {}): Promise<RootlessServer> {
    const folder = mkdtempSync(join(tmpdir(), 'edgehold-rootless-'))
    if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY)
    const server = new RootlessServer(folder, `127.0.0.1:${await freePort()}`, settings)
    await server.up()
    return server
  }

  run(args: readonly string[], deadlineMs = DEADLINE_MS): Promise<Ended> {
    return this.#runProgram(join(repository, 'edgehold'), args, deadlineMs)
  }

  /** A line of bash, in which $0 is the command `edgehold`. */
  runShell(line: string, deadlineMs = DEADLINE_MS): Promise<Ended> {
    return this.#runProgram('bash', ['-c', line, join(repository, 'edgehold')], deadlineMs)
  }

  #runProgram(program: string, args: readonly string[], deadlineMs: number): Promise<Ended> {
    const options = { environment: this.#environment, deadlineMs }
    return process.getuid?.() === 0
      ? runProgram('setpriv', [...AS_NOBODY, program, ...args], options)
      : runProgram(program, args, options)
  }

  /** What it printed; fails unless it ended with 0. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args)
    assert.equal(code, 0, `edgehold ${args.join(' ')}\n${stdout}\n${stderr}`)
    return stdout
  }

  async up(): Promise<void> {
    await this.ok('up', '--detach')
  }

  /** Another program, as the same user and on the same state folder, e.g. a server of its own kind. What it says on its error stream is shown. */
  spawn(program: string, args: readonly string[]): ChildProcess {
    // What `up` compiled is compiled.
    const options = { env: { ...this.#environment, NODE_COMPILE_CACHE: join(this.#folder, '.cache/edgehold/compiled') }, stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] }
    return process.getuid?.() === 0
      ? spawn('setpriv', [...AS_NOBODY, program, ...args], options)
      : spawn(program, args, options)
  }

  async down(): Promise<void> {
    await this.ok('down')
  }

  /** As a host that loses its power would end it. */
  async kill(): Promise<void> {
    const { pid } = findServer(this.state) ?? assert.fail('no server serves this state folder')
    process.kill(pid, 'SIGKILL')
    await until('the killed server to be gone', async () => startTicks(pid) === undefined, 10_000, 20)
  }

  get state(): string {
    return join(this.#folder, 'state')
  }

  get keys(): Keys {
    return JSON.parse(readFileSync(join(this.state, 'credentials.json'), 'utf8')) as Keys
  }

  client(region = 'sim-1'): EdgeholdClient {
    return new EdgeholdClient({ endpoint: `http://${this.listen}`, accessKeyId: this.keys.AccessKeyId, secretAccessKey: this.keys.SecretAccessKey, region })
  }

  /** Everything down and its folder gone. */
  async remove(): Promise<void> {
    if (!findServer(this.state)) process.stderr.write(`The server ended by itself; its log ends so:\n${this.#endOfLog()}\n`)
    await takeDown(() => this.run(['down', '--all']))
    this.#farewell.dismiss()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #endOfLog(): string {
    const file = join(this.state, 'log/server.log')
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LOG_LINES).join('\n') : 'there is no log'
  }
}
