import { READER_LEFT, whenOutputEnds } from '#client/outputs.ts'
import { EXIT } from './errors.ts'
import { run } from './run.ts'

/** The entry of the command line. It ends with its reader: what was asked for is the server's to do. */
whenOutputEnds([process.stdout, process.stderr], {
  left: () => process.exit(READER_LEFT),
  failed(error) {
    process.stderr.write(`edgehold: what it says could not be written: ${error.message}\n`)
    process.exit(EXIT.failed)
  },
})
process.exitCode = await run(process.argv.slice(2))
