/** Time is a port: nothing outside `main` and the clock's own implementations reads a clock or sets a timer. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Ends after `ms`, or at once with the signal's reason thrown when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
