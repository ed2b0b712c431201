import type { IncomingMessage } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import type { ActionName, Calls, Change, ListOf } from './calls.ts'
import { versionOf, WATCH } from './calls.ts'
import { ApiError, NoAnswer } from './errors.ts'
import { eventsOf } from './events.ts'
import { get, post, type HttpAnswer } from './http.ts'
import { canonicalQuery, signedHeaders } from './sign.ts'

export interface ClientOptions {
  /** `http://HOST:PORT` or `HOST:PORT`. */
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly region: string
  readonly service?: string
}

export interface CallOptions { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number; readonly version?: string }

export interface WatchRequest { readonly LastEventId?: number | string; readonly ClusterIds?: readonly string[]; readonly Kinds?: readonly string[] }

/** Actions that make something, and take a ClientToken. */
const MAKES: ReadonlySet<string> = new Set(['CreateCluster', 'CreateEdgeNodePool', 'CreateBatchEdgeMachine', 'CreateKubeconfig', 'AddMachine', 'RunScenario'])
const TRIES = 5
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
/** A server that is started anew is back by then. */
const WATCH_PATIENCE_MS = 60_000
const BEGIN_MS = 60_000

/** The API as typed calls: signs like the official SDKs, waits and tries again when told that it is too fast (429) or too early (503). */
export class EdgeholdClient {
  readonly #options: ClientOptions
  readonly #origin: string

  constructor(options: ClientOptions) {
    this.#options = options
    this.#origin = new URL(/^https?:\/\//.test(options.endpoint) ? options.endpoint : `http://${options.endpoint}`).origin
  }

  get region(): string {
    return this.#options.region
  }

  /** An action whose answer is known; throws ApiError or NoAnswer. */
  async call<Name extends ActionName>(action: Name, body: object, options: CallOptions = {}): Promise<Calls[Name]> {
    return await this.callAny(action, body, options) as Calls[Name]
  }

