import { CommanderError } from 'commander'
import { isOn, NeitherOnNorOff } from '#model/switch.ts'
import { ConfigurationError } from './configuration.ts'
import { buildProgram } from './program.ts'

/** The entry of the commands of the server. */
let tellsAll = false
try {
  tellsAll = isOn('EDGEHOLD_DEBUG', process.env['EDGEHOLD_DEBUG'] ?? '')
  await buildProgram().parseAsync()
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
