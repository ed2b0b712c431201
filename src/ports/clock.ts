/**
 * Time is a port: API, join endpoint, kernel and controllers read no clock and set no timer of their own, but for the patience with which a connection is kept; the linter sees to it. What waits for programs of this
 * host, or for a database, waits in its own real time.
 */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Ends after `ms`, or at once with the signal's reason thrown when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
