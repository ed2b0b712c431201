/** What a worker tells about itself; main turns it into metrics. Durations are milliseconds of real time. */
export interface WorkerMeter {
  passEnded(kind: string, outcome: 'done' | 'stale' | 'failed' | 'abandoned', durationMs: number): void
  claimed(count: number): void
  running(count: number): void
}

export const NO_METER: WorkerMeter = { passEnded() {}, claimed() {}, running() {} }
