import { ApiError, NoAnswer } from './errors.ts'

/** It passes when a server is there again. */
export function isPassing(error: unknown): boolean {
  if (error instanceof NoAnswer) return true
  return error instanceof ApiError && error.status === 503
}
