import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { refuse } from '#model/errors/catalogue.ts'
import type { Action } from './action.ts'
import { ConnectionCut, OrderedRefusal } from './answer-faults.ts'
import { readBody } from './body.ts'
import { prepareCalls, type CallParts, type CallTrace, type RunCall } from './call.ts'
import { gzipped, gzippedAround, LONGEST_STORED_BYTES, takesGzip } from './compress.ts'
import { errorText, newRequestId, successParts, wireError, type RequestNames } from './envelope.ts'
import type { ApiMetrics } from './metrics.ts'
import { outcomeUnknown, passOn, ServedElsewhere, wasPassedOn, type PassedAnswer } from './pass-on.ts'
import { refusalOf } from './refusal-of.ts'
import { Rendered } from './rendered.ts'
import { serviceAskedFor } from './signature/authorization.ts'
import { targetOf, type Target } from './target.ts'
import { WatchedChanges } from './watches/watched-changes.ts'
import { Watches } from './watches/watches.ts'

/** Servers that end one after the other while they have a call. */
const MOST_PASSES = 3
const NO_BODY = Buffer.alloc(0)
const TYPE = 'application/json; charset=utf-8'

/** The answer that another server gave. */
class Passed {
  readonly answer: PassedAnswer
  constructor(answer: PassedAnswer) {
    this.answer = answer
  }
}

interface Route { readonly name: string; readonly run: RunCall }
interface About { readonly target: Target; readonly trace: CallTrace; readonly startedAt: number; route: Route | undefined }

export interface CallAnswerer {
  /** Answers a GET or POST of `/`, from its body to the end of the response. */
  answer(request: IncomingMessage, response: ServerResponse): void
  /** Answers any request with the refusal of an error. */
  refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void
  /** From now on each answer ends its connection, and those that do not end by themselves do. */
  close(): void
}

