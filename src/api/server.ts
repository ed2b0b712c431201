import { createServer, type IncomingMessage } from 'node:http'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Refusal, refuse } from '#model/errors/catalogue.ts'
import type { Action } from './action.ts'
import { ACTIONS } from './actions/all.ts'
import { answerCalls } from './answer-calls.ts'
import { readBody } from './body.ts'
import type { CallParts } from './call.ts'
import { errorText, newRequestId, wireError } from './envelope.ts'
import { ApiMetrics } from './metrics.ts'
import { describeActions } from './openapi.ts'
import { refusalOf } from './refusal-of.ts'
import { targetOf, type Target } from './target.ts'

/** One part of the server for /readyz; `required` ones decide whether the server counts as ready. */
export interface ReadyPart { readonly name: string; readonly ready: boolean; readonly required: boolean; readonly text: string }

export interface ApiParts extends CallParts {
  /** Parts beside the regions: the database and its migrations, for one. Never throws. */
  readyParts(): Promise<readonly ReadyPart[]>
  readonly metrics?: ApiMetrics
  readonly actions?: readonly Action[]
}

/**
 * The API as a fastify instance that does not listen yet: `POST /` and `GET /` with `Action` and `Version` in the query, and /healthz, /readyz,
 * /metrics, /openapi.json. Further routes may be added by the caller. `close()` lets running calls end.
 */
export function createApi(parts: ApiParts): FastifyInstance {
  const metrics = parts.metrics ?? new ApiMetrics()
  const actions = parts.actions ?? ACTIONS
  const calls = answerCalls(parts, metrics, actions)
  const app = fastify({
    logger: false,
    serverFactory: handler => createServer({ keepAliveTimeout: 75_000, headersTimeout: 60_000 }, (request, response) => {
      if (isCall(request)) calls.answer(request, response)
      else handler(request, response)
    }),
    clientErrorHandler: (_error, socket) => {
      if (socket.writable) socket.end(rawRefusal(parts))
    },
    // Its 503 would lack the envelope; calls that still come over a connection that is kept alive are served.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
  })
  app.addHook('preClose', async () => { calls.close() })

  app.removeAllContentTypeParsers()
  // The body of a call is left to who answers it.
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: FastifyRequest['raw']) => isCall(request.raw) ? undefined : readBody(payload, parts.settings.mostBodyBytes))

  // Requests that come by a socket do not get here; those of `inject` do.
  app.route({ method: ['GET', 'POST'], url: '/', exposeHeadRoute: false, handler: (request, reply) => { calls.answer(request.raw, reply.hijack().raw) } })
  app.setNotFoundHandler((request, reply) => {
    const error = request.method === 'GET' || request.method === 'POST'
      ? nothingThere(targetOf(request.raw.url ?? '/'), parts.settings.service)
      : safely(() => refuse('MethodNotAllowed', { method: request.method }))
    calls.refuse(request.raw, reply.hijack().raw, error)
  })
  app.setErrorHandler((error: unknown, request: FastifyRequest, reply: FastifyReply) => { calls.refuse(request.raw, reply.hijack().raw, error) })

  app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', async (_request, reply) => {
    const ready = [...await parts.readyParts(), ...[...parts.regions].map(([name, region]) => ({ name: `region ${name}`, required: false, ...region.ready() }))]
    const whole = ready.every(part => part.ready || !part.required)
    if (!whole) void reply.header('retry-after', '1')
    return reply.code(whole ? 200 : 503).send({ ready: whole, parts: ready })
  })
  app.get('/metrics', async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()))
  app.get('/openapi.json', async () => describeActions(actions, parts.settings.service))
  return app
}

function isCall({ method, url = '/' }: IncomingMessage): boolean {
  return (method === 'POST' || method === 'GET') && (url === '/' || url.startsWith('/?'))
}

/** Whatever action it names: of that nothing is said, as it may well be there. */
function nothingThere({ action = '', version = '' }: Target, service: string): Refusal {
  const refusal = new Refusal('InvalidActionOrVersion', { action, version, service })
  refusal.message = `There is nothing at this path: calls are sent to /, with Action and Version in the query${action === '' ? '; no Action was given' : ''}.`
  return refusal
}

function safely(throws: () => never): unknown {
  try {
    return throws()
  } catch (error) {
    return error
  }
}

/** What a peer gets that does not speak HTTP well enough to be answered by a route. */
function rawRefusal(parts: ApiParts): string {
  const requestId = newRequestId(parts.realTime.now())
  const refusal = refusalOf(safely(() => refuse('InvalidParameter.{Parameter}', { Parameter: 'Request', why: 'it is not HTTP/1.1' })), requestId)
  const text = errorText({ requestId, service: parts.settings.service, action: undefined, version: undefined, region: undefined }, wireError(refusal))
  return `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`
}
