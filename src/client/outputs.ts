import type { EventEmitter } from 'node:events'

/** What a shell says of a program that was ended because it wrote into a pipe which nobody reads. */
export const READER_LEFT = 141

export interface OutputEnds {
  /** Nobody reads it any more: the reader of a pipe has gone, as `| head` does, or the terminal was closed. */
  readonly left: () => void
  /** It cannot be written, as on a full disk. */
  readonly failed: (error: Error) => void
}

/** Each program of ours says here what becomes of it when nobody can read it any more. Where nothing is said, Node ends it with a stack trace. */
export function whenOutputEnds(outputs: readonly EventEmitter[], { left, failed }: OutputEnds): void {
  for (const output of outputs) output.on('error', (error: Error) => (hasLeft(error) ? left() : failed(error)))
}

const hasLeft = (error: Error): boolean => 'code' in error && (error.code === 'EPIPE' || error.code === 'EIO')