  /** Any action by its name. */
  async callAny(action: string, sent: object, options: CallOptions = {}): Promise<unknown> {
    // A 503 may come after the commit: with a token of its own the repeat finds what the first try made, instead of meeting it as another's.
    const body = MAKES.has(action) && !('ClientToken' in sent) && !('CreateClientToken' in sent) ? { ...sent, ClientToken: crypto.randomUUID() } : sent
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#send(action, body, options)
      const error = errorOf(answer)
      if (!error) return (JSON.parse(answer.text) as { Result: unknown }).Result
      if ((answer.status !== 429 && answer.status !== 503) || attempt === TRIES) throw error
      await pause(pauseMs(answer, attempt), options.signal)
    }
  }

  /** All items of a list, page by page. */
  async *list<Name extends ActionName>(action: Calls[Name] extends ListOf<unknown> ? Name : never, body: object = {}, options: CallOptions = {}): AsyncGenerator<ItemOf<Calls[Name]>> {
    for (let number = 1, seen = 0; ; number++) {
      const page = await this.callAny(action, { ...body, PageNumber: number, PageSize: 100 }, options) as ListOf<ItemOf<Calls[Name]>>
      yield* page.Items
      seen += page.Items.length
      if (page.Items.length === 0 || seen >= page.TotalCount) return
    }
  }

  async all<Name extends ActionName>(action: Calls[Name] extends ListOf<unknown> ? Name : never, body: object = {}, options: CallOptions = {}): Promise<ItemOf<Calls[Name]>[]> {
    return Array.fromAsync(this.list<Name>(action, body, options))
  }

  /**
   * Changes of statuses as they come, without end: behind `LastEventId`, or from now on. Where the connection ends, or the server, it goes on behind the last one that was given. Throws ApiError where it is refused,
   * and NoAnswer once nobody has answered for a minute.
   */
  async *watch(request: WatchRequest = {}, options: { readonly signal?: AbortSignal; readonly patienceMs?: number } = {}): AsyncGenerator<Change> {
    let last = request.LastEventId, answeredAt = performance.now()
    for (let attempt = 1; ; attempt++) {
      const ended = new AbortController(), signal = options.signal ? AbortSignal.any([ended.signal, options.signal]) : ended.signal
      try {
        const stream = await this.#begin({ ...request, ...last !== undefined && { LastEventId: last } }, signal)
        for await (const { data } of eventsOf(stream, id => { last = id; attempt = 0; answeredAt = performance.now() })) yield JSON.parse(data) as Change
      } catch (error) {
        options.signal?.throwIfAborted()
        const mayComeBack = error instanceof NoAnswer || (error instanceof ApiError && (error.status === 429 || error.status >= 502))
        if (!mayComeBack || performance.now() - answeredAt > (options.patienceMs ?? WATCH_PATIENCE_MS)) throw error
      } finally {
        ended.abort() // whoever breaks off reads no more
      }
      await pause(Math.min(LONGEST_PAUSE_MS / 10, FIRST_PAUSE_MS * 2 ** Math.max(0, attempt - 1)), options.signal)
    }
  }

  async #begin(request: WatchRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { region, service = 'veecp_openapi' } = this.#options
    const query = { Action: WATCH, Version: versionOf(WATCH), ...inQuery(request) }
    const url = new URL(`${this.#origin}/?${canonicalQuery(query)}`)
    const stream = await get(url, signedHeaders(url.host, query, '', this.#options, { region, service }, Date.now(), 'GET'), { signal, timeoutMs: BEGIN_MS })
    if (stream.headers['content-type']?.startsWith('text/event-stream') === true) return stream
    const error = errorOf({ status: stream.statusCode ?? 0, headers: stream.headers, text: await textOf(stream).catch(() => '') })
    throw error ?? new NoAnswer(`An answer with status ${stream.statusCode} came that is no stream of changes`, false)
  }

  #send(action: string, body: object, options: CallOptions): Promise<HttpAnswer> {
    const { region, service = 'veecp_openapi' } = this.#options
    const query = { Action: action, Version: options.version ?? versionOf(action) }
    const url = new URL(`${this.#origin}/?${canonicalQuery(query)}`)
    const text = JSON.stringify(body)
    const headers = signedHeaders(url.host, query, text, this.#options, { region, service }, Date.now())
    return post(url, headers, text, { signal: options.signal, timeoutMs: options.timeoutMs ?? 60_000 })
  }
}

type ItemOf<List> = List extends ListOf<infer Item> ? Item : never

/** Lists element by element, as `Kinds.1`. */
function inQuery(request: object): Record<string, string> {
  return Object.fromEntries(Object.entries(request).flatMap(([name, value]: [string, unknown]) => (Array.isArray(value) ? value.map((item, index) => [`${name}.${index + 1}`, String(item)]) : [[name, String(value)]])) as [string, string][])
}

function errorOf(answer: HttpAnswer): ApiError | NoAnswer | undefined {
  const parsed = parse(answer.text)
  const metadata = parsed?.ResponseMetadata
  if (!metadata) return new NoAnswer(`An answer with status ${answer.status} came that is not of this API`, false)
  if (!metadata.Error) return undefined
  return new ApiError({ code: metadata.Error.Code, message: metadata.Error.Message, status: answer.status, requestId: metadata.RequestId })
}

function parse(text: string): { ResponseMetadata?: { RequestId: string; Error?: { Code: string; Message: string } } } | undefined {
  try {
    return JSON.parse(text) as ReturnType<typeof parse>
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function pauseMs(answer: HttpAnswer, attempt: number): number {
  const asked = Number(answer.headers['retry-after']) * 1000
  return Math.min(LONGEST_PAUSE_MS, asked > 0 ? asked : FIRST_PAUSE_MS * 2 ** (attempt - 1))
}

/** Leaves nothing at the signal, which may outlive many pauses. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      if (signal?.aborted === true) reject(signal.reason as Error)
      else resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
}
