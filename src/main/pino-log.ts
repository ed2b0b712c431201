import { inspect } from 'node:util'
import { pino, type Logger } from 'pino'
import type { Log } from '#ports/log.ts'

const MOST_UNWRITTEN = 1_048_576

/** Log lines as JSON, to a file or standard error. */
export function pinoLog(destination: { path: string } | { fd: number }, level: string): Log {
  const file = pino.destination({ ...('path' in destination ? { dest: destination.path, mkdir: true } : { fd: destination.fd }), sync: true, maxLength: MOST_UNWRITTEN })
  // A full disk must not end the server: what cannot be written waits here, and what is too much is dropped.
  file.on('error', () => undefined)
  return wrap(pino({ level, base: null, serializers: { error: errorText, err: errorText }, timestamp: pino.stdTimeFunctions.isoTime }, file))
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
