import { createSecureContext } from 'node:tls'
import { Pool } from 'undici'
import type { KeyedCertificate } from '../pki/certificate.ts'

/** The API server could not be asked: no connection, broken off, or no answer within the deadline. */
export class ApiUnreachable extends Error {
  readonly kind = 'ApiUnreachable'
}

/** The API server answered with an error; `reason` is Kubernetes' own word such as `NotFound` or `Conflict`. */
export class ApiRefusal extends Error {
  readonly kind = 'ApiRefusal'
  readonly httpStatus: number
  readonly reason: string
  constructor(message: string, httpStatus: number, reason: string) {
    super(message)
    this.httpStatus = httpStatus
    this.reason = reason
  }
}

export interface ApiAnswer { readonly httpStatus: number; readonly text: string }

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type PatchType = 'application/merge-patch+json' | 'application/strategic-merge-patch+json' | 'application/apply-patch+yaml'

export interface CallOptions {
  readonly body?: unknown
  readonly contentType?: PatchType | 'application/json'
  readonly deadlineMs?: number
}

const DEADLINE_MS = 10_000
/** Name under which Kubernetes notes which fields are ours. */
export const FIELD_MANAGER = 'edgehold'

/** A few connections to one API server with a client certificate. Every call has a deadline. JSON in and out; it knows no kinds. */
export class ApiClient {
  readonly server: string
  readonly #pool: Pool

  constructor(options: { server: string; caCert: string; credentials?: KeyedCertificate; connections?: number }) {
    this.server = options.server
    const { caCert: ca, credentials } = options
    this.#pool = new Pool(options.server, {
      connections: options.connections ?? 8,
      // One request a connection at a time: a slow list must not hold up a health probe behind it.
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: 30_000,
      headersTimeout: 0,
      bodyTimeout: 0,
      // Made once: keys and certificates would else be read anew for every connection, also for each that is refused.
      connect: { secureContext: createSecureContext(credentials ? { ca, cert: credentials.cert, key: credentials.key } : { ca }), timeout: 5_000 },
    })
  }

  /** The answer whatever its HTTP status. Throws ApiUnreachable. */
  async call(method: Method, path: string, options: CallOptions = {}): Promise<ApiAnswer> {
    const signal = AbortSignal.timeout(options.deadlineMs ?? DEADLINE_MS)
    try {
      const answer = await this.#pool.request({
        method, path, signal,
        headers: { accept: 'application/json', ...(options.body === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' }) },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      })
      return { httpStatus: answer.statusCode, text: await answer.body.text() }
    } catch (cause) {
      throw new ApiUnreachable(`${this.server} did not answer: ${sentenceOf(cause)}`, { cause })
    }
  }

  /** The parsed answer of a call that must succeed. Throws ApiUnreachable or ApiRefusal. */
  async json<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
    return parsed<T>(await this.call(method, path, options))
  }

  /** As `json`, but undefined when there is no such object. */
  async find<T>(path: string): Promise<T | undefined> {
    return orUndefined(this.json<T>('GET', path))
  }

  /** Deletes an object; already gone is success. */
  async remove(path: string): Promise<void> {
    await orUndefined(this.json('DELETE', path))
  }

  /** Server-side apply with our field manager, taking fields over from others where they clash. */
  async apply<T>(path: string, object: unknown): Promise<T> {
    return this.json<T>('PATCH', `${path}?fieldManager=${FIELD_MANAGER}&force=true`, { body: object, contentType: 'application/apply-patch+yaml' })
  }

  /** The body of a watch as it comes. Ends when aborted, when the server ends it, or when nothing (not even a bookmark) came for `silenceMs`. Throws ApiUnreachable or ApiRefusal. */
  async *stream(path: string, options: { signal: AbortSignal; silenceMs: number }): AsyncGenerator<Uint8Array> {
    const silence = new AbortController()
    const wake = (): NodeJS.Timeout => setTimeout(() => silence.abort(new ApiUnreachable(`${this.server} said nothing for ${options.silenceMs / 1000} s on a watch`)), options.silenceMs)
    const timer = wake()
    try {
      const answer = await this.#pool.request({ method: 'GET', path, headers: { accept: 'application/json' }, signal: AbortSignal.any([options.signal, silence.signal]) })
      if (answer.statusCode !== 200) parsed({ httpStatus: answer.statusCode, text: await answer.body.text() })
      for await (const chunk of answer.body) {
        timer.refresh()
        yield chunk as Uint8Array
      }
    } catch (cause) {
      if (options.signal.aborted) return
      if (cause instanceof ApiRefusal) throw cause
      throw new ApiUnreachable(`The watch at ${this.server} broke: ${sentenceOf(silence.signal.aborted ? silence.signal.reason : cause)}`, { cause })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Lets calls under way come to their end; new ones are refused. */
  async end(): Promise<void> {
    await this.#pool.close()
  }

  /** Breaks everything off. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

/** Undefined instead of a refusal that says that there is no such object. */
export async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    if (error instanceof ApiRefusal && error.httpStatus === 404) return undefined
    throw error
  })
}

function parsed<T>(answer: ApiAnswer): T {
  if (answer.httpStatus >= 200 && answer.httpStatus < 300) return JSON.parse(answer.text) as T
  const status = parseStatus(answer.text)
  throw new ApiRefusal(status.message, answer.httpStatus, status.reason)
}

function parseStatus(text: string): { message: string; reason: string } {
  try {
    const status = JSON.parse(text) as { message?: string; reason?: string }
    return { message: status.message ?? text, reason: status.reason ?? '' }
  } catch {
    // Not JSON: an answer of the server's outer layers, whose text is all there is.
    return { message: text.trim(), reason: '' }
  }
}

function sentenceOf(cause: unknown): string {
  return cause instanceof Error ? cause.message || cause.name : String(cause)
}
