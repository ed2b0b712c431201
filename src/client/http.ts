import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { NoAnswer } from './errors.ts'

export interface HttpAnswer { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string }

/** One POST. Not `fetch`: that gives up on answers that take longer than five minutes, and a script on a slow machine may. Throws NoAnswer. */
export function post(url: URL, headers: Readonly<Record<string, string>>, body: string, options: { signal?: AbortSignal | undefined; timeoutMs: number }): Promise<HttpAnswer> {
  const limit = AbortSignal.timeout(options.timeoutMs)
  const signals = [limit, ...options.signal ? [options.signal] : []]
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) }, signal: AbortSignal.any(signals) })
    request.once('error', (error: NodeJS.ErrnoException) => { reject(noAnswer(url, error, limit, options.timeoutMs)) })
    request.once('response', response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', error => { reject(noAnswer(url, error, limit, options.timeoutMs)) })
      response.once('end', () => { resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }) })
    })
    request.end(body)
  })
}

/** One GET whose answer may have no end: it is given as it begins. Throws NoAnswer where it does not begin in time. */
export function get(url: URL, headers: Readonly<Record<string, string>>, options: { signal: AbortSignal; timeoutMs: number }): Promise<IncomingMessage> {
  const limit = new AbortController(), patience = setTimeout(() => { limit.abort() }, options.timeoutMs)
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise<IncomingMessage>((resolve, reject) => {
    const request = send(url, { method: 'GET', headers, agent: false, signal: AbortSignal.any([limit.signal, options.signal]) })
    // Once it has begun, its reader sees by itself that it was cut.
    request.on('error', (error: NodeJS.ErrnoException) => { reject(noAnswer(url, error, limit.signal, options.timeoutMs)) })
    request.once('response', resolve)
    request.end()
  }).finally(() => { clearTimeout(patience) })
}

function noAnswer(url: URL, error: NodeJS.ErrnoException, limit: AbortSignal, timeoutMs: number): Error {
  // Node says AbortError whichever of the signals it was.
  if (error.name === 'AbortError' && !limit.aborted) return error
  if (limit.aborted) return new NoAnswer(`${url.origin} did not answer within ${timeoutMs / 1000} s`, false, { cause: error })
  const neverSent = error.code === 'ECONNREFUSED' || error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN'
  return new NoAnswer(neverSent ? `Nobody answers at ${url.origin} (${error.code})` : `The connection to ${url.origin} ended before its answer (${error.code ?? error.message})`, neverSent, { cause: error })
}
