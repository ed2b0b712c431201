import type { FastifyInstance } from 'fastify'

/** own-actions.md: a simulated cluster's kubeconfig names an address of ours that answers 503 with a sentence and never hangs. In the form in which kubectl prints it. */
export function answerForSimulated(api: FastifyInstance): void {
  api.all('/simulated/:region/clusters/*', async (_request, reply) => reply.code(503).header('retry-after', '3600').send({
    kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'ServiceUnavailable', code: 503,
    message: 'this cluster is simulated: it has statuses, nodes and workloads in the API of Edgehold, and no Kubernetes API of its own',
  }))
  api.all('/simulated/:region/join/*', async (_request, reply) => reply.code(503).type('text/plain; charset=utf-8').send(
    'This onboarding script is of a simulated region: run it on a machine of that region ("edgehold machine run-script"), not on a real one.\n',
  ))
}
