import { READER_LEFT, whenOutputEnds } from '#client/outputs.ts'

/** Preloaded into the programs that a command starts and waits for: what they made they take away themselves, so they come to their end when nobody reads them any more, too, and then say so. */
whenOutputEnds([process.stdout, process.stderr], {
  left() { process.exitCode = READER_LEFT },
  failed(error) { throw error },
})
