import { spawn } from 'node:child_process'

/** A program of the host ended with an error; the message holds what it said. */
export class HostCommandFailed extends Error {
  readonly kind = 'HostCommandFailed'
  readonly exitCode: number | null
  readonly says: string
  constructor(command: readonly string[], exitCode: number | null, says: string) {
    super(`${command.join(' ')} ended with ${exitCode ?? 'a signal'}: ${says.trim() || 'it said nothing'}`)
    this.exitCode = exitCode
    this.says = says
  }
}

/** Runs a short program of the host to its end and answers its standard output. It is killed after `deadlineMs`. */
export function runOnHost(command: readonly [string, ...string[]], options: { stdin?: string; deadlineMs?: number } = {}): Promise<string> {
  const [program, ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: options.deadlineMs ?? 30_000, killSignal: 'SIGKILL' })
    const output: Buffer[] = []
    const complaints: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
    child.stdin.on('error', () => {}) // the program ended without reading; its exit code tells
    child.stdin.end(options.stdin ?? '')
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output).toString())
      else reject(new HostCommandFailed(command, code, Buffer.concat(complaints).toString()))
    })
  })
}
