/** What a simulated region's addresses answer to programs that take them for real ones: at once, and with a sentence that a person sees. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { onboardingLine } from '#providers/simulated/machines/onboarding-line.ts'
import { runProgram } from '#test/harness/command.ts'
import { answerForSimulated } from './addresses.ts'

describe('the addresses of a simulated region', () => {
  let api: FastifyInstance, url: string
  before(async () => {
    api = Fastify()
    answerForSimulated(api)
    url = `${await api.listen({ host: '127.0.0.1', port: 0 })}/simulated/sim-1`
  })
  after(() => api.close())

  test('a cluster\'s answers 503 with its sentence in body and warning, and asks no client to wait', async () => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await fetch(`${url}/clusters/c1/api/v1/nodes`, { method })
      const { kind, code, message } = await answer.json() as { kind: string; code: number; message: string }
      assert.deepEqual([answer.status, answer.headers.get('retry-after'), kind, code], [503, null, 'Status', 503])
      assert.match(message, /^this cluster is simulated/)
      assert.equal(answer.headers.get('warning'), `299 edgehold "${message}"`)
    }
  })

  test('its onboarding line, run on a real machine, fails at once and says where it is to be run', async () => {
    const { code, stderr } = await runProgram('sh', ['-c', onboardingLine(url, 'a-token')], { deadlineMs: 10_000 })
    assert.deepEqual([code, stderr], [1, 'This onboarding script is of a simulated region: run it on a machine of that region (edgehold machine run-script), not on a real one.\n'])
  })
})
