import { request as send, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { Refusal } from '#model/errors/catalogue.ts'
import { ConnectionCut } from './answer-faults.ts'
import type { Elsewhere } from './regions.ts'

/** Another server runs the region and has to answer the call. */
export class ServedElsewhere extends Error {
  readonly kind = 'ServedElsewhere'
  readonly elsewhere: Elsewhere
  readonly call: PassedCall
  constructor(elsewhere: Elsewhere, call: PassedCall) {
    super(`The region is run by the server at ${elsewhere.endpoint}`)
    this.elsewhere = elsewhere
    this.call = call
  }
}

export interface PassedCall {
  readonly isWrite: boolean
  /** It bears a token by which it is done once, however often it is sent. */
  readonly isOnce: boolean
  /** It may change which faults stand. */
  readonly arranges: boolean
}

/** A call that was passed on once is not passed on again. */
const PASSED_ON = 'x-edgehold-passed-on'
/** A host that is gone refuses no connection. */
const CONNECT_MS = 3_000
/** A call may rightly take minutes, so what is limited is not its time but the silence of the server that has it: that one is asked whether it lives. */
const ASK_EVERY_MS = 1_000, ASK_PATIENCE_MS = 1_500
/** Longer than a server needs to end its calls when it is asked to end itself, and shorter than clients wait. */
const SILENCE_MS = 11_000

/** A stream has several comments in that time. */
const STREAM_SILENCE_MS = 60_000

export interface PassedAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** In place of a body, where the answer does not end by itself: it is to be read, or destroyed. */
  readonly stream?: IncomingMessage
}

/** `unreached`: nothing was done there. `lost`: it was sent there, and that server gives no sign of life any more. */
export type Passed = PassedAnswer | 'unreached' | 'lost'

export function wasPassedOn(headers: IncomingHttpHeaders): boolean {
  return headers[PASSED_ON] !== undefined
}

/** Sends a call as it came, signature and all, to the server that runs its region. An answer that is cut off there is cut off here, too: nobody knows what was done. */
export function passOn({ endpoint, isStill }: Elsewhere, call: { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer }): Promise<Passed> {
  const { hostname, port } = new URL(endpoint)
  const { connection: _connection, 'transfer-encoding': _encoding, ...headers } = call.headers
  const ended = new AbortController(), answered = new AbortController()
  let streams = false
  return new Promise<Passed>((resolve, reject) => {
    let connected = false
    const request = send({ host: hostname, port, method: call.method, path: call.url, headers: { ...headers, 'content-length': call.body.length, [PASSED_ON]: '1' }, agent: false, signal: ended.signal }, response => {
      if (response.headers['content-type']?.startsWith('text/event-stream') === true) {
        streams = true
        response.on('error', () => {}) // whoever reads it sees that it was cut
        response.setTimeout(STREAM_SILENCE_MS, () => response.destroy())
        resolve({ status: response.statusCode ?? 502, headers: response.headers, body: Buffer.alloc(0), stream: response })
        return
      }
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 502, headers: response.headers, body: Buffer.concat(chunks) }))
      response.on('error', (error: NodeJS.ErrnoException) => reject(asCut(error)))
    })
    const connecting = setTimeout(() => { resolve('unreached') }, CONNECT_MS)
    request.on('socket', socket => socket.once('connect', () => {
      connected = true
      clearTimeout(connecting)
      // A host that was started again knows nothing of the connection, and says so when it is asked.
      socket.setKeepAlive(true, ASK_EVERY_MS)
      untilSilent(endpoint, isStill, answered.signal).then(() => { resolve('lost') }).catch(() => {}) // aborted: it is answered
    }))
    request.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(connecting)
      if (connected) reject(asCut(error))
      else resolve('unreached')
    })
    request.end(call.body)
  }).finally(() => {
    answered.abort()
    if (!streams) ended.abort()
  })
}

/**
 * Ends when the server there is not waited for any more: it gives no sign of life, and another one has taken its region or it has been silent for long. One that refuses connections ends: it has its time
 * to end its calls.
 */
async function untilSilent(endpoint: string, isStill: () => boolean, signal: AbortSignal): Promise<void> {
  for (let heardAt = performance.now(); performance.now() - heardAt < SILENCE_MS;) {
    await delay(ASK_EVERY_MS, undefined, { signal })
    const sign = await signOfLife(endpoint, signal)
    if (sign === 'lives') heardAt = performance.now()
    else if (sign === 'silent' && !isStill()) return
  }
}

function signOfLife(endpoint: string, signal: AbortSignal): Promise<'lives' | 'refuses' | 'silent'> {
  return new Promise(resolve => {
    const request = send(`${endpoint}/healthz`, { agent: false, signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_PATIENCE_MS)]) }, response => {
      response.resume()
      response.on('error', () => {}) // it has answered
      resolve('lives')
    })
    request.on('error', (error: NodeJS.ErrnoException) => { resolve(error.code === 'ECONNREFUSED' ? 'refuses' : 'silent') })
    request.end()
  })
}

/** What a caller is told of a write that was sent to a server which stands still: it may have been done, or not. */
export function outcomeUnknown(): Refusal {
  const refusal = new Refusal('InternalServiceTimeout', {})
  refusal.message = 'The server that ran the region gives no answer any more, and it is not known whether it did what was asked: look, or send it again with the same ClientToken.'
  return refusal
}

function asCut(error: NodeJS.ErrnoException): Error {
  return error.code === 'ECONNRESET' ? new ConnectionCut('The server that runs the region cut the connection', { cause: error }) : error
}
