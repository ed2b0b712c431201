import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** The server's figures for Prometheus; a registry of its own, so that two servers in one process do not meet. Others may register theirs in it. */
export class ApiMetrics {
  readonly registry = new Registry()
  readonly #calls = new Counter({ name: 'edgehold_api_calls_total', help: 'Calls by action and answer code.', labelNames: ['action', 'code'] as const, registers: [this.registry] })
  readonly #seconds = new Histogram({
    name: 'edgehold_api_call_seconds', help: 'Time from a call\'s arrival to its answer.', labelNames: ['action'] as const, registers: [this.registry],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  })

  /** With the figures of the process, its processor time and memory for two. Only for a server that has the process to itself: what observes them goes on to the end of the process. */
  static ofProcess(): ApiMetrics {
    const metrics = new ApiMetrics()
    collectDefaultMetrics({ register: metrics.registry })
    return metrics
  }

  /** `action` is the name of an action we have, or `unknown`: a label may not grow with what strangers send. */
  count(action: string, code: string, seconds: number): void {
    this.#calls.inc({ action, code })
    this.#seconds.observe({ action }, seconds)
  }
}
