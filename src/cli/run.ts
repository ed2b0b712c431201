import { CommanderError } from 'commander'
import { EXIT } from './errors.ts'
import { hintFor } from './hints.ts'
import { buildProgram } from './program.ts'

/** Runs one command line and answers its exit code; errors become sentences on standard error that say what to do next. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    await buildProgram().parseAsync([...argv], { from: 'user' })
    return Number(process.exitCode ?? EXIT.done)
  } catch (error) {
    return tellError(error, argv[0])
  }
}

function tellError(error: unknown, verb: string | undefined): number {
  // commander has printed its own sentence; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  if (!(error instanceof Error)) throw error
  const kind = 'kind' in error ? error.kind : undefined
  const code = kind === 'ApiError' && 'code' in error ? ` (${String(error.code)})` : ''
  const hint = hintFor(error, verb)
  if (kind === undefined) process.stderr.write(`edgehold: something went wrong in this command: ${error.stack ?? error.message}\n`)
  else process.stderr.write(`edgehold: ${error.message}${code}\n${hint === undefined ? '' : `${hint}\n`}`)
  if (kind === 'UsageError') return EXIT.usage
  return kind === 'WaitedInVain' ? EXIT.waitedInVain : EXIT.failed
}