/** Calls on node:http itself: at ten thousand a second what a framework does around each of them would be half of its cost. */
export function answerCalls(parts: CallParts, metrics: ApiMetrics, actions: readonly Action[]): CallAnswerer {
  const { service } = parts.settings
  const prepare = prepareCalls(parts)
  const watches = new Watches(parts.store, parts.settings.watches, parts.log, parts.realTime)
  const routes = new Map<string, Route>(actions.map(action => [`${action.version}/${action.name}`, { name: action.name, run: prepare(action) }]))
  let closing = false

  return {
    answer(request, response) {
      const about = aboutOf(request)
      answer(request, about).then(result => {
        if (result instanceof Passed) {
          sendPassed(response, result.answer, about)
          return
        }
        if (result instanceof WatchedChanges) {
          watches.stream(result, response)
          count(about, 'Ok')
          return
        }
        const texts = successParts(namesOf(about), result)
        send(request, response, 200, texts.join(''), about, 'Ok', () => compressed(texts, result))
      }).catch((error: unknown) => { refuseCall(request, response, error, about) }).catch((error: unknown) => { giveUp(response, error, about) })
    },
    refuse(request, response, error) {
      refuseCall(request, response, error, aboutOf(request))
    },
    close() {
      closing = true
      watches.close()
    },
  }

  function aboutOf(request: IncomingMessage): About {
    const startedAt = parts.realTime.now()
    return { target: targetOf(request.url ?? '/'), trace: { requestId: newRequestId(startedAt) }, startedAt, route: undefined }
  }

  async function answer(request: IncomingMessage, about: About): Promise<object> {
    const { target } = about
    const method = request.method ?? ''
    // A GET has its parameters in the query; what else it may bring is no part of it.
    const body = method === 'GET' ? NO_BODY : await readBody(request, parts.settings.mostBodyBytes)
    if (!target.action || !target.version) return refuse('MissingParameter', { Parameter: target.action ? 'Version' : target.version ? 'Action' : 'Action and no Version' })
    about.route = routes.get(`${target.version}/${target.action}`)
    if (!about.route) return refuse('InvalidActionOrVersion', { action: target.action, version: target.version, service: serviceAskedFor(request.headers, target.query) ?? service })
    const signed = { method, path: target.path, query: target.query, canonicalQuery: target.canonicalQuery, headers: request.headers, body }
    if (wasPassedOn(request.headers)) about.trace.stays = true
    return wherever(about, about.route.run, signed, { method, url: request.url ?? '/', headers: request.headers, body })
  }

  /** Here, or by the server that runs the region; where that one ends meanwhile, by the one that takes its place, which may be this one. */
  async function wherever(about: About, run: RunCall, signed: Parameters<RunCall>[0], asItCame: Parameters<typeof passOn>[1]): Promise<object> {
    let mayBeDone = false
    for (let passes = 1; ; passes++) {
      try {
        return await run(signed, about.trace)
      } catch (error) {
        if (!(error instanceof ServedElsewhere)) throw mayBeDone ? outcomeUnknown() : error
        const { elsewhere, call } = error
        const passed = await passOn(elsewhere, asItCame)
        if (typeof passed === 'object') {
          if (mayBeDone && passed.status !== 200) throw outcomeUnknown()
          if (call.arranges) await elsewhere.lookAgain().catch((cause: unknown) => { parts.log.debug({ error: cause }, 'Looking for faults of our own answers did not succeed') })
          return new Passed(passed)
        }
        parts.log.warn({ requestId: about.trace.requestId, action: about.target.action, endpoint: elsewhere.endpoint, passed }, 'A call was passed on in vain')
        if (passed === 'lost' && call.isWrite) {
          // Sent again it would be done a second time, or nobody can do it now.
          if (!call.isOnce || elsewhere.isStill()) throw outcomeUnknown()
          mayBeDone = true
        }
        about.trace.stays = elsewhere.isStill() || passes === MOST_PASSES
      }
    }
  }

  function count(about: About, code: string): void {
    metrics.count(about.route?.name ?? 'unknown', code, (parts.realTime.now() - about.startedAt) / 1000)
  }

  function sendPassed(response: ServerResponse, { status, headers, body, stream }: PassedAnswer, about: About): void {
    const kept = Object.fromEntries(['content-type', 'content-encoding', 'vary', 'retry-after', 'cache-control'].flatMap(name => (headers[name] === undefined ? [] : [[name, headers[name]]])))
    if (stream) watches.relay(stream, kept, response)
    count(about, status === 200 ? 'Ok' : 'PassedOn')
    if (!stream) response.writeHead(status, { ...kept, 'content-length': body.length }).end(body)
  }

  function refuseCall(request: IncomingMessage, response: ServerResponse, error: unknown, about: About): void {
    if (error instanceof ConnectionCut) {
      response.destroy()
      return
    }
    const { requestId } = about.trace
    const refusal = refusalOf(error, requestId)
    if (error instanceof OrderedRefusal) {
      parts.log.info({ requestId, action: about.target.action, fault: error.faultId, code: error.wireCode }, 'A call was refused because a fault orders it')
    } else if (refusal.httpStatus >= 500 && refusal.code === 'InternalError') {
      parts.log.error({ err: error, requestId, action: about.target.action }, 'Answering a call failed unexpectedly')
    }
    const retryAfter = refusal.httpStatus === 429 || refusal.httpStatus === 503 ? String(refusal.parameters['retryAfter'] ?? 1) : undefined
    const text = errorText(namesOf(about), wireError(refusal))
    send(request, response, refusal.httpStatus, text, about, refusal.wireCode, () => gzipped(text), retryAfter)
  }

  function send(request: IncomingMessage, response: ServerResponse, status: number, text: string, about: About, code: string, compress: () => Promise<Buffer>, retryAfter?: string): void {
    count(about, code)
    const more: OutgoingHttpHeaders = {}
    if (closing) more['connection'] = 'close'
    if (retryAfter !== undefined) more['retry-after'] = retryAfter
    if (text.length < parts.settings.compressFromBytes || !takesGzip(request.headers['accept-encoding'])) {
      response.writeHead(status, { ...more, 'content-type': TYPE, 'content-length': Buffer.byteLength(text) }).end(text)
      return
    }
    compress().then(bytes => {
      response.writeHead(status, { ...more, 'content-type': TYPE, 'content-encoding': 'gzip', vary: 'accept-encoding', 'content-length': bytes.length }).end(bytes)
    }).catch((error: unknown) => { giveUp(response, error, about) })
  }

  function giveUp(response: ServerResponse, error: unknown, about: About): void {
    parts.log.error({ err: error, requestId: about.trace.requestId, action: about.target.action }, 'An answer could not be sent')
    response.destroy()
  }

  function namesOf(about: About): RequestNames {
    const { action, version } = about.target
    return { requestId: about.trace.requestId, service, action, version, region: about.trace.region }
  }
}

async function compressed(parts: ReturnType<typeof successParts>, result: object): Promise<Buffer> {
  const [before, , behind] = parts
  const part = result instanceof Rendered && before.length * 4 <= LONGEST_STORED_BYTES ? await result.deflated() : undefined
  return part ? gzippedAround(before, part, behind) : gzipped(parts.join(''))
}
