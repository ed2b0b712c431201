import { CommanderError } from 'commander'
import { whenOutputEnds } from '#client/outputs.ts'
import { isOn, NeitherOnNorOff } from '#model/switch.ts'
import { ConfigurationError } from './configuration.ts'
import { buildProgram } from './program.ts'

/**
 * The entry of the commands of the server. They do things on this host, so none is ended halfway because nobody can read it any more: each comes to its end unheard, sooner where it can.
 */
const reader = new AbortController()
let unwritten: Error | undefined
whenOutputEnds([process.stdout, process.stderr], {
  left: () => { reader.abort(new Error('Nobody reads what is told')) },
  failed(error) { unwritten ??= error },
})
process.once('exit', () => {
  if (!unwritten) return
  process.stderr.write(`edgehold: what it says could not be written: ${unwritten.message}\n`)
  process.exitCode ||= 1
})
let tellsAll = false
try {
  tellsAll = isOn('EDGEHOLD_DEBUG', process.env['EDGEHOLD_DEBUG'] ?? '')
  await buildProgram(reader.signal).parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else if (error instanceof ConfigurationError || error instanceof NeitherOnNorOff) {
    process.stderr.write(`edgehold: ${error.message}\n`)
    process.exitCode = 2
  } else {
    process.stderr.write(`edgehold: ${error instanceof Error ? error.message : String(error)}\n`)
    if (tellsAll && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n${error.cause instanceof Error ? (error.cause.stack ?? '') : ''}\n`)
    process.exitCode = 1
  }
}
