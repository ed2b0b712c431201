import { pino, type Logger } from 'pino'
import type { Log } from '#ports/log.ts'

/** Log lines as JSON, to a file or standard error. */
export function pinoLog(destination: { path: string } | { fd: number }, level: string): Log {
  return wrap(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ ...('path' in destination ? { dest: destination.path, mkdir: true } : { fd: destination.fd }), sync: true })))
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
