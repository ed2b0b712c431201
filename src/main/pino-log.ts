import { renameSync, statSync } from 'node:fs'
import { inspect } from 'node:util'
import { pino, type Logger } from 'pino'
import type { Log } from '#ports/log.ts'

const MOST_UNWRITTEN = 1_048_576
/** Days of an ordinary server at level `info`. */
const LARGEST_BYTES = 64 * 1_048_576

/** Log lines as JSON, to standard error or to a file; of a file that has grown to `largestBytes` one more is kept, as `<path>.1`. */
export function pinoLog(destination: { path: string; largestBytes?: number } | { fd: number }, level: string): Log {
  const file = pino.destination({ ...('path' in destination ? { dest: destination.path, mkdir: true } : { fd: destination.fd }), sync: true, maxLength: MOST_UNWRITTEN })
  // A full disk must not end the server: what cannot be written waits here, and what is too much is dropped.
  file.on('error', () => undefined)
  if ('path' in destination) keepSmall(file, destination.path, destination.largestBytes ?? LARGEST_BYTES)
  return wrap(pino({ level, base: null, serializers: { error: errorText, err: errorText }, timestamp: pino.stdTimeFunctions.isoTime }, file))
}

function keepSmall(file: ReturnType<typeof pino.destination>, path: string, largestBytes: number): void {
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  file.on('write', (bytes: number) => {
    size += bytes
    if (size < largestBytes) return
    size = 0
    try {
      renameSync(path, `${path}.1`)
      file.reopen()
    } catch {
      // It goes on growing, and is tried again when it has grown as much once more: a log must not end the server.
    }
  })
}

/** An error with all its causes; as JSON alone it would be an empty object. */
function errorText(error: unknown): unknown {
  return error instanceof Error ? inspect(error, { depth: 4, breakLength: Infinity }) : error
}

function wrap(logger: Logger): Log {
  return {
    debug: (facts, text) => logger.debug(facts, text),
    info: (facts, text) => logger.info(facts, text),
    warn: (facts, text) => logger.warn(facts, text),
    error: (facts, text) => logger.error(facts, text),
    child: facts => wrap(logger.child(facts)),
  }
}
