import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiMetrics } from './metrics.ts'

test('figures of the process are shown by a server that has it to itself', async () => {
  const names = async (metrics: ApiMetrics) => (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name)
  const own = await names(new ApiMetrics())
  assert.deepEqual(own, ['edgehold_api_calls_total', 'edgehold_api_call_seconds'])
  const whole = await names(ApiMetrics.ofProcess())
  for (const name of [...own, 'process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds']) assert.ok(whole.includes(name), name)
})
