import { spawn } from 'node:child_process'

/** A program of the host ended with an error, could not be started or took too long; the message holds what it said last. */
export class ToolFailed extends Error {
  readonly kind = 'ToolFailed'
  readonly exitCode: number | undefined
  readonly says: string
  constructor(message: string, facts: { exitCode?: number | undefined; says?: string; cause?: unknown }) {
    super(message, { cause: facts.cause })
    this.exitCode = facts.exitCode
    this.says = facts.says ?? ''
  }
}

/** Runs a program of the host to its end and answers its standard output. Throws ToolFailed. */
export async function runTool(program: string, words: readonly string[], options: { stdin?: string; deadlineMs?: number; onLine?: (line: string) => void; env?: Record<string, string> } = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn(program, words, {
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(options.deadlineMs ?? 20_000),
    killSignal: 'SIGKILL',
    env: { ...process.env, ...options.env },
  })
  let output = ''
  let says = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    for (const line of chunk.split('\n')) if (line.trim()) options.onLine?.(line.trim())
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { says = (says + chunk).slice(-4096) })
  child.on('error', cause => reject(new ToolFailed(`${program} could not be run: ${cause.message}`, { cause })))
  child.on('close', exitCode => {
    if (exitCode === 0) resolve(output)
    else reject(new ToolFailed(`${[program, ...words].join(' ')} ended with ${exitCode}: ${says.trim()}`, { exitCode: exitCode ?? undefined, says }))
  })
  // A program that ends without reading its input is judged by its exit status, not by the broken pipe.
  child.stdin.on('error', () => {})
  child.stdin.end(options.stdin ?? '')
  return promise
}
