import { run } from './run.ts'

/** The entry of the command line. */
process.exitCode = await run(process.argv.slice(2))
