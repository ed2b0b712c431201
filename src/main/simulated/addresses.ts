import type { FastifyInstance } from 'fastify'

const NO_KUBERNETES = 'this cluster is simulated: it has statuses, nodes and workloads in the API of Edgehold, and no Kubernetes API of its own'

/**
 * own-actions.md: a simulated cluster's kubeconfig names an address of ours that answers 503 with a sentence and never hangs. So there is no Retry-After, which kubectl obeys without
 * a word. The sentence is a warning, too: kubectl has words of its own for a 503 and prints those of the body rarely.
 */
export function answerForSimulated(api: FastifyInstance): void {
  api.all('/simulated/:region/clusters/*', async (_request, reply) => reply.code(503).header('warning', `299 edgehold "${NO_KUBERNETES}"`).send({
    kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'ServiceUnavailable', code: 503, message: NO_KUBERNETES,
  }))
  // What a machine asks for by the onboarding line, whose curl repeats a 503 and shows no body of a refusal: a script that says it at once.
  api.get('/simulated/:region/join/script/*', async (_request, reply) => reply.type('text/x-shellscript; charset=utf-8').send(
    'echo "This onboarding script is of a simulated region: run it on a machine of that region (edgehold machine run-script), not on a real one." >&2\nexit 1\n',
  ))
}
