import { createServer, type IncomingMessage } from 'node:http'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { refuse } from '#model/errors/catalogue.ts'
import type { Action } from './action.ts'
import { ACTIONS } from './actions/all.ts'
import { readBody } from './body.ts'
import { prepareCalls, type CallParts, type CallTrace } from './call.ts'
import { compress } from './compress.ts'
import { errorEnvelope, newRequestId, successEnvelope, wireError, type RequestNames } from './envelope.ts'
import { ApiMetrics } from './metrics.ts'
import { describeActions } from './openapi.ts'
import { refusalOf } from './refusal-of.ts'
import type { Query } from './signature/authorization.ts'
import { parseQuery } from './signature/canonical.ts'

/** One part of the server for /readyz; `required` ones decide whether the server counts as ready. */
export interface ReadyPart { readonly name: string; readonly ready: boolean; readonly required: boolean; readonly text: string }

export interface ApiParts extends CallParts {
  /** Parts beside the regions: the database and its migrations, for one. Never throws. */
  readyParts(): Promise<readonly ReadyPart[]>
  readonly metrics?: ApiMetrics
  readonly actions?: readonly Action[]
}

interface Known { trace: CallTrace; startedAt: number; action?: Action; names: RequestNames }

const NO_BODY = Buffer.alloc(0)

/**
 * The API as a fastify instance that does not listen yet: `POST /` and `GET /` with `Action` and `Version` in the query, and /healthz, /readyz,
 * /metrics, /openapi.json. Further routes may be added by the caller. `close()` lets running calls end.
 */
export function createApi(parts: ApiParts): FastifyInstance {
  const metrics = parts.metrics ?? new ApiMetrics()
  const actions = parts.actions ?? ACTIONS
  const app = fastify({
    logger: false,
    rewriteUrl: request => routeOf(targetOf(request), request.url ?? '/'),
    serverFactory: handler => createServer({ keepAliveTimeout: 75_000, headersTimeout: 60_000 }, handler),
    clientErrorHandler: (_error, socket) => {
      if (socket.writable) socket.end(rawRefusal(parts))
    },
    // Its 503 would lack the envelope; calls that still come over a connection that is kept alive are served.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
  })
  const known = new WeakMap<FastifyRequest, Known>()
  const call = prepareCalls(parts)

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', async (_request: FastifyRequest, payload: FastifyRequest['raw']) => readBody(payload, parts.settings.mostBodyBytes))

  app.addHook('onRequest', async request => {
    known.set(request, knownOf(request, parts))
  })

  for (const action of actions) {
    const run = call(action)
    app.route({
      method: ['GET', 'POST'],
      url: `/rpc/${action.version}/${action.name}`,
      handler: async (request, reply) => {
        const about = knownOf(request, parts, known)
        about.action = action
        const { path, query } = targetOf(request.raw)
        const body = Buffer.isBuffer(request.body) ? request.body : NO_BODY
        const result = await run({ method: request.method, path, query, headers: request.headers, body }, about.trace)
        return send(reply, 200, successEnvelope(namesOf(about), result), about, 'Ok')
      },
    })
  }

  app.route({ method: ['GET', 'POST'], url: '/rpc/incomplete', handler: async () => refuse('MissingParameter', { Parameter: 'Action or no Version' }) })
  app.setNotFoundHandler(async (request, reply) => {
    const about = knownOf(request, parts, known)
    if (request.method !== 'GET' && request.method !== 'POST') return answerError(safely(() => refuse('MethodNotAllowed', { method: request.method })), about, reply)
    return answerError(safely(() => refuse('InvalidActionOrVersion', { action: about.names.action ?? '', version: about.names.version ?? '', service: parts.settings.service })), about, reply)
  })
  app.setErrorHandler(async (error, request, reply) => answerError(error, knownOf(request, parts, known), reply))

  app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', async (_request, reply) => {
    const ready = [...await parts.readyParts(), ...[...parts.regions].map(([name, region]) => ({ name: `region ${name}`, required: false, ...region.ready() }))]
    const whole = ready.every(part => part.ready || !part.required)
    return reply.code(whole ? 200 : 503).send({ ready: whole, parts: ready })
  })
  app.get('/metrics', async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()))
  app.get('/openapi.json', async () => describeActions(actions, parts.settings.service))
  return app

  function answerError(error: unknown, about: Known, reply: FastifyReply): Promise<FastifyReply> {
    const refusal = refusalOf(error, about.trace.requestId)
    if (refusal.httpStatus >= 500 && refusal.code === 'InternalError') {
      parts.log.error({ err: error, requestId: about.trace.requestId, action: about.names.action }, 'Answering a call failed unexpectedly')
    }
    if (refusal.httpStatus === 429 || refusal.httpStatus === 503) reply.header('retry-after', refusal.parameters['retryAfter'] ?? 1)
    return send(reply, refusal.httpStatus, errorEnvelope(namesOf(about), wireError(refusal)), about, refusal.wireCode)
  }

  async function send(reply: FastifyReply, status: number, envelope: object, about: Known, code: string): Promise<FastifyReply> {
    metrics.count(about.action?.name ?? 'unknown', code, (parts.realNow() - about.startedAt) / 1000)
    const text = JSON.stringify(envelope)
    reply.code(status).type('application/json; charset=utf-8')
    return reply.send(await compress(text, reply, parts.settings.compressFromBytes))
  }
}

/** `/?Action=X&Version=Y` becomes one route an action; paths under /rpc cannot be reached from outside. */
function routeOf({ path, query }: Target, url: string): string {
  if (path !== '/') return path.startsWith('/rpc') ? '/rpc/none' : url
  const named = new Map(query)
  const action = named.get('Action')
  const version = named.get('Version')
  if (!action || !version) return '/rpc/incomplete'
  return /^[a-zA-Z]{1,100}$/.test(action) && /^\d{4}-\d\d-\d\d$/.test(version) ? `/rpc/${version}/${action}` : '/rpc/none'
}

interface Target { readonly path: string; readonly query: Query }

const targets = new WeakMap<IncomingMessage, Target>()

/** Path and query as they were sent; read once, before the address is rewritten. */
function targetOf(request: IncomingMessage): Target {
  const known = targets.get(request)
  if (known) return known
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  const target = mark < 0 ? { path: url, query: [] } : { path: url.slice(0, mark), query: parseQuery(url.slice(mark + 1)) ?? [] }
  targets.set(request, target)
  return target
}

function knownOf(request: FastifyRequest, parts: ApiParts, all?: WeakMap<FastifyRequest, Known>): Known {
  const there = all?.get(request)
  if (there) return there
  const now = parts.realNow()
  const named = new Map(targetOf(request.raw).query)
  const requestId = newRequestId(now)
  const action = named.get('Action')
  const version = named.get('Version')
  const names: RequestNames = { requestId, service: parts.settings.service, ...action !== undefined && { action }, ...version !== undefined && { version } }
  return { trace: { requestId }, startedAt: now, names }
}

function namesOf(about: Known): RequestNames {
  return about.trace.region === undefined ? about.names : { ...about.names, region: about.trace.region }
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
  const requestId = newRequestId(parts.realNow())
  const refusal = refusalOf(safely(() => refuse('InvalidParameter.{Parameter}', { Parameter: 'Request', why: 'it is not HTTP/1.1' })), requestId)
  const text = JSON.stringify(errorEnvelope({ requestId, service: parts.settings.service }, wireError(refusal)))
  return `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`
}
